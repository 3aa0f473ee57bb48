from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.recordings.meeting import Attendee, facts_of_calendar, facts_of_name, meeting_facts
from connectors.recordings.probe import MediaFacts
from core.errors import BadInput

BERLIN = ZoneInfo("Europe/Berlin")
ICS = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
SUMMARY:Quarterly\\, planning
DTSTART;TZID=Europe/Berlin:20240715T100000
DTEND;TZID=Europe/Berlin:20240715T113000
ORGANIZER;CN=Ada Lovelace:mailto:ada@example.com
ATTENDEE;CN="Hopper, Grace";ROLE=REQ-PARTICIPANT:MAILTO:grace@example.com
ATTENDEE:mailto:eve@example.com
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("name", "title", "started_at"),
    [
        ("GMT20210917-060924_Recording_1920x1080.mp4", None, datetime(2021, 9, 17, 6, 9, 24)),
        ("GMT20210917-060924_Recording.m4a", None, datetime(2021, 9, 17, 6, 9, 24)),
        ("Weekly Sync-20240115_100512-Meeting Recording.mp4", "Weekly Sync", datetime(2024, 1, 15, 9, 5, 12)),
        ("Roadmap-20240715_100512UTC-Meeting Recording.mp4", "Roadmap", datetime(2024, 7, 15, 10, 5, 12)),
        ("Weekly sync (2024-01-15 10:05 GMT+1).mp4", "Weekly sync", datetime(2024, 1, 15, 9, 5)),
        ("Sync - 2024_01_15 10_05 GMT-03:30 - Recording.mp4", "Sync", datetime(2024, 1, 15, 13, 35)),
        ("Design – 2024_01_15 10_05 PST – Recording.mp4", "Design", datetime(2024, 1, 15, 18, 5)),
        ("Design – 2024_01_15 10_05 IST – Recording.mp4", "Design", None),
        ("2024-07-15 10-05-12.mkv", None, datetime(2024, 7, 15, 8, 5, 12)),
        ("20240115T100512Z.wav", None, datetime(2024, 1, 15, 10, 5, 12)),
        ("2024-01-15 Board meeting.mp3", "Board meeting", None),
        ("standup_20240230_100000.wav", "standup", None),
        ("Budget 2024.mp4", "Budget 2024", None),
        ("audio1234.m4a", None, None),
        ("video.mp4", None, None),
    ],
)
def test_names_of_tools_and_people(name, title, started_at):
    facts = facts_of_name(name, zone=BERLIN)
    assert facts.title == title
    assert facts.started_at == (started_at.replace(tzinfo=UTC) if started_at else None)


def test_calendar_event():
    facts = facts_of_calendar(ICS)
    assert facts.title == "Quarterly, planning"
    assert facts.started_at == datetime(2024, 7, 15, 8, tzinfo=UTC)
    assert facts.duration_s == 5400
    assert facts.organizer == Attendee("Ada Lovelace", "ada@example.com")
    assert facts.attendees == (
        Attendee("Hopper, Grace", "grace@example.com"),
        Attendee(None, "eve@example.com"),
    )


def test_an_all_day_event_has_no_start():
    assert (
        facts_of_calendar(
            ICS.replace(b";TZID=Europe/Berlin:20240715T100000", b";VALUE=DATE:20240715")
        ).started_at
        is None
    )


@pytest.mark.parametrize(
    "ics",
    [
        b"",
        b"x",
        b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        ICS[:120],
        ICS.replace(b"20240715T100000", b"2024gar"),
        b"\xff\xfe\x00" * 9,
        b"x" * 1_000_001,
    ],
)
def test_broken_calendars(ics):
    with pytest.raises(BadInput, match="calendar"):
        facts_of_calendar(ics)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_calendars_raise_nothing_else(data):
    place = data.draw(st.integers(0, len(ICS) - 1))
    damaged = ICS[:place] + data.draw(st.binary(max_size=6)) + ICS[place + data.draw(st.integers(0, 30)) :]
    try:
        facts = facts_of_calendar(damaged)
    except BadInput:
        return
    assert facts.started_at is None or facts.started_at.tzinfo is not None


def test_the_most_trustworthy_place_wins():
    media = MediaFacts("mov", 60.0, (), False, title="Tagged", created_at=datetime(2024, 1, 1, tzinfo=UTC))
    name = "Named-20240115_100512-Meeting Recording.mp4"
    assert meeting_facts(name, media=media, ics=ICS).title == "Quarterly, planning"
    tagged = meeting_facts(name, media=media)
    assert tagged.title == "Tagged" and tagged.started_at == datetime(2024, 1, 15, 10, 5, 12, tzinfo=UTC)
    assert meeting_facts("Plain.mp4", media=media).started_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert meeting_facts(name).title == "Named" and meeting_facts("audio.m4a").title is None
