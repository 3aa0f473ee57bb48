"""Replies, events and interactions against Slack's own samples: nothing invented, nothing real missing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import App
from slack_sdk import WebClient

from tests.sandbox.slack_driving import ADA, BOT, EVE, GENERAL, SlackSandbox, until

Json = dict[str, Any]
ALWAYS_EXTRA = {"warning", "response_metadata"}
NOT_OURS = {
    "properties",
    "lob_sales_home_enabled",
    "is_sfdc_auto_slack",
    "reactions",
    "pinned_to",
    "pinned_info",
    "fields",
    "always_active",
    "status_text_canonical",
    "status_emoji_display_info",
    "edited",
    "subtype",
    "inviter",
    "purpose",
    "topic",
    "name",
    "has_draft",
}


def read(path: Path) -> Any:
    if not path.is_file():
        pytest.skip(f"{path.name} is not in the shared material")
    return json.loads(path.read_text(encoding="utf-8"))


def unlike(ours: Any, theirs: Any, at: str = "") -> list[str]:
    """Where a key of `theirs` is missing in `ours` or has another type; lists compare their first items."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        missing = [f"{at}/{k} missing" for k in theirs if k not in ours and k not in NOT_OURS]
        shared = [k for k in theirs if k in ours]
        return missing + [line for k in shared for line in unlike(ours[k], theirs[k], f"{at}/{k}")]
    if isinstance(theirs, list) and isinstance(ours, list):
        return unlike(ours[0], theirs[0], f"{at}[0]") if ours and theirs else []
    same = isinstance(ours, type(theirs)) or ours is None or theirs is None
    return [] if same else [f"{at} is {type(ours).__name__}, not {type(theirs).__name__}"]


def recorded(slack_data: Path, name: str) -> Json:
    exchange = read(slack_data / "recorded" / f"{name}.json")[0]
    return {k: v for k, v in exchange["response"].items() if k not in ALWAYS_EXTRA}


def posted(client: WebClient) -> str:
    return str(client.chat_postMessage(channel=GENERAL, text="Hello")["ts"])


RECORDED: dict[str, Callable[[WebClient], Any]] = {
    "post-message": lambda c: c.chat_postMessage(channel=GENERAL, text="Hello"),
    "get-user-info": lambda c: c.users_info(user="USLACKBOT"),
    "list-users": lambda c: c.users_list(limit=200),
    "get-team-info": lambda c: c.team_info(),
    "get-channel-members": lambda c: c.conversations_members(channel=GENERAL),
    "get-message-permalink": lambda c: c.chat_getPermalink(channel=GENERAL, message_ts=posted(c)),
    "add-reaction": lambda c: c.reactions_add(channel=GENERAL, timestamp=posted(c), name="fire"),
    "channels": lambda c: c.conversations_list(types="public_channel"),
    "list-user-groups": lambda c: c.usergroups_list(),
    "get-conversation-history": lambda c: posted(c) and c.conversations_history(channel=GENERAL, limit=10),
    "delete-message": lambda c: c.chat_delete(channel=GENERAL, ts=posted(c)),
}


@pytest.mark.parametrize("name", RECORDED)
def test_replies_hold_what_a_real_workspace_answered(
    slack_sandbox: SlackSandbox, slack_data: Path, name: str
) -> None:
    reply = RECORDED[name](slack_sandbox.client()).data
    assert unlike(reply, recorded(slack_data, name)) == []


def home(c: WebClient) -> Any:
    return c.views_publish(user_id=ADA, view={"type": "home", "blocks": [{"type": "divider"}]})


def file(c: WebClient) -> str:
    return str(c.files_upload_v2(channel=GENERAL, filename="a.txt", content=b"hello")["file"]["id"])


