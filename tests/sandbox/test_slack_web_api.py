"""The Web API through an unmodified slack_sdk WebClient: posting, reading, paging, refusing, streaming, files."""

import inspect
import re
import sys
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.slack import web_api  # noqa: F401  (fills METHODS)
from sandbox.slack.methods import METHODS
from tests.sandbox.slack_driving import (
    ADA,
    APP_TOKEN,
    BEN,
    BOT,
    BOT_TOKEN,
    EVE,
    GENERAL,
    GUS,
    LEADS,
    PROJECT,
    RANDOM,
    SlackSandbox,
)


@pytest.fixture
def client(slack_sandbox: SlackSandbox) -> WebClient:
    return slack_sandbox.client()


def error_of(call: Any, **args: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        call(**args)
    return str(caught.value.response["error"])


def test_auth_test_names_the_bot(client: WebClient) -> None:
    reply = client.auth_test()
    assert reply["user_id"] == BOT
    assert client.bots_info(bot=reply["bot_id"])["bot"]["user_id"] == BOT
    assert "chat:write" in reply.headers["x-oauth-scopes"]


@pytest.mark.parametrize(
    ("headers", "error"),
    [({}, "not_authed"), ({"Authorization": "Bearer xoxb-wrong"}, "invalid_auth")],
)
def test_a_missing_or_wrong_token_is_refused(slack_server: str, headers: dict[str, str], error: str) -> None:
    reply = httpx.post(f"{slack_server}/api/auth.test", headers=headers)
    assert reply.json() == {"ok": False, "error": error}


def test_the_token_may_come_in_the_form_and_bad_bodies_are_named(slack_sandbox: SlackSandbox) -> None:
    url = f"{slack_sandbox.url}/api/auth.test"
    assert httpx.post(url, data={"token": BOT_TOKEN}).json()["ok"]
    headers = {"Authorization": f"Bearer {BOT_TOKEN}", "Content-Type": "application/json"}
    assert httpx.post(url, content=b"{", headers=headers).json()["error"] == "invalid_json"
    for bad in (b'{"text": NaN}', b'{"text": 1e999}', b'{"text": "\\ud800"}', b"[" * 100_000):
        assert httpx.post(url, content=bad, headers=headers).json()["error"] == "invalid_json"
    assert httpx.post(url, content=b"[]", headers=headers).json()["error"] == "json_not_object"
    large = httpx.post(url, content=b" " * 3_000_000, headers=headers)
    assert large.json()["error"] == "request_too_large"
    assert httpx.post(f"{slack_sandbox.url}/api/no.such", headers=headers).json()["error"] == "unknown_method"


def test_post_update_delete_and_permalink(client: WebClient, slack_sandbox: SlackSandbox) -> None:
    ts = client.chat_postMessage(channel=GENERAL, text="one")["ts"]
    client.chat_update(channel=GENERAL, ts=ts, text="two")
    message = client.conversations_history(channel=GENERAL, limit=1)["messages"][0]
    assert (message["text"], message["ts"], message["user"]) == ("two", ts, BOT)
    assert message["edited"]["user"] == BOT
    link = client.chat_getPermalink(channel=GENERAL, message_ts=ts)["permalink"]
    assert link.endswith(f"/archives/{GENERAL}/p{ts.replace('.', '')}")
    assert httpx.get(link).status_code == 200
    client.chat_delete(channel=GENERAL, ts=ts)
    assert error_of(client.chat_update, channel=GENERAL, ts=ts, text="x") == "message_not_found"


def test_refusals_when_posting(client: WebClient, slack_sandbox: SlackSandbox) -> None:
    post = client.chat_postMessage
    assert error_of(post, channel="C0NOWHERE1", text="x") == "channel_not_found"
    assert error_of(client.api_call, api_method="chat.postMessage", json={"channel": GENERAL}) == "no_text"
    assert error_of(post, channel=GENERAL, text="x" * 40_001) == "msg_too_long"
    assert error_of(post, channel=GENERAL, text="x", thread_ts="1.000000") == "thread_not_found"
    ts = post(channel=GENERAL, text="x")["ts"]
    assert error_of(client.chat_update, channel=GENERAL, ts=ts, text="x" * 4_001) == "msg_too_long"
    theirs = slack_sandbox.act("message", user=ADA, channel=GENERAL, text="mine")["ts"]
    assert error_of(client.chat_update, channel=GENERAL, ts=theirs, text="x") == "cant_update_message"
    assert error_of(client.chat_delete, channel=GENERAL, ts=theirs) == "cant_delete_message"
    assert error_of(post, channel=RANDOM, text="x") == "not_in_channel"
    assert error_of(client.chat_postEphemeral, channel=RANDOM, user=ADA, text="x") == "not_in_channel"
    assert error_of(client.chat_postEphemeral, channel=LEADS, user=GUS, text="x") == "user_not_in_channel"


def test_missing_scopes_are_named(client: WebClient, slack_sandbox: SlackSandbox) -> None:
    slack_sandbox.put("scopes", token=BOT_TOKEN, scopes=["chat:write", "users:read", "channels:read"])
    with pytest.raises(SlackApiError) as caught:
        client.conversations_history(channel=GENERAL)
    reply = caught.value.response
    assert (reply["error"], reply["needed"]) == ("missing_scope", "channels:history")
    assert reply["provided"] == "channels:read,chat:write,users:read"
    assert error_of(client.conversations_list, types="private_channel") == "missing_scope"
    assert "email" not in client.users_info(user=ADA)["user"]["profile"]


def test_private_channels_of_others_do_not_exist(client: WebClient, slack_sandbox: SlackSandbox) -> None:
    dm = slack_sandbox.act("direct", user=ADA, **{"with": "ben"})["channel"]
    assert error_of(client.conversations_info, channel=dm) == "channel_not_found"
    listed = client.conversations_list(types="public_channel,private_channel,im,mpim")["channels"]
    assert dm not in [c["id"] for c in listed]
    assert LEADS in [c["id"] for c in listed]


def test_pages_follow_their_cursors(client: WebClient) -> None:
    sent = [client.chat_postMessage(channel=GENERAL, text=f"m{i}")["ts"] for i in range(5)]
    pages = [(p["messages"], p["has_more"]) for p in client.conversations_history(channel=GENERAL, limit=2)]
    assert [m["ts"] for messages, _ in pages for m in messages] == sent[::-1]
    assert [more for _, more in pages] == [True, True, False]
    within = client.conversations_history(channel=GENERAL, oldest=sent[1], latest=sent[3])["messages"]
    assert [m["ts"] for m in within] == [sent[2]]
    users = [u["id"] for page in client.users_list(limit=2) for u in page["members"]]
    assert len(users) == len(set(users)) == 7
    members = [m for page in client.conversations_members(channel=PROJECT, limit=1) for m in page["members"]]
    assert set(members) == {ADA, BEN, "U0CHI00001", BOT}
    assert error_of(client.conversations_history, channel=GENERAL, cursor="nonsense") == "invalid_cursor"
    assert error_of(client.conversations_history, channel=GENERAL, limit=5000) == "invalid_limit"


def test_an_update_with_text_drops_blocks_and_one_with_blocks_is_not_marked(client: WebClient) -> None:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "in a block"}}
    ts = client.chat_postMessage(channel=GENERAL, text="fallback", blocks=[block])["ts"]
    updated = client.chat_update(channel=GENERAL, ts=ts, blocks=[block], text="fallback 2")["message"]
    assert updated["blocks"][0]["type"] == "section"
    assert "edited" not in updated
    updated = client.chat_update(channel=GENERAL, ts=ts, text="only text")["message"]
    assert updated["blocks"][0]["type"] == "rich_text"
    assert updated["edited"]["user"] == BOT


