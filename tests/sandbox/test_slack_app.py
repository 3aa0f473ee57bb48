"""An unmodified slack-bolt app over HTTP: mentions, commands, buttons, modals, home, assistant, files."""

import time
from typing import Any

import httpx
import pytest
from slack_bolt import App
from slack_sdk.errors import SlackApiError

from tests.sandbox.slack_driving import ADA, BEN, BOT, GENERAL, PROJECT, RANDOM, SlackSandbox, until


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def buttons(*action_ids: str) -> dict[str, Any]:
    elements = [
        {
            "type": "button",
            "action_id": a,
            "value": f"value of {a}",
            "text": {"type": "plain_text", "text": a},
        }
        for a in action_ids
    ]
    return {"type": "actions", "block_id": "row", "elements": elements}


def test_a_mention_arrives_as_mention_and_message_and_is_answered_in_the_thread(
    slack_sandbox: SlackSandbox, slack_bolt: App
) -> None:
    seen: list[tuple[str, dict[str, Any]]] = []

    @slack_bolt.event("app_mention")
    def mention(event: dict[str, Any], say: Any) -> None:
        seen.append(("app_mention", event))
        say(text="Here I am", thread_ts=event["ts"])

    @slack_bolt.event("message")
    def message(event: dict[str, Any]) -> None:
        seen.append(("message", event))

    sent = slack_sandbox.act("message", user="ada", channel="#general", text="@imp hello")
    answer = slack_sandbox.wait(user=ADA, channel=GENERAL, after=sent["ts"])
    assert answer
    assert answer["text"] == "Here I am"
    assert answer["thread_ts"] == sent["ts"]
    assert answer["bot_id"]
    until(lambda: {k for k, _ in seen} == {"app_mention", "message"}, "both events should come")
    for _, event in seen:
        assert event["text"] == f"<@{BOT}> hello"
        assert event["user"] == ADA
        assert event["ts"] == sent["ts"]
    assert {e.get("channel_type") for k, e in seen if k == "message"} == {"channel"}


def test_no_event_comes_from_a_channel_without_the_bot(slack_sandbox: SlackSandbox, slack_bolt: App) -> None:
    slack_sandbox.act("message", user=ADA, channel=RANDOM, text="@imp are you there?")
    assert slack_sandbox.state()["deliveries"] == []


def test_a_command_reply_is_ephemeral_and_response_url_works_five_times(
    slack_sandbox: SlackSandbox, slack_bolt: App
) -> None:
    bodies: list[dict[str, Any]] = []

    @slack_bolt.command("/ask")
    def ask(ack: Any, body: dict[str, Any]) -> None:
        bodies.append(body)
        ack("Looking …")

    reply = slack_sandbox.act("command", user=ADA, channel=GENERAL, command="/ask", text="what & why? ä=1")
    assert bodies[0]["text"] == "what & why? ä=1"
    assert bodies[0]["user_id"] == ADA
    assert bodies[0]["channel_name"] == "general"
    shown = next(m for m in slack_sandbox.state()["messages"] if m["ts"] == reply["ts"])
    assert shown["visible_to"] == ADA
    assert shown["text"] == "Looking …"
    assert slack_sandbox.wait(user=BEN, channel=GENERAL, after=0, timeout_s=0.1) is None
    answers = [httpx.post(reply["response_url"], json={"text": f"n{i}"}) for i in range(6)]
    assert [a.status_code for a in answers] == [200] * 5 + [404]
    assert answers[5].json() == {"ok": False, "error": "used_url"}


def test_a_silent_command_is_told_as_timeout(slack_sandbox: SlackSandbox, slack_bolt: App) -> None:
    slack_sandbox.put("settings", ack_timeout_s=0.3)

    @slack_bolt.command("/ask")
    def ask(ack: Any) -> None:
        time.sleep(0.8)
        ack()

    reply = slack_sandbox.act("command", ok=False, user=ADA, channel=GENERAL, command="/ask", text="x")
    assert reply["error"] == "operation_timeout"
    told = slack_sandbox.wait(user=ADA, channel=GENERAL, after=0)
    assert told
    assert told["visible_to"] == ADA
    assert "operation_timeout" in told["text"]


