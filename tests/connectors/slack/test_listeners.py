"""The listeners' threads: one slow surface must not keep the others from being acknowledged."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore
from typing import Any
from urllib.parse import urlencode

from slack_bolt import BoltRequest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from connectors.slack.inbox import Asked, Clicked
from connectors.slack.listeners.app import make_bolt
from connectors.slack.posting import LOOKING

SECRET = "secret"


class SlowClicks:
    """An inbox whose clicks wait until they may go on; everything else is taken at once."""

    def __init__(self) -> None:
        self.go_on, self.waiting = Event(), Semaphore(0)

    def ask(self, asked: Asked) -> str | None:
        return None

    def click(self, clicked: Clicked) -> str | None:
        self.waiting.release()
        self.go_on.wait(30)
        return None


def request(body: dict[str, Any]) -> BoltRequest:
    raw, now = urlencode(body), str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=now, body=raw)
    headers = {
        "content-type": "application/x-www-form-urlencoded", "x-slack-request-timestamp": now,
        "x-slack-signature": str(signature),
    }  # fmt: skip
    return BoltRequest(body=raw, headers={name: [value] for name, value in headers.items()})


def test_commands_are_acknowledged_while_clicks_hang() -> None:
    inbox: Any = SlowClicks()
    app = make_bolt(WebClient(token="xoxb-one"), SECRET, inbox, inbox)
    click = {
        "type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U1"}, "trigger_id": "1",
        "actions": [{"type": "button", "action_id": "feedback_up", "block_id": "b", "value": "1"}],
    }  # fmt: skip
    command = {
        "command": "/ask",
        "text": "Who?",
        "user_id": "U1",
        "channel_id": "C1",
        "trigger_id": "2",
        "team_id": "T1",
    }
    with ThreadPoolExecutor(10) as clickers:
        clicks = [clickers.submit(app.dispatch, request({"payload": json.dumps(click)})) for _ in range(10)]
        try:
            assert all(inbox.waiting.acquire(timeout=10) for _ in clicks), "clicks wait for each other"
            reply = app.dispatch(request(command))
        finally:
            inbox.go_on.set()
        assert reply.status == 200 and json.loads(reply.body)["text"] == LOOKING
        assert {one.result().status for one in clicks} == {200}