def test_a_broadcast_reply_stands_in_the_channel_too(client: WebClient) -> None:
    root = client.chat_postMessage(channel=GENERAL, text="root")["ts"]
    client.chat_postMessage(channel=GENERAL, text="quiet", thread_ts=root)
    loud = client.chat_postMessage(channel=GENERAL, text="loud", thread_ts=root, reply_broadcast=True)["ts"]
    history = client.conversations_history(channel=GENERAL)["messages"]
    assert [m["ts"] for m in history] == [loud, root]
    assert history[0]["subtype"] == "thread_broadcast"


def test_writing_to_public_channels_needs_its_own_scope(
    client: WebClient, slack_sandbox: SlackSandbox
) -> None:
    slack_sandbox.put("scopes", token=BOT_TOKEN, scopes=["chat:write", "chat:write.public"])
    assert client.chat_postMessage(channel=RANDOM, text="x")["ok"]


def test_threads_count_their_replies(client: WebClient) -> None:
    root = client.chat_postMessage(channel=GENERAL, text="root")["ts"]
    replies = [client.chat_postMessage(channel=GENERAL, text=t, thread_ts=root)["ts"] for t in "ab"]
    assert [m["ts"] for m in client.conversations_replies(channel=GENERAL, ts=root)["messages"]] == [
        root,
        *replies,
    ]
    (shown,) = client.conversations_history(channel=GENERAL)["messages"]
    assert (shown["reply_count"], shown["latest_reply"], shown["reply_users"]) == (2, replies[1], [BOT])
    assert error_of(client.conversations_replies, channel=GENERAL, ts="1.000000") == "thread_not_found"


