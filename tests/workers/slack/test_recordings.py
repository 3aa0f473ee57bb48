"""Recordings shared in Slack: offered, started by the channel's policy, left alone, or wanted by a shortcut."""

import pytest

from tests.journeys.slack.test_slack_files import sound
from tests.sandbox.slack_driving import ADA, BEN, PROJECT
from tests.workers.slack.conftest import Desk


@pytest.fixture(autouse=True)
def no_recordings(desk: Desk) -> None:
    desk.rows("DELETE FROM recordings")
    desk.rows("DELETE FROM slack_channels")


def upload(desk: Desk, user: str, name: str, content: bytes) -> str:
    reply = desk.slack.http.post(
        f"{desk.slack.url}/_sandbox/upload",
        data={"user": user, "channel": PROJECT},
        files={"file": (name, content)},
    ).json()
    assert reply["ok"], reply
    return str(reply["ts"])


def policy(desk: Desk, auto_minutes: str) -> None:
    team = desk.slack.client().auth_test()["team_id"]
    desk.rows(
        "INSERT INTO slack_channels (team, channel, auto_minutes) VALUES (:team, :channel, :wish)",
        team=team, channel=PROJECT, wish=auto_minutes,
    )  # fmt: skip


def taken(desk: Desk) -> list[str]:
    return [row.file_name for row in desk.rows("SELECT file_name FROM recordings")]


def test_it_is_offered_unless_the_channel_says_otherwise(desk: Desk) -> None:
    upload(desk, BEN, "weekly.wav", sound(3))
    desk.taken("take_slack_file")
    desk.work()
    [offer] = desk.said(PROJECT)
    assert "draft its minutes?" in str(offer["blocks"]) and offer["visible_to"] == BEN
    assert not taken(desk)


def test_it_starts_by_the_channels_policy(desk: Desk) -> None:
    policy(desk, "start")
    upload(desk, BEN, "weekly.wav", sound(5))
    desk.taken("take_slack_file")
    desk.work()
    assert taken(desk) == ["weekly.wav"]
    assert "On it" in desk.said(PROJECT)[-1]["text"]


def test_a_channel_that_wants_none_is_left_alone(desk: Desk) -> None:
    policy(desk, "off")
    upload(desk, BEN, "weekly.wav", sound(7))
    desk.taken("take_slack_file")
    assert desk.work() == ["done"]
    assert not desk.said(PROJECT) and not taken(desk)


def test_the_shortcut_takes_what_one_shared_oneself(desk: Desk) -> None:
    policy(desk, "off")
    ts = upload(desk, BEN, "weekly.wav", sound(9))
    desk.taken("take_slack_file")
    desk.work()
    desk.slack.act("shortcut", user=ADA, callback_id="draft_minutes", ts=ts, channel=PROJECT)
    desk.taken("take_slack_file")
    desk.work()
    assert "Only who shared this file" in desk.said(PROJECT)[-1]["text"] and not taken(desk)
    desk.slack.act("shortcut", user=BEN, callback_id="draft_minutes", ts=ts, channel=PROJECT)
    desk.taken("take_slack_file")
    desk.work()
    assert taken(desk) == ["weekly.wav"]