SAMPLED: dict[str, Callable[[WebClient], Any]] = {
    "auth.test": lambda c: c.auth_test(),
    "chat.postMessage": lambda c: c.chat_postMessage(channel=GENERAL, text="Hello"),
    "chat.postEphemeral": lambda c: c.chat_postEphemeral(channel=GENERAL, user=ADA, text="x"),
    "chat.update": lambda c: c.chat_update(channel=GENERAL, ts=posted(c), text="y"),
    "chat.delete": lambda c: c.chat_delete(channel=GENERAL, ts=posted(c)),
    "conversations.open": lambda c: c.conversations_open(users=ADA, return_im=True),
    "conversations.list": lambda c: c.conversations_list(),
    "conversations.info": lambda c: c.conversations_info(channel=GENERAL, include_num_members=True),
    "conversations.join": lambda c: c.conversations_join(channel="C0RANDOM01"),
    "conversations.history": lambda c: posted(c) and c.conversations_history(channel=GENERAL),
    "conversations.replies": lambda c: c.conversations_replies(channel=GENERAL, ts=posted(c)),
    "users.info": lambda c: c.users_info(user=EVE),
    "users.list": lambda c: c.users_list(),
    "users.lookupByEmail": lambda c: c.users_lookupByEmail(email="ada@example.com"),
    "usergroups.users.list": lambda c: c.usergroups_users_list(usergroup="S0GROUP0000"),
    "views.publish": home,
    "files.getUploadURLExternal": lambda c: c.files_getUploadURLExternal(filename="a", length=1),
    "files.info": lambda c: c.files_info(file=file(c)),
    "files.list": lambda c: file(c) and c.files_list(),
    "reactions.add": lambda c: c.reactions_add(channel=GENERAL, timestamp=posted(c), name="fire"),
}
# Documented for these objects, though the samples of these methods leave them out.
LATER_THAN_SAMPLES = {"bot_profile/user_id", "/parent_conversation", "/is_user_deleted", "/is_stranger"}


def invented(ours: Any, sample: Any, at: str = "") -> list[str]:
    """Keys of ours that Slack's sample, which lists every field that may occur, does not know."""
    if isinstance(ours, dict) and isinstance(sample, dict) and sample:
        found = []
        for key, value in ours.items():
            here = f"{at}/{key}"
            if key not in sample:
                known = key[:1].isupper() or any(here.endswith(extra) for extra in LATER_THAN_SAMPLES)
                found += [] if known else [here]
            else:
                found += invented(value, sample[key], here)
        return found
    if isinstance(ours, list) and isinstance(sample, list) and sample and at.rpartition("/")[2] != "blocks":
        return [line for item in ours for line in invented(item, sample[0], at)]
    return []


@pytest.mark.parametrize("name", SAMPLED)
def test_replies_invent_no_field(slack_sandbox: SlackSandbox, slack_data: Path, name: str) -> None:
    sample = read(slack_data / "samples" / "api" / f"{name}.json")
    reply = SAMPLED[name](slack_sandbox.client()).data
    assert invented({k: v for k, v in reply.items() if k not in ALWAYS_EXTRA}, sample) == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/auth.test", "auth.test"),
        ("/chat.postMessage", "chat.postMessage"),
        ("/chat.update", "chat.update"),
        ("/conversations.history", "conversations.history"),
        ("/conversations.info", "conversations.info"),
        ("/conversations.list", "conversations.list"),
        ("/conversations.replies", "conversations.replies"),
        ("/files.info", "files.info"),
        ("/files.list", "files.list"),
        ("/users.info", "users.info"),
        ("/users.list", "users.list"),
    ],
)
def test_replies_hold_what_the_specification_requires(
    slack_sandbox: SlackSandbox, slack_data: Path, path: str, name: str
) -> None:
    spec = read(slack_data / "spec" / "slack_web_openapi_v2.json")
    operation = next(iter(spec["paths"][path].values()))
    schema = operation["responses"]["200"]["schema"]
    required = schema.get("required") or []
    assert set(required) <= set(SAMPLED[name](slack_sandbox.client()).data)


def delivered(sandbox: SlackSandbox, name: str) -> Json:
    found = until(lambda: sandbox.deliveries(name), f"{name} should be sent")
    return dict(found[0]["payload"])