def test_ephemerals_are_in_no_history(client: WebClient, slack_sandbox: SlackSandbox) -> None:
    ts = client.chat_postEphemeral(channel=GENERAL, user=ADA, text="psst")["message_ts"]
    assert client.conversations_history(channel=GENERAL)["messages"] == []
    assert error_of(client.chat_update, channel=GENERAL, ts=ts, text="x") == "message_not_found"
    assert [m["visible_to"] for m in slack_sandbox.state()["messages"]] == [ADA]


def test_users_guests_and_outsiders(client: WebClient) -> None:
    assert client.users_lookupByEmail(email="ADA@example.com")["user"]["id"] == ADA
    assert error_of(client.users_lookupByEmail, email="eve@partner.example") == "users_not_found"
    assert error_of(client.users_info, user="U0NOBODY01") == "user_not_found"
    assert client.users_info(user=GUS)["user"]["is_restricted"] is True
    outsider = client.users_info(user=EVE)["user"]
    assert outsider["team_id"] != client.auth_test()["team_id"]
    assert "email" not in outsider["profile"]
    assert client.conversations_info(channel="C0PARTNER1")["channel"]["is_ext_shared"] is True
    (group,) = client.usergroups_list(include_users=True)["usergroups"]
    assert (group["handle"], group["users"]) == ("eng", [ADA, BEN])
    assert client.usergroups_users_list(usergroup=group["id"])["users"] == [ADA, BEN]


def test_opening_a_dm_twice_gives_the_same_one(client: WebClient) -> None:
    first = client.conversations_open(users=ADA)["channel"]["id"]
    again = client.conversations_open(users=[ADA])
    assert (again["channel"]["id"], again["already_open"]) == (first, True)
    assert client.chat_postMessage(channel=ADA, text="hello")["channel"] == first
    group = client.conversations_open(users=[ADA, BEN])["channel"]["id"]
    assert client.conversations_info(channel=group)["channel"]["is_mpim"] is True


def test_joining_lets_the_bot_read(client: WebClient) -> None:
    assert error_of(client.conversations_history, channel=RANDOM) == "not_in_channel"
    assert client.conversations_join(channel=RANDOM)["channel"]["is_member"] is True
    assert client.conversations_join(channel=RANDOM)["warning"] == "already_in_channel"
    assert client.conversations_history(channel=RANDOM)["messages"] == []


def test_a_stream_grows_and_stops(client: WebClient) -> None:
    team = client.auth_test()["team_id"]
    root = client.chat_postMessage(channel=GENERAL, text="question")["ts"]
    streamer = client.chat_stream(
        channel=GENERAL, thread_ts=root, recipient_user_id=ADA, recipient_team_id=team, buffer_size=1
    )
    streamer.append(markdown_text="**Yes**, ")
    streamer.append(markdown_text="on Monday.")
    done = streamer.stop()
    assert done["message"]["text"] == "**Yes**, on Monday."
    assert error_of(client.chat_appendStream, channel=GENERAL, ts=done["ts"], markdown_text="x") == (
        "message_not_in_streaming_state"
    )
    plain = {"channel": GENERAL, "thread_ts": root, "markdown_text": "x"}
    assert error_of(client.chat_startStream, **plain) == "missing_recipient_user_id"


def test_assistant_threads_keep_status_title_and_prompts(
    client: WebClient, slack_sandbox: SlackSandbox
) -> None:
    thread = slack_sandbox.act("assistant", user=ADA)
    at = {"channel_id": thread["channel"], "thread_ts": thread["thread_ts"]}
    client.assistant_threads_setStatus(status="is reading", **at)
    client.assistant_threads_setTitle(title="Launch", **at)
    client.assistant_threads_setSuggestedPrompts(prompts=[{"title": "When?", "message": "When is it?"}], **at)
    (kept,) = slack_sandbox.state()["threads"]
    assert (kept["status"], kept["title"], kept["prompts"][0]["title"]) == ("is reading", "Launch", "When?")
    assert error_of(client.assistant_threads_setStatus, channel_id=GENERAL, thread_ts="1.0", status="x") == (
        "invalid_thread_ts"
    )


def test_files_go_up_in_three_steps_and_down_with_the_token(
    client: WebClient, slack_sandbox: SlackSandbox
) -> None:
    body = b"WEBVTT\n\n00:00.000 --> 00:01.000\nhello\n"
    file = client.files_upload_v2(
        channel=GENERAL, filename="talk.vtt", content=body, initial_comment="the talk"
    )["file"]
    assert (file["size"], file["name"]) == (len(body), "talk.vtt")
    allowed = httpx.get(file["url_private_download"], headers={"Authorization": f"Bearer {BOT_TOKEN}"})
    assert allowed.content == body
    assert client.files_info(file=file["id"])["file"]["channels"] == [GENERAL]
    assert [f["id"] for f in client.files_list(channel=GENERAL)["files"]] == [file["id"]]
    client.files_delete(file=file["id"])
    assert error_of(client.files_info, file=file["id"]) == "file_not_found"


