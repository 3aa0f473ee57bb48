"""Socket Mode with slack-bolt's own SocketModeHandler."""

from collections.abc import Iterator
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackApiError

from tests.sandbox.slack_driving import ADA, APP_TOKEN, GENERAL, SlackSandbox, bolt_app, until


@pytest.fixture
def socket_app(slack_sandbox: SlackSandbox) -> Iterator[App]:
    app = bolt_app(slack_sandbox)
    handler = SocketModeHandler(app, APP_TOKEN)
    handler.connect()
    until(lambda: slack_sandbox.state()["sockets"] == 1, "the socket should open")
    yield app
    handler.close()
    until(lambda: slack_sandbox.state()["sockets"] == 0, "the socket should close")


def test_mention_command_and_button_over_a_socket(slack_sandbox: SlackSandbox, socket_app: App) -> None:
    clicked: list[dict[str, Any]] = []

    @socket_app.event("app_mention")
    def mention(event: dict[str, Any], say: Any) -> None:
        say(text="over the socket", thread_ts=event["ts"])

    @socket_app.event("message")
    def message() -> None:
        return

    @socket_app.command("/ask")
    def ask(ack: Any) -> None:
        button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
        ack(text="asked", blocks=[{"type": "actions", "elements": [button]}])

    @socket_app.action("go")
    def go(ack: Any, body: dict[str, Any]) -> None:
        ack()
        clicked.append(body)

    sent = slack_sandbox.act("message", user=ADA, channel=GENERAL, text="@imp hi")
    answer = slack_sandbox.wait(user=ADA, channel=GENERAL, after=sent["ts"])
    assert answer
    assert answer["text"] == "over the socket"
    reply = slack_sandbox.act("command", user=ADA, channel=GENERAL, command="/ask", text="x")
    shown = next(m for m in slack_sandbox.state()["messages"] if m["ts"] == reply["ts"])
    assert (shown["text"], shown["visible_to"]) == ("asked", ADA)
    slack_sandbox.act("click", user=ADA, ephemeral_id=reply["ts"], action_id="go")
    assert clicked[0]["container"]["is_ephemeral"] is True
    assert {a["via"] for d in slack_sandbox.state()["deliveries"] for a in d["attempts"]} == {"socket"}


def test_a_refresh_makes_the_app_come_again(slack_sandbox: SlackSandbox, socket_app: App) -> None:
    seen: list[str] = []

    @socket_app.event("app_mention")
    def mention(event: dict[str, Any]) -> None:
        seen.append(event["text"])

    @socket_app.event("message")
    def message() -> None:
        return

    assert slack_sandbox.act("socket_refresh")["n_closed"] == 1
    until(lambda: slack_sandbox.state()["sockets"] == 1, "the app should reconnect", 20)
    slack_sandbox.act("message", user=ADA, channel=GENERAL, text="@imp again")
    until(lambda: seen, "the new socket should carry events")


def test_only_an_app_token_opens_a_connection(slack_sandbox: SlackSandbox) -> None:
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        slack_sandbox.client().apps_connections_open(app_token="xoxb-sandbox")
    url = slack_sandbox.client().apps_connections_open(app_token=APP_TOKEN)["url"]
    assert url.startswith("ws://127.0.0.1:")