def test_a_mention_looks_like_the_sdk_sample(
    slack_sandbox: SlackSandbox, slack_bolt: App, slack_data: Path
) -> None:
    slack_sandbox.act("message", user=ADA, channel=GENERAL, text="@imp hey")
    sample = read(slack_data / "payloads" / "events_api.1.json")["payload"]
    ours = delivered(slack_sandbox, "app_mention")
    assert unlike(ours, sample) == []
    parts = ours["event"]["blocks"][0]["elements"][0]["elements"]
    assert parts == [{"type": "user", "user_id": BOT}, {"type": "text", "text": " hey"}]


@pytest.mark.parametrize(
    ("name", "act", "body"),
    [
        ("assistant_thread_started", "assistant", {"user": ADA, "context_channel": GENERAL}),
        ("member_joined_channel", "membership", {"user": ADA, "channel": "C0RANDOM01", "act": "invite_bot"}),
    ],
)
def test_events_look_like_their_samples(
    slack_sandbox: SlackSandbox, slack_bolt: App, slack_data: Path, name: str, act: str, body: Json
) -> None:
    slack_sandbox.act(act, **body)
    sample = read(slack_data / "payloads" / f"{name}.1.json")
    assert unlike(delivered(slack_sandbox, name)["event"], sample) == []


@pytest.mark.parametrize("name", ["tokens_revoked", "app_uninstalled"])
def test_goodbyes_look_like_their_samples(
    slack_sandbox: SlackSandbox, slack_bolt: App, slack_data: Path, name: str
) -> None:
    slack_sandbox.act("uninstall")
    sample = read(slack_data / "payloads" / f"event_callback.{name}.1.json")
    sample.pop("enterprise_id")
    assert unlike(delivered(slack_sandbox, name), sample) == []


def test_interactions_look_like_their_samples(
    slack_sandbox: SlackSandbox, slack_bolt: App, slack_data: Path
) -> None:
    @slack_bolt.action("a")
    def press(ack: Any, body: Json, client: WebClient) -> None:
        ack()
        label = {"type": "plain_text", "text": "Label"}
        element = {"type": "plain_text_input", "action_id": "x"}
        view = {
            "type": "modal",
            "callback_id": "v",
            "notify_on_close": True,
            "title": label,
            "submit": label,
            "blocks": [{"type": "input", "block_id": "b", "label": label, "element": element}],
        }
        client.views_open(trigger_id=body["trigger_id"], view=view)

    @slack_bolt.view("v")
    def save(ack: Any) -> None:
        ack(response_action="errors", errors={"b": "no"})

    @slack_bolt.view_closed("v")
    def closed(ack: Any) -> None:
        ack()

    @slack_bolt.shortcut("chirp")
    def chirp(ack: Any) -> None:
        ack()

    button = {"type": "button", "action_id": "a", "value": "v", "text": {"type": "plain_text", "text": "Go"}}
    client = slack_sandbox.client()
    blocks = [{"type": "actions", "elements": [button]}]
    ts = client.chat_postMessage(channel=GENERAL, text="x", blocks=blocks)["ts"]
    slack_sandbox.act("click", user=ADA, channel=GENERAL, ts=ts, action_id="a")
    until(lambda: slack_sandbox.state()["open_modals"].get(ADA), "the modal should open")
    slack_sandbox.act("submit_view", user=ADA, values={"b": {"x": "text"}})
    slack_sandbox.act("close_view", user=ADA)
    slack_sandbox.act("shortcut", user=ADA, callback_id="chirp")
    slack_sandbox.act("shortcut", user=ADA, callback_id="chirp", channel=GENERAL, ts=ts)
    payloads = slack_data / "payloads"
    clicked = delivered(slack_sandbox, "block_actions")
    assert unlike(clicked, read(payloads / "interactive.1.json")["payload"]) == []
    for name in ("view_submission", "view_closed", "shortcut", "message_action"):
        sample = read(payloads / f"{name}.1.json")
        sample.get("view", {}).pop("state", None)
        assert unlike(delivered(slack_sandbox, name), sample) == [], name
    held = delivered(slack_sandbox, "view_submission")["view"]["state"]["values"]
    assert held == {"b": {"x": {"type": "plain_text_input", "value": "text"}}}