def test_a_button_replaces_and_deletes_its_message(slack_sandbox: SlackSandbox, slack_bolt: App) -> None:
    actions: list[dict[str, Any]] = []

    @slack_bolt.action("keep")
    def keep(ack: Any, body: dict[str, Any], respond: Any) -> None:
        ack()
        actions.append(body)
        respond(replace_original=True, text="Kept", blocks=[section("Kept"), buttons("drop")])

    @slack_bolt.action("drop")
    def drop(ack: Any, respond: Any) -> None:
        ack()
        respond(delete_original=True)

    client = slack_sandbox.client()
    ts = client.chat_postMessage(channel=GENERAL, text="Keep?", blocks=[section("Keep?"), buttons("keep")])[
        "ts"
    ]
    slack_sandbox.act("click", user=ADA, channel=GENERAL, ts=ts, action_id="keep")

    def text() -> str:
        found = [
            m["text"] for m in client.conversations_history(channel=GENERAL)["messages"] if m["ts"] == ts
        ]
        return found[0] if found else "gone"

    until(lambda: text() == "Kept", "the button should replace the message")
    assert actions[0]["actions"][0]["value"] == "value of keep"
    assert actions[0]["message"]["ts"] == ts
    assert actions[0]["container"]["is_ephemeral"] is False
    slack_sandbox.act("click", user=ADA, channel=GENERAL, ts=ts, action_id="drop")
    until(lambda: text() == "gone", "the button should delete the message")


def test_an_ephemeral_button_reaches_only_its_reader(slack_sandbox: SlackSandbox, slack_bolt: App) -> None:
    @slack_bolt.action("share")
    def share(ack: Any, respond: Any) -> None:
        ack()
        respond(response_type="in_channel", replace_original=False, text="Shared")

    ts = slack_sandbox.client().chat_postEphemeral(
        channel=GENERAL, user=ADA, text="Only you", blocks=[section("Only you"), buttons("share")]
    )["message_ts"]
    assert slack_sandbox.act("click", ok=False, user=BEN, ephemeral_id=ts, action_id="share")
    slack_sandbox.act("click", user=ADA, ephemeral_id=ts, action_id="share")
    shared = slack_sandbox.wait(user=BEN, channel=GENERAL, after=ts)
    assert shared
    assert shared["text"] == "Shared"
    assert shared["visible_to"] is None


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    title = {"type": "plain_text", "text": "Edit"}
    submit = {"type": "plain_text", "text": "Save"}
    view = {"type": "modal", "callback_id": "edit", "title": title, "submit": submit, "blocks": list(blocks)}
    return view | more


def text_input(block_id: str) -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": "text", "initial_value": "old"}
    label = {"type": "plain_text", "text": block_id}
    return {"type": "input", "block_id": block_id, "label": label, "element": element}


