"""How requests reach the app: signatures, retries, limits, faults, expiry."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.signature import SignatureVerifier

from sandbox.slack.signing import signature
from tests.sandbox.slack_driving import ADA, GENERAL, SECRET, SlackSandbox, until


@dataclass
class Receiver:
    """A bare HTTP server that keeps what it is sent and answers as told."""

    url: str
    answer: Callable[[int], int] = field(default=lambda n: 200)
    headers: dict[str, str] = field(default_factory=dict)
    received: list[tuple[dict[str, str], str]] = field(default_factory=list)


@pytest.fixture
def receiver(slack_sandbox: SlackSandbox) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            box.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
            try:
                self.send_response(box.answer(len(box.received)))
                for name, value in box.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except BrokenPipeError:
                return

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    box = Receiver(f"http://127.0.0.1:{server.server_port}/")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    slack_sandbox.put("settings", events_url=box.url, commands_url=box.url)
    yield box
    server.shutdown()
    server.server_close()


def test_the_published_vector_is_signed_the_same(slack_data: Path) -> None:
    vector = json.loads((slack_data / "signature" / "vector.json").read_text())
    ours = signature(vector["signing_secret"], vector["timestamp"], vector["body"])
    assert ours.startswith(vector["expected_x_slack_signature"])
    assert (
        SignatureVerifier(vector["signing_secret"]).generate_signature(
            timestamp=vector["timestamp"], body=vector["body"]
        )
        == ours
    )


def test_every_kind_of_request_is_signed(slack_sandbox: SlackSandbox, receiver: Receiver) -> None:
    slack_sandbox.act("message", user=ADA, channel=GENERAL, text="grüße & <@U0IMP00001>")
    slack_sandbox.act("command", user=ADA, channel=GENERAL, command="/ask", text="was läuft?")
    slack_sandbox.act("shortcut", user=ADA, callback_id="remember")
    until(lambda: len(receiver.received) >= 4, "mention, message, command and shortcut should come")
    verifier = SignatureVerifier(SECRET)
    for headers, body in receiver.received:
        assert verifier.is_valid_request(body, headers)
        assert not verifier.is_valid_request(body + " ", headers)
    kinds = {h["content-type"] for h, _ in receiver.received}
    assert kinds == {"application/json", "application/x-www-form-urlencoded"}


def test_an_event_is_tried_again_with_number_and_reason(
    slack_sandbox: SlackSandbox, receiver: Receiver
) -> None:
    receiver.answer = lambda n: 500 if n < 3 else 200
    slack_sandbox.act("event", type="team_join", user={"id": ADA})
    until(lambda: len(receiver.received) == 3, "two retries should come")
    numbers = [h.get("x-slack-retry-num") for h, _ in receiver.received]
    assert numbers == [None, "1", "2"]
    assert {h.get("x-slack-retry-reason") for h, _ in receiver.received} == {None, "http_error"}
    assert len({json.loads(b)["event_id"] for _, b in receiver.received}) == 1


def test_a_slow_app_is_retried_as_timeout_and_given_up(
    slack_sandbox: SlackSandbox, receiver: Receiver
) -> None:
    slack_sandbox.put("settings", ack_timeout_s=0.15)

    def slow(n: int) -> int:
        time.sleep(0.4)
        return 200

    receiver.answer = slow
    slack_sandbox.act("event", type="team_join")
    until(lambda: len(receiver.received) == 4, "three retries should come")
    assert receiver.received[-1][0]["x-slack-retry-reason"] == "http_timeout"
    time.sleep(0.4)
    (delivery,) = slack_sandbox.deliveries("team_join")
    assert delivery["done"] is False
    assert len(delivery["attempts"]) == 4


def test_an_app_may_decline_retries(slack_sandbox: SlackSandbox, receiver: Receiver) -> None:
    receiver.answer = lambda n: 500
    receiver.headers = {"X-Slack-No-Retry": "1"}
    slack_sandbox.act("event", type="team_join")
    until(lambda: receiver.received, "one try should come")
    time.sleep(0.4)
    assert len(receiver.received) == 1


def test_a_command_carries_what_slack_sends(
    slack_sandbox: SlackSandbox, receiver: Receiver, slack_data: Path
) -> None:
    slack_sandbox.act("command", user=ADA, channel=GENERAL, command="/ask", text="")
    fields = parse_qs(receiver.received[0][1], keep_blank_values=True)
    sample = json.loads(
        (slack_data / "samples/app-backend/slash-commands/SlashCommandPayload.json").read_text()
    )
    assert set(sample) - set(fields) == {"enterprise_id", "enterprise_name"}
    assert set(fields) <= set(sample)
    assert fields["text"] == [""]


def test_nobody_at_home_is_told_to_the_person(slack_sandbox: SlackSandbox) -> None:
    slack_sandbox.put("settings", commands_url="http://127.0.0.1:9/")
    reply = slack_sandbox.act("command", ok=False, user=ADA, channel=GENERAL, command="/ask", text="x")
    assert (reply["error"], reply["reason"]) == ("dispatch_failed", "connection_failed")


def test_an_expired_trigger_opens_nothing(slack_sandbox: SlackSandbox, receiver: Receiver) -> None:
    slack_sandbox.put("settings", trigger_ttl_s=0.0)
    slack_sandbox.act("reset")
    trigger = slack_sandbox.act("command", user=ADA, channel=GENERAL, command="/ask")["trigger_id"]
    modal = {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": []}
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        slack_sandbox.client().views_open(trigger_id=trigger, view=modal)


def test_rate_limits_answer_429_and_the_sdk_waits(slack_sandbox: SlackSandbox) -> None:
    slack_sandbox.put("rate_limits", enabled=True)
    client = slack_sandbox.client()
    client.chat_postMessage(channel=GENERAL, text="one")
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=GENERAL, text="two")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["retry-after"] == "1"
    patient = slack_sandbox.client(retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=2)])
    assert patient.chat_postMessage(channel=GENERAL, text="two")["ok"]
    slack_sandbox.put("rate_limits", enabled=True, overrides={"users.list": 2})
    assert [httpx_status(slack_sandbox, "users.list") for _ in range(3)] == [200, 200, 429]
    slack_sandbox.put("rate_limits", enabled=False)
    assert httpx_status(slack_sandbox, "users.list") == 200


def httpx_status(sandbox: SlackSandbox, method: str) -> int:
    headers = {"Authorization": "Bearer xoxb-sandbox"}
    return httpx.post(f"{sandbox.url}/api/{method}", headers=headers).status_code


def test_faults_break_only_what_their_rule_names(slack_sandbox: SlackSandbox) -> None:
    rules = [
        {"method": "users\\..*", "kind": "rate_limit", "retry_after_s": 7, "count": 1},
        {"method": "users\\..*", "kind": "server_error", "status": 502, "count": 1},
        {"method": "users\\..*", "kind": "malformed", "count": 1},
        {"method": "users\\..*", "kind": "cut", "count": 1},
        {"method": "users\\..*", "kind": "error", "error": "internal_error", "count": 1},
        {"method": "users\\..*", "kind": "slow", "delay_s": 0.3, "count": 1},
    ]
    slack_sandbox.put("faults", rules=rules)
    url, headers = f"{slack_sandbox.url}/api/users.list", {"Authorization": "Bearer xoxb-sandbox"}
    assert httpx.post(f"{slack_sandbox.url}/api/auth.test", headers=headers).json()["ok"]
    limited = httpx.post(url, headers=headers)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    assert httpx.post(url, headers=headers).status_code == 502
    with pytest.raises(ValueError):
        httpx.post(url, headers=headers).json()
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(url, headers=headers)
    assert httpx.post(url, headers=headers).json() == {"ok": False, "error": "internal_error"}
    started = time.monotonic()
    assert httpx.post(url, headers=headers).json()["ok"]
    assert time.monotonic() - started >= 0.3
    assert httpx.post(url, headers=headers).json()["ok"]


@pytest.mark.parametrize(
    "rule",
    [
        {"method": "(", "kind": "slow"},
        {"method": ".*", "kind": "boom"},
        {"kind": "slow"},
        {"method": ".*", "kind": "slow", "probability": 2},
    ],
)
def test_a_bad_fault_rule_is_refused(slack_sandbox: SlackSandbox, rule: dict[str, Any]) -> None:
    reply = slack_sandbox.http.put(f"{slack_sandbox.url}/_sandbox/faults", json={"rules": [rule]})
    assert reply.status_code == 400
    assert "rule 0" in reply.json()["detail"]


def test_probability_breaks_some_and_not_others(slack_sandbox: SlackSandbox) -> None:
    slack_sandbox.put("faults", rules=[{"method": "users.list", "kind": "server_error", "probability": 0.5}])
    statuses = {httpx_status(slack_sandbox, "users.list") for _ in range(30)}
    assert statuses == {200, 503}
