"""Admins' words in Slack and the channel's settings in their modal: for admins alone, checked, and audited."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.slack_driving import ADA, BEN, CHI, GENERAL, PROJECT, until
from tests.workers.slack.conftest import Desk
from workers import audit
from workers.audit import Audited
from workers.channel_settings import ChannelSettings, channel_settings


@pytest.fixture(autouse=True)
def ada_is_admin(desk: Desk) -> Iterator[None]:
    for table in ("slack_channels", "audit"):
        desk.rows(f"DELETE FROM {table}")
    desk.rows("UPDATE people SET is_admin = (email = 'ada@example.com')")
    desk.rows("DELETE FROM identities WHERE provider = 'slack'")
    yield
    desk.rows("DELETE FROM slack_channels")
    desk.rows("UPDATE people SET is_admin = false")


def word(desk: Desk, user: str, text: str, channel: str = GENERAL) -> str:
    desk.slack.act("command", user=user, channel=channel, command="/imp", text=text)
    desk.taken("admin_word")
    desk.work()
    said = desk.said(channel)[-1]
    assert said["visible_to"] == user
    return json.dumps(said, ensure_ascii=False)


def audited(desk: Desk) -> list[Audited]:
    with desk.context.factory() as session:
        return list(audit.read(session))


def settings(desk: Desk, channel: str = GENERAL) -> ChannelSettings:
    team = desk.slack.client().auth_test()["team_id"]
    with desk.context.factory() as session:
        return channel_settings(session, team, channel)


def modal_of(desk: Desk, user: str) -> dict[str, Any] | None:
    state = desk.slack.state()
    stack = state["open_modals"].get(user) or []
    return dict(state["views"][stack[-1]]) if stack else None


def opened(desk: Desk, user: str = ADA, channel: str = GENERAL) -> dict[str, Any]:
    desk.slack.act("command", user=user, channel=channel, command="/imp", text="settings")
    return dict(until(lambda: modal_of(desk, user), "no modal opened"))


def known(desk: Desk) -> None:
    """Slack accounts become known by the first word."""
    word(desk, ADA, "help")


def test_every_word_is_for_admins_and_audited(desk: Desk) -> None:
    for text, expected in (
        ("status", "documents"), ("people", "Admins: Ada Weber"), ("help", "/imp people"), ("sync", "Syncing started"),
        ("settings", "Change settings"), ("dance", "/imp help"),
    ):  # fmt: skip
        if text == "settings":
            desk.rows("DELETE FROM identities WHERE provider = 'slack'")
        assert expected in word(desk, ADA, text)
        assert "Only admins" in word(desk, BEN, text)
    entries = audited(desk)
    assert [(one.details["word"], one.is_allowed) for one in reversed(entries)] == [
        pair
        for name in ("status", "people", "help", "sync", "settings", "(unknown)")
        for pair in ((name, True), (name, False))
    ]
    assert entries[-1].person == "Ada Weber" and entries[-1].actor.endswith(f":{ADA}")


def test_people_names_who_is_not_linked(desk: Desk) -> None:
    desk.slack.act(
        "command", user=CHI, channel=GENERAL, command="/ask", text="When does the Berlin office open?"
    )
    desk.taken("answer_question")
    desk.work()
    said = word(desk, ADA, "people")
    name = desk.rows("SELECT name FROM identities WHERE external_id = :user", user=CHI)[0][0]
    assert "Not linked" in said and name in said


def test_settings_are_shown_saved_and_shown_again(desk: Desk) -> None:
    known(desk)
    first = opened(desk)
    assert "Channel settings" in json.dumps(first) and '"initial_users"' not in json.dumps(first)
    desk.slack.act(
        "submit_view", user=ADA,
        values={
            "spaces": {"spaces": "eng"}, "askers": {"askers": [ADA, BEN]}, "reply": {"reply": "private"},
            "is_questions_only": {"is_questions_only": ["only"]}, "auto_minutes": {"auto_minutes": "start"},
            "quiet": {"quiet": "22:00 - 7:30"}, "timezone": {"timezone": "Europe/Berlin"},
            "experts": {"experts": [BEN]},
        },
    )  # fmt: skip
    until(lambda: modal_of(desk, ADA) is None, "the modal did not close")
    assert settings(desk) == ChannelSettings(
        spaces=("ENG",), askers=(ADA, BEN), reply="private", is_questions_only=True, auto_minutes="start",
        quiet_from="22:00", quiet_until="07:30", timezone="Europe/Berlin", experts=(BEN,),
    )  # fmt: skip
    assert settings(desk, PROJECT) == ChannelSettings()
    [change] = [one for one in audited(desk) if one.action == "channel_settings"]
    assert change.person == "Ada Weber" and change.details["after"]["reply"] == "private"
    again = json.dumps(opened(desk))
    assert "22:00-07:30" in again and '"initial_users"' in again and "Europe/Berlin" in again


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("spaces", "ENG, NOSUCH", "NOSUCH"),
        ("quiet", "from ten to six", "22:00-07:00"),
        ("quiet", "25:00-07:00", "22:00-07:00"),
        ("timezone", "Middle/Earth", "Europe/Berlin"),
        ("timezone", "../../etc/passwd", "Europe/Berlin"),
    ],
)
def test_what_cannot_hold_is_said_at_its_field(desk: Desk, field: str, value: str, why: str) -> None:
    known(desk)
    opened(desk)
    reply = desk.slack.act("submit_view", user=ADA, values={field: {field: value}})
    assert not reply["closed"] and why in reply["errors"][field]
    assert settings(desk) == ChannelSettings()


def test_nobody_but_an_admin_changes_a_channel(desk: Desk) -> None:
    known(desk)
    assert "Only admins" in word(desk, BEN, "settings") and modal_of(desk, BEN) is None
    opened(desk)
    desk.rows("UPDATE people SET is_admin = false")  # between opening and saving
    reply = desk.slack.act("submit_view", user=ADA, values={"reply": {"reply": "private"}})
    assert not reply["closed"] and "Only admins" in str(reply["errors"])
    assert settings(desk) == ChannelSettings()


def test_a_direct_message_has_no_settings(desk: Desk) -> None:
    known(desk)
    direct = desk.direct(ADA)
    desk.slack.act("command", user=ADA, channel=direct, command="/imp", text="settings")
    desk.taken("admin_word")
    desk.work()
    assert "in the channel it is about" in str(desk.said(direct)[-1])


def test_an_admin_not_known_yet_opens_them_by_the_button(desk: Desk) -> None:
    assert "Answers go: in a thread" in word(desk, ADA, "settings")
    shown = desk.said(GENERAL)[-1]
    desk.slack.act("click", user=ADA, ts=shown["ts"], action_id="change_channel_settings")
    until(lambda: modal_of(desk, ADA), "no modal opened")
