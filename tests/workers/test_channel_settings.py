"""What holds in a channel: defaults, quiet hours across midnight, changes in the audit."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from workers import audit
from workers.channel_settings import ChannelSettings, change_channel, channel_settings


def test_a_channel_nobody_set_takes_the_defaults(db_session: Session) -> None:
    assert channel_settings(db_session, "T1", "C1") == ChannelSettings()


def test_a_change_holds_for_that_channel_of_that_workspace_alone(db_session: Session) -> None:
    wanted = ChannelSettings(spaces=("ENG",), reply="private", quiet_from="22:00", quiet_until="07:00")
    changed = change_channel(db_session, "T1", "C1", wanted, actor="slack:T1:U1", person_id=None)
    assert changed == {
        "spaces": ("ENG",),
        "reply": "private",
        "quiet_from": "22:00",
        "quiet_until": "07:00",
    }
    assert channel_settings(db_session, "T1", "C1") == wanted
    assert channel_settings(db_session, "T2", "C1") == ChannelSettings()
    (entry,) = audit.read(db_session)
    assert (entry.actor, entry.action, entry.target) == ("slack:T1:U1", "channel_settings", "T1/C1")
    assert entry.details["before"]["spaces"] == [] and entry.details["after"]["spaces"] == ["ENG"]
    assert not change_channel(db_session, "T1", "C1", wanted, actor="slack:T1:U1", person_id=None)
    assert len(audit.read(db_session)) == 1


@pytest.mark.parametrize(
    ("quiet_from", "quiet_until", "clock", "left"),
    [
        ("22:00", "07:00", "23:30", timedelta(hours=7, minutes=30)),
        ("22:00", "07:00", "06:59", timedelta(minutes=1)),
        ("22:00", "07:00", "07:00", None),
        ("12:00", "13:00", "12:00", timedelta(hours=1)),
        ("12:00", "13:00", "11:59", None),
        ("09:00", "09:00", "15:00", timedelta(hours=18)),
        (None, "09:00", "05:00", None),
    ],
)
def test_quiet_hours(quiet_from: str | None, quiet_until: str, clock: str, left: timedelta | None) -> None:
    now = datetime.fromisoformat(f"2026-01-15T{clock}:00+00:00")
    assert ChannelSettings(quiet_from=quiet_from, quiet_until=quiet_until).quiet_for(now) == left


def test_quiet_hours_follow_the_channels_clock_through_its_summer_time() -> None:
    berlin = ChannelSettings(quiet_from="22:00", quiet_until="07:00", timezone="Europe/Berlin")
    # 29 March 2026, 02:00 becomes 03:00: the night has an hour less.
    assert berlin.quiet_for(datetime(2026, 3, 28, 21, 0, tzinfo=UTC)) == timedelta(hours=8)
    assert berlin.quiet_for(datetime(2026, 7, 1, 6, 0, tzinfo=UTC)) is None
