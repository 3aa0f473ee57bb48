"""Slack falters, processes die: the answer comes late, and once."""

import time
from collections.abc import Callable

import pytest

from tests.journeys.slack.house import SOCKET_MODE, House, Recorder
from tests.journeys.slack.seen import bot_messages, saying, wait_for
from tests.sandbox.slack_driving import ADA, GENERAL, SlackSandbox, until

pytestmark = pytest.mark.slow
OFFICE = "When does the Berlin office open?"
EIGHT = "eight o'clock"


def ask_in_channel(slack: SlackSandbox) -> str:
    return str(slack.act("message", user=ADA, channel=GENERAL, text=f"@imp {OFFICE}")["ts"])


def taken(house: House, ts: str) -> None:
    until(lambda: house.rows("SELECT 1 FROM questions WHERE place->>'ts' = :ts", ts=ts), "not taken")


@pytest.mark.parametrize("kind", ["rate_limit", "server_error", "cut", "malformed"])
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update", "users.info|conversations.members"])
def test_slack_falters_and_the_answer_comes_later_once(
    house: House, slack: SlackSandbox, kind: str, method: str
) -> None:
    slack.put("faults", rules=[{"method": method, "kind": kind, "count": 2}])
    ask_in_channel(slack)
    wait_for(slack, GENERAL, EIGHT)
    time.sleep(1)
    assert len(bot_messages(slack, GENERAL)) == 1


def test_a_question_is_kept_while_all_of_slack_is_down(house: House, slack: SlackSandbox) -> None:
    slack.put("faults", rules=[{"method": ".*", "kind": "server_error", "count": 3}])
    ask_in_channel(slack)
    wait_for(slack, GENERAL, EIGHT)


def test_a_refused_answer_is_not_silence(house: House, slack: SlackSandbox) -> None:
    slack.put(
        "faults", rules=[{"method": "conversations.members", "kind": "error", "error": "missing_scope"}]
    )
    ask_in_channel(slack)
    wait_for(slack, GENERAL, "something on my side is broken".capitalize())
    alone = wait_for(slack, GENERAL, "missing_scope")
    assert alone["visible_to"] == ADA
    assert not saying(slack, GENERAL, "Looking")


def test_an_expired_response_url_becomes_a_direct_message(house: House, slack: SlackSandbox) -> None:
    house.kill("worker")
    reply = slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=OFFICE)
    for _ in range(5):
        assert slack.http.post(reply["response_url"], json={"text": "used up"}).status_code == 200
    assert slack.http.post(reply["response_url"], json={"text": "used up"}).status_code == 404
    house.start("worker")
    direct = slack.act("direct", user=ADA, **{"with": "imp"})["channel"]
    wait_for(slack, direct, EIGHT, 120)
    assert not saying(slack, GENERAL, EIGHT)


def test_the_web_server_dies_before_the_answer(house: House, slack: SlackSandbox) -> None:
    house.kill("worker")
    ts = ask_in_channel(slack)
    taken(house, ts)
    house.kill("web")
    house.start("worker")
    wait_for(slack, GENERAL, EIGHT, 120)
    house.start("web")
    time.sleep(1)
    assert len(bot_messages(slack, GENERAL)) == 1


def test_slack_delivers_again_to_a_server_that_was_away(house: House, slack: SlackSandbox) -> None:
    slack.put("settings", retry_delays_s=[1.0, 5.0, 40.0])
    house.kill("web")
    ask_in_channel(slack)
    house.start("web")
    wait_for(slack, GENERAL, EIGHT, 120)
    time.sleep(1)
    assert len(bot_messages(slack, GENERAL)) == 1


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
def test_the_worker_dies_in_the_middle(
    house: House, slack: SlackSandbox, sent: Recorder, method: str
) -> None:
    slack.put("faults", rules=[{"method": method, "kind": "slow", "delay_s": 0.7, "count": 1}])
    ask_in_channel(slack)
    until(lambda: any(one.path == f"/api/{method}" for one in sent.sent), "the worker did not start", 60)
    house.kill("worker")
    house.start("worker")
    wait_for(slack, GENERAL, EIGHT, 120)
    time.sleep(1)
    assert len(bot_messages(slack, GENERAL)) == 1


def test_the_worker_dies_while_it_answers_a_direct_message(
    house: House, slack: SlackSandbox, sent: Recorder
) -> None:
    channel = slack.act("direct", user=ADA, **{"with": "imp"})["channel"]
    slack.put("faults", rules=[{"method": "chat.update", "kind": "slow", "delay_s": 0.7, "count": 1}])
    slack.act("message", user=ADA, channel=channel, text=OFFICE)
    until(lambda: any(one.path == "/api/chat.update" for one in sent.sent), "the worker did not start", 60)
    house.kill("worker")
    house.start("worker")
    wait_for(slack, channel, EIGHT, 120)
    time.sleep(1)
    assert len(bot_messages(slack, channel)) == 1


def test_socket_mode_needs_no_open_door(make_house: Callable[..., House], slack: SlackSandbox) -> None:
    house = make_house(**SOCKET_MODE).start("worker", "beat")
    try:
        slack.act("reset")
        house.start("web")
        slack.put("settings", events_url=None, commands_url=None, interactions_url=None)
        until(lambda: slack.state()["sockets"], "no socket was opened:\n" + house.log("web"), 20)
        reply = slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=OFFICE)
        assert "Looking" in str(reply["reply"])
        wait_for(slack, GENERAL, EIGHT, 120)
        ask_in_channel(slack)
        until(lambda: len(saying(slack, GENERAL, EIGHT)) == 2, "the mention was not answered", 30)
    finally:
        house.stop()
