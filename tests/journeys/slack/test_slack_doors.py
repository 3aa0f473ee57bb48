"""The door Slack knocks at: who may, how often, and everything Slack was ever seen to send."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from sandbox.slack.signing import signed_headers
from tests.journeys.slack.conftest import data_folder
from tests.journeys.slack.house import House
from tests.journeys.slack.seen import bot_messages, saying, wait_for
from tests.sandbox.slack_driving import ADA, BOT, GENERAL, SECRET, SlackSandbox

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
OFFICE = "When does the Berlin office open?"


def knock(
    house: House, body: str | bytes, content_type: str, *, at: float | None = None, secret: str = SECRET
) -> httpx.Response:
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    headers = signed_headers(secret, int(at or time.time()), text, content_type)
    return httpx.post(f"{house.url}/slack/events", content=body, headers=headers, timeout=10)


def mention(ts: str, kind: str = "app_mention") -> str:
    event = {
        "type": kind, "user": ADA, "channel": GENERAL, "ts": ts, "text": f"<@{BOT}> {OFFICE}",
        "channel_type": "channel",
    }  # fmt: skip
    return json.dumps(
        {
            "type": "event_callback", "team_id": "T0SANDBOX1", "api_app_id": "A0IMP00001", "event_id": f"Ev{ts}",
            "event": event, "authorizations": [{"team_id": "T0SANDBOX1", "user_id": BOT, "is_bot": True}],
        }
    )  # fmt: skip


def test_a_forged_request_is_refused(house: House) -> None:
    body = mention("1700000001.000100")
    assert knock(house, body, JSON, secret="guessed").status_code == 401
    assert httpx.post(f"{house.url}/slack/events", content=body).status_code == 401
    assert not house.rows("SELECT 1 FROM questions WHERE place->>'ts' = '1700000001.000100'")


def test_a_replayed_request_is_refused(house: House) -> None:
    assert knock(house, mention("1700000002.000100"), JSON, at=time.time() - 3600).status_code == 401
    assert not house.rows("SELECT 1 FROM questions WHERE place->>'ts' = '1700000002.000100'")


def test_the_url_is_verified(house: House, slack: SlackSandbox) -> None:
    assert slack.act("verify_url")["ok"]


def test_a_body_that_is_not_text_or_too_long_is_refused(house: House) -> None:
    assert knock(house, b"\xff\xfe\x00payload", FORM).status_code == 400
    assert knock(house, "x" * (1024 * 1024 + 1), JSON).status_code == 413
    for body in ("{not json", "[]", "1", '"x"', "null", "", "{}", '{"event": 1, "type": "event_callback"}'):
        assert knock(house, body, JSON).status_code < 500, body
    for body in (
        "payload=[]",
        "payload=1",
        "payload={",
        "command=/ask",
        'payload={"type":"block_actions"}',
        "a",
    ):
        assert knock(house, body, FORM).status_code < 500, body


def test_a_question_delivered_twice_is_answered_once(house: House, slack: SlackSandbox) -> None:
    asked = slack.act("message", user=ADA, channel=GENERAL, text=f"@imp {OFFICE}")
    for kind in ("app_mention", "message", "app_mention"):
        assert knock(house, mention(asked["ts"], kind), JSON).status_code == 200
    wait_for(slack, GENERAL, "eight o'clock")
    time.sleep(1.5)
    assert len(bot_messages(slack, GENERAL)) == 1
    assert len(house.rows("SELECT 1 FROM questions WHERE place->>'ts' = :ts", ts=asked["ts"])) == 1


def test_a_command_delivered_twice_is_answered_once(house: House, slack: SlackSandbox) -> None:
    slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=OFFICE)
    sent = slack.deliveries("/ask")[-1]["payload"]
    assert knock(house, urlencode(sent), FORM).status_code == 200
    wait_for(slack, GENERAL, "eight o'clock")
    time.sleep(1.5)
    assert len(saying(slack, GENERAL, "eight o'clock")) == 1


def test_a_question_too_long_is_refused_with_the_reason(house: House, slack: SlackSandbox) -> None:
    reply = slack.act("command", user=ADA, channel=GENERAL, command="/ask", text="why " * 1000)
    assert "limit is 2000" in str(reply["reply"])
    slack.act("message", user=ADA, channel=GENERAL, text="@imp " + "why " * 1000)
    wait_for(slack, GENERAL, "limit is 2000")


def test_bots_edits_and_plain_talk_are_nobodys_question(house: House, slack: SlackSandbox) -> None:
    before = house.rows("SELECT count(*) FROM questions")[0][0]
    asked = slack.act("message", user=ADA, channel=GENERAL, text="what is for lunch?")
    slack.act("edit", user=ADA, channel=GENERAL, ts=asked["ts"], text="what is for lunch today?")
    slack.act("message", user=ADA, channel=GENERAL, text="nobody knows", thread_ts=asked["ts"])
    robot = json.loads(mention("1700000003.000100"))
    robot["event"] |= {"bot_id": "B0OTHER001"}
    assert knock(house, json.dumps(robot), JSON).status_code == 200
    time.sleep(1)
    assert house.rows("SELECT count(*) FROM questions")[0][0] == before


def outside_payloads() -> list[Path]:
    folder = data_folder()
    return sorted(
        path
        for part in ("payloads", "samples")
        for path in (folder / part).rglob("*.json")
        if part == "payloads" or {"app-backend", "events"} & set(path.parts)
    )


def wrapped(name: str, payload: dict[str, object]) -> Iterator[tuple[str, str]]:
    """The payload as Slack would send it over HTTP, (body, content type)."""
    if "payload" in payload and isinstance(payload.get("payload"), dict):  # a Socket Mode envelope
        payload = payload["payload"]  # type: ignore[assignment]
    if "command" in payload and "response_url" in payload:
        yield urlencode({key: str(value) for key, value in payload.items()}), FORM
    elif "event" in payload or payload.get("type") in ("event_callback", "url_verification"):
        yield json.dumps(payload), JSON
    else:
        yield urlencode({"payload": json.dumps(payload)}), FORM
        yield json.dumps({"type": "event_callback", "event_id": f"Ev{name}", "event": payload}), JSON


def test_everything_slack_was_seen_to_send_is_taken(house: House) -> None:
    files = outside_payloads()
    if not files:
        pytest.skip("outside test material is absent: ../shared/data/slack")
    failures, n_sent = [], 0
    for path in files:
        found = json.loads(path.read_text())
        for payload in found if isinstance(found, list) else [found]:
            if not isinstance(payload, dict):
                continue
            for body, content_type in wrapped(path.stem, payload):
                reply = knock(house, body, content_type)
                n_sent += 1
                if reply.status_code >= 500:
                    failures.append((path.name, reply.status_code))
    assert n_sent > 200
    assert not failures, f"{len(failures)} of {n_sent}: {failures[:20]}\n{house.log('web')[-3000:]}"