def test_a_modal_opens_refuses_updates_and_closes(slack_sandbox: SlackSandbox, slack_bolt: App) -> None:
    values: list[Any] = []

    @slack_bolt.command("/edit")
    def edit(ack: Any, body: dict[str, Any], client: Any) -> None:
        ack()
        client.views_open(
            trigger_id=body["trigger_id"], view=modal(text_input("title"), private_metadata="m1")
        )

    @slack_bolt.view("edit")
    def save(ack: Any, view: dict[str, Any]) -> None:
        title = view["state"]["values"]["title"]["text"]["value"]
        values.append((title, view["private_metadata"]))
        if title == "bad":
            ack(response_action="errors", errors={"title": "Not this one"})
        else:
            ack()

    sent = slack_sandbox.act("command", user=ADA, channel=GENERAL, command="/edit")
    until(lambda: slack_sandbox.state()["open_modals"].get(ADA), "the modal should open")
    empty = slack_sandbox.act("submit_view", ok=False, user=ADA, values={"title": {"text": ""}})
    assert empty["error"] == "input_required"
    refused = slack_sandbox.act("submit_view", user=ADA, values={"title": {"text": "bad"}})
    assert refused["errors"] == {"title": "Not this one"}
    assert slack_sandbox.act("submit_view", user=ADA, values={"title": {"text": "good"}})["closed"] is True
    assert slack_sandbox.state()["open_modals"][ADA] == []
    assert values == [("bad", "m1"), ("good", "m1")]
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        slack_sandbox.client().views_open(trigger_id=sent["trigger_id"], view=modal(section("x")))


def test_home_assistant_join_and_files_are_told(slack_sandbox: SlackSandbox, slack_bolt: App) -> None:
    seen: dict[str, dict[str, Any]] = {}
    for name in (
        "app_home_opened",
        "assistant_thread_started",
        "assistant_thread_context_changed",
        "member_joined_channel",
        "file_shared",
        "reaction_added",
        "message",
    ):

        @slack_bolt.event(name)
        def note(event: dict[str, Any]) -> None:
            seen[event["type"] + (":" + event["subtype"] if event.get("subtype") else "")] = event

    slack_sandbox.act("home", user=ADA)
    started = slack_sandbox.act("assistant", user=ADA, context_channel=PROJECT)
    slack_sandbox.act("assistant", user=ADA, context_channel=GENERAL, thread_ts=started["thread_ts"])
    slack_sandbox.act("membership", user=ADA, channel=RANDOM, act="invite_bot")
    upload = slack_sandbox.http.post(
        f"{slack_sandbox.url}/_sandbox/upload",
        data={"user": "ada", "channel": "#project-x", "text": "the recording"},
        files={"file": ("talk.wav", b"RIFF....", "audio/wav")},
    ).json()
    slack_sandbox.act("reaction", user=BEN, channel=PROJECT, ts=upload["ts"], name="eyes")
    wanted = {
        "app_home_opened",
        "assistant_thread_started",
        "assistant_thread_context_changed",
        "member_joined_channel",
        "file_shared",
        "reaction_added",
        "message:file_share",
    }
    until(lambda: wanted <= set(seen), "every event should come")
    assert seen["app_home_opened"]["tab"] == "home"
    assert seen["assistant_thread_started"]["assistant_thread"]["context"]["channel_id"] == PROJECT
    assert seen["member_joined_channel"]["user"] == BOT
    assert seen["reaction_added"]["item"] == {"type": "message", "channel": PROJECT, "ts": upload["ts"]}
    assert seen["file_shared"]["file_id"] == upload["file_id"]
    file = seen["message:file_share"]["files"][0]
    plain = httpx.get(file["url_private"])
    assert plain.headers["content-type"].startswith("text/html")
    allowed = httpx.get(file["url_private"], headers={"Authorization": "Bearer xoxb-sandbox"})
    assert allowed.content == b"RIFF...."


def test_url_verification_is_answered(slack_sandbox: SlackSandbox, slack_bolt: App) -> None:
    assert slack_sandbox.act("verify_url") == {"ok": True}


def test_uninstalling_tells_the_app_and_kills_the_token(slack_sandbox: SlackSandbox, slack_bolt: App) -> None:
    slack_sandbox.act("uninstall")
    until(lambda: slack_sandbox.deliveries("app_uninstalled"), "the app should hear of it")
    assert slack_sandbox.deliveries("tokens_revoked")
    reply = httpx.post(f"{slack_sandbox.url}/api/auth.test", headers={"Authorization": "Bearer xoxb-sandbox"})
    assert reply.json() == {"ok": False, "error": "account_inactive"}
