"""A channel's settings where answers are made: who may ask, where it is said, what is searched, when it is quiet."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.journeys.slack.library import STAFF
from tests.sandbox.slack_driving import ADA, BEN, GENERAL, until
from tests.workers.slack.conftest import Desk
from workers.channel_settings import ChannelSettings, change_channel

OFFICE = "When does the Berlin office open?"
EIGHT = "eight o'clock"


@pytest.fixture(autouse=True)
def no_rules(desk: Desk) -> Iterator[None]:
    desk.rows("DELETE FROM slack_channels")
    yield
    desk.rows("DELETE FROM slack_channels")


def ruled(desk: Desk, channel: str = GENERAL, **wishes: Any) -> None:
    team = desk.slack.client().auth_test()["team_id"]
    with desk.context.factory.begin() as session:
        change_channel(session, team, channel, ChannelSettings(**wishes), actor="test", person_id=None)


def mention(desk: Desk, user: str, text: str, **more: Any) -> str:
    ts = str(desk.slack.act("message", user=user, channel=GENERAL, text=f"@imp {text}", **more)["ts"])
    desk.taken("answer_question")
    desk.work()
    return ts


def quiet_now() -> dict[str, str]:
    now = datetime.now(UTC)
    begin, end = now - timedelta(hours=1), now + timedelta(hours=2)
    return {"quiet_from": f"{begin:%H:%M}", "quiet_until": f"{end:%H:%M}"}


def test_without_settings_the_thread_is_answered(desk: Desk) -> None:
    ts = mention(desk, ADA, OFFICE)
    [said] = desk.said(GENERAL)
    assert EIGHT in said["text"] and said["thread_ts"] == ts and not said["visible_to"]


def test_answers_beside_the_question_and_goes_on_below_them(desk: Desk) -> None:
    ruled(desk, reply="channel")
    mention(desk, ADA, OFFICE)
    [said] = desk.said(GENERAL)
    assert not said.get("thread_ts") and not said["visible_to"]
    desk.slack.act("message", user=ADA, channel=GENERAL, text="and when exactly?", thread_ts=said["ts"])
    desk.taken("answer_question")
    desk.work()
    assert desk.said(GENERAL)[-1].get("thread_ts") == said["ts"]
    mention(desk, ADA, OFFICE, thread_ts=said["ts"])
    assert desk.said(GENERAL)[-1].get("thread_ts") == said["ts"]


@pytest.mark.parametrize("wishes", [{"reply": "private"}, quiet_now()], ids=["private", "quiet hours"])
def test_nothing_is_said_for_all_to_see(desk: Desk, wishes: dict[str, str]) -> None:
    ruled(desk, **wishes)
    mention(desk, ADA, OFFICE)
    said = desk.said(GENERAL)
    assert said and all(one["visible_to"] == ADA for one in said)
    assert EIGHT in said[-1]["text"]


def test_only_those_named_may_ask(desk: Desk) -> None:
    ruled(desk, askers=(ADA,))
    mention(desk, ADA, OFFICE)
    assert EIGHT in desk.said(GENERAL)[-1]["text"]
    mention(desk, BEN, OFFICE)
    refused = desk.said(GENERAL)[-1]
    assert refused["visible_to"] == BEN and "only people named" in refused["text"]
    desk.slack.act("command", user=BEN, channel=GENERAL, command="/ask", text=OFFICE)
    desk.taken("answer_question")
    desk.work()
    assert "only people named" in desk.said(GENERAL)[-1]["text"]
    assert [row[0] for row in desk.rows("SELECT outcome FROM questions WHERE outcome = 'refused'")] == 2 * [
        "refused"
    ]
    direct = desk.direct(BEN)
    desk.slack.act("message", user=BEN, channel=direct, text=OFFICE)
    desk.taken("answer_question")
    desk.work()
    assert EIGHT in desk.said(direct)[-1]["text"]


def test_only_questions_are_answered(desk: Desk) -> None:
    ruled(desk, is_questions_only=True)
    desk.slack.act("message", user=ADA, channel=GENERAL, text="@imp thank you, well done")
    mention(desk, ADA, OFFICE)
    assert [row[0] for row in desk.rows("SELECT text FROM questions")] == [OFFICE]


def test_only_the_channels_spaces_are_searched(desk: Desk) -> None:
    if not desk.rows("SELECT 1 FROM documents WHERE title = 'Canteen'"):
        desk.library.page("Canteen", "The canteen serves lunch from noon to two.", [STAFF], space="HR")
    lunch = "When does the canteen serve lunch?"
    ruled(desk, spaces=("ENG",))
    desk.slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=lunch)
    desk.taken("answer_question")
    desk.work()
    assert "noon" not in str(desk.said(GENERAL)[-1])
    desk.slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=f"In the HR space: {lunch}")
    desk.taken("answer_question")
    desk.work()
    assert "noon" not in str(desk.said(GENERAL)[-1]["blocks"])
    ruled(desk, spaces=("HR",))
    desk.slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=lunch)
    desk.taken("answer_question")
    desk.work()
    assert "noon" in str(desk.said(GENERAL)[-1])
    [source] = desk.rows("SELECT id FROM sources WHERE name = 'site'")[0]
    ruled(desk, source_ids=(source + 100,))
    desk.slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=lunch)
    desk.taken("answer_question")
    desk.work()
    assert "noon" not in str(desk.said(GENERAL)[-1])


def test_sharing_waits_until_the_quiet_hours_are_over(desk: Desk) -> None:
    ruled(desk, **quiet_now())
    desk.slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=OFFICE)
    desk.taken("answer_question")
    desk.work()
    answer = desk.said(GENERAL)[-1]
    desk.slack.act("click", user=ADA, ts=answer["ts"], action_id="share")
    desk.taken("share_answer")
    desk.work()
    assert all(one["visible_to"] == ADA for one in desk.said(GENERAL))
    until(lambda: "quiet hours" in desk.said(GENERAL)[-1]["text"], "the reason was not said")


def test_an_announcement_waits_for_the_end_of_the_quiet_hours(desk: Desk) -> None:
    from workers.announce_minutes import _wait_for_quiet_hours

    team = desk.slack.client().auth_test()["team_id"]
    assert _wait_for_quiet_hours(desk.context, 7, team, GENERAL) == 0
    ruled(desk, **quiet_now())
    delay_s = _wait_for_quiet_hours(desk.context, 7, team, GENERAL)
    assert 3600 < delay_s <= 2 * 3600 + 1
    [row] = desk.rows("SELECT args, run_after > now() + interval '1 hour' AS is_later FROM jobs")
    assert row.args == {"minutes_id": 7} and row.is_later
