"""Meetings of a series know what the last one left; nothing of a meeting that not every reader may open."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from core.access import set_gate
from core.minutes import Evidence, MinutesDraft, MinutesLine
from core.tables.action_items import ActionItem
from core.tables.meetings import Minutes, Recording
from tests.workers.confluence_site import SERVICE_EMAIL, SERVICE_TOKEN, StandIn
from tests.workers.recordings.conftest import Studio
from workers import minutes, series

URL = "https://imp.example"
BEFORE, NOW = "We launch the mobile release on Monday.", "We launch the mobile release on Thursday."
VTT = "WEBVTT\n\n00:00:00.000 --> 00:00:05.000\n<v Ann Lee>{said}\n"


@pytest.fixture
def studio(make_studio: Callable[..., Studio], site: StandIn) -> Studio:
    return make_studio(
        confluence_url=site.url + "/wiki", confluence_username=SERVICE_EMAIL, confluence_api_token=SERVICE_TOKEN,
        confluence_minutes_space="MTG", imp_recordings_audience="group:staff", imp_public_url=URL,
    )  # fmt: skip


def held(studio: Studio, folder: Path, title: str, day: int, decision: str, *tasks: str) -> int:
    """A meeting in March 2026 with published minutes; its recording's id."""
    path = folder / f"{day}.vtt"
    path.write_text(VTT.format(said=f"{decision} {day}"))
    recording_id = studio.add(path, title=title, started_at=datetime(2026, 3, day, 9, tzinfo=UTC))
    studio.run("transcribe_recording")
    studio.rows(
        "UPDATE jobs SET state = 'done' WHERE kind IN ('draft_minutes', 'index_document') RETURNING id"
    )
    proof = (Evidence(0, 0, 3.0, 5.0),)
    lines = [MinutesLine("decision", decision, proof, 1.0)]
    lines += [
        MinutesLine("action", task, proof, 1.0, owner="Ann Lee", due=date(2026, 3, 5)) for task in tasks
    ]
    with studio.context.factory.begin() as session:
        minutes.approve(session, minutes.save_draft(session, recording_id, MinutesDraft(tuple(lines), "x")))
    studio.run("publish_minutes")
    return recording_id


def looked_at(studio: Studio, recording_id: int) -> tuple[Any, Any]:
    with studio.context.factory() as session:
        recording = session.get_one(Recording, recording_id)
        row = session.query(Minutes).filter_by(recording_id=recording_id).one()
        return series.carried(session, recording, URL), series.earlier_decisions(session, recording, row, URL)


def storage(studio: Studio, recording_id: int) -> str:
    return str(
        studio.rows(
            "SELECT published_storage AS body FROM minutes WHERE recording_id = :id", id=recording_id
        )[0].body
    )


def test_the_next_meeting_begins_with_what_was_left(studio: Studio, tmp_path: Path) -> None:
    first = held(
        studio, tmp_path, "Platform weekly 2026-03-02", 2, BEFORE, "Send the list.", "Book the room."
    )
    with studio.context.factory.begin() as session:
        session.query(ActionItem).filter(ActionItem.text.contains("list")).update({"is_done": True})
    second = held(studio, tmp_path, "Platform Weekly (9 March)", 9, NOW)
    tasks, earlier = looked_at(studio, second)
    assert [(task.state, task.owner) for task in tasks] == [("overdue", "Ann Lee"), ("done", "Ann Lee")]
    assert "Book the room" in tasks[0].text
    assert (earlier[NOW].relation, earlier[NOW].text) == ("changes", BEFORE)
    assert earlier[NOW].url == f"{URL}/recordings/{first}?t=3"
    body = storage(studio, second)
    assert (
        body.index("From the last meeting")
        < body.index("<strong>overdue</strong>")
        < body.index("Decisions</h2>")
    )
    assert "changes an earlier decision" in body
    assert "From the last meeting" not in storage(studio, first)


def test_other_meetings_and_closed_ones_are_left_out(studio: Studio, tmp_path: Path) -> None:
    first = held(studio, tmp_path, "Board 1", 2, BEFORE, "Send the list.")
    other = held(studio, tmp_path, "Kitchen 2", 3, NOW)
    assert looked_at(studio, other) == ((), {})
    with studio.context.factory.begin() as session:
        row = session.get_one(Recording, first)
        row.gate_ids = [*(row.gate_ids or []), set_gate(session, row.source_id, "board only", ["user:ada"])]
    third = held(studio, tmp_path, "Board 3", 9, NOW)
    assert looked_at(studio, third) == ((), {}), "the first is open to fewer people than this one"


def test_erasing_a_meeting_takes_it_out_of_later_minutes(studio: Studio, tmp_path: Path) -> None:
    from workers.erase_recording import erase_recording

    first = held(studio, tmp_path, "Board 1", 2, BEFORE, "Send the quixel list.")
    second = held(studio, tmp_path, "Board 2", 9, NOW)
    assert "quixel" in storage(studio, second)
    with studio.context.factory.begin() as session:
        erase_recording(session, first)
    studio.run("publish_minutes")
    assert "quixel" not in storage(studio, second)
    assert BEFORE not in storage(studio, second)


@pytest.mark.parametrize(
    ("title", "pattern"),
    [
        ("Platform weekly – 2026-03-02", "platform weekly"),
        ("Platform Weekly 3. März 14:00", "platform weekly märz"),
        ("Decision review, March 9", "decision review"),
        ("Q3 planning #12", "planning"),
        ("2026-03-02 10:00", ""),
        ("Recording 7", ""),
    ],
)
def test_what_titles_of_a_series_share(title: str, pattern: str) -> None:
    assert series.title_pattern(title) == pattern


def test_a_calendar_event_counts_more_than_a_title() -> None:
    def meeting(title: str, key: str | None) -> Recording:
        return Recording(title=title, meeting_key=key)

    assert series._is_same(meeting("Kick-off", "ics:a"), meeting("Sync", "ics:a"))
    assert not series._is_same(meeting("Sync", "ics:a"), meeting("Sync", "ics:b"))
    assert series._is_same(meeting("Sync", "zoom:x"), meeting("Sync", None))