def test_an_upload_of_another_length_is_refused(client: WebClient) -> None:
    ticket = client.files_getUploadURLExternal(filename="a.txt", length=3)
    assert httpx.post(ticket["upload_url"], content=b"four").status_code == 400
    assert error_of(client.files_completeUploadExternal, files=[{"id": ticket["file_id"], "title": "a"}]) == (
        "file_not_found"
    )


def test_files_of_foreign_channels_are_hidden(client: WebClient, slack_sandbox: SlackSandbox) -> None:
    reply = slack_sandbox.http.post(
        f"{slack_sandbox.url}/_sandbox/upload",
        data={"user": ADA, "channel": RANDOM},
        files={"file": ("secret.txt", b"secret", "text/plain")},
    ).json()
    assert error_of(client.files_info, file=reply["file_id"]) == "file_not_found"
    path = f"/files-pri/T0SANDBOX1-{reply['file_id']}/secret.txt"
    headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
    assert httpx.get(slack_sandbox.url + path, headers=headers).status_code == 404


def test_reactions_come_and_go(client: WebClient) -> None:
    ts = client.chat_postMessage(channel=GENERAL, text="x")["ts"]
    client.reactions_add(channel=GENERAL, timestamp=ts, name="eyes")
    assert error_of(client.reactions_add, channel=GENERAL, timestamp=ts, name="eyes") == "already_reacted"
    shown = client.reactions_get(channel=GENERAL, timestamp=ts)["message"]["reactions"]
    assert shown == [{"name": "eyes", "users": [BOT], "count": 1}]
    client.reactions_remove(channel=GENERAL, timestamp=ts, name="eyes")
    assert error_of(client.reactions_remove, channel=GENERAL, timestamp=ts, name="eyes") == "no_reaction"


def test_installing_through_oauth_gives_a_working_token(slack_sandbox: SlackSandbox) -> None:
    slack_sandbox.act("uninstall")
    back = httpx.get(
        f"{slack_sandbox.url}/oauth/v2/authorize",
        params={"client_id": "1000.2000", "redirect_uri": "http://127.0.0.1:1/done", "state": "s1"},
    )
    query = httpx.URL(back.headers["location"]).params
    assert query["state"] == "s1"
    client = WebClient(base_url=f"{slack_sandbox.url}/api/")
    secrets = {"client_id": "1000.2000", "client_secret": "sandbox-client-secret"}
    reply = client.oauth_v2_access(code=query["code"], **secrets)
    assert slack_sandbox.client(reply["access_token"]).auth_test()["user_id"] == BOT
    assert error_of(client.oauth_v2_access, code=query["code"], **secrets) == "invalid_code"


JUNK = [
    None,
    True,
    7,
    -1,
    "x",
    "",
    "[",
    [],
    [1],
    ["x"],
    {},
    {"type": "modal"},
    {"type": []},
    [{"id": []}],
    [[]],
]
GOOD_ARGS = {"channel": GENERAL, "channel_id": GENERAL, "user": ADA, "user_id": ADA, "text": "x", "limit": 5}


@pytest.mark.parametrize("method", sorted(METHODS))
def test_junk_arguments_get_an_error_and_never_a_crash(slack_sandbox: SlackSandbox, method: str) -> None:
    token = APP_TOKEN if METHODS[method].token == "app" else BOT_TOKEN
    ts = slack_sandbox.client().chat_postMessage(channel=GENERAL, text="target")["ts"]
    good = {**GOOD_ARGS, "ts": ts, "timestamp": ts, "thread_ts": ts, "name": "eyes"}
    url, headers = f"{slack_sandbox.url}/api/{method}", {"Authorization": f"Bearer {token}"}
    source = inspect.getsource(sys.modules[METHODS[method].handler.__module__])
    read = set(re.findall(r'call\.(?:text|required|json|names|flag|number|stamp|channel)\("(\w+)"', source))
    for name in sorted(read | {"channel", "limit", "cursor"}):
        for junk in JUNK:
            reply = slack_sandbox.http.post(url, json={**good, name: junk}, headers=headers)
            assert reply.status_code == 200, (name, junk)
            assert reply.json()["ok"] or reply.json()["error"], (name, junk)
            if method == "auth.revoke":
                return
    assert slack_sandbox.http.get(f"{slack_sandbox.url}/_sandbox/look?user=ada").json()["ok"]
