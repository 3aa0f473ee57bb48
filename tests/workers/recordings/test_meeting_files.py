"""Recordings of one meeting are joined by time, and only where somebody said which meeting it was."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import Conflict, NotFound
from tests.workers.recordings.conftest import TINY_WHISPER, Studio

ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test
BEGIN:VEVENT
UID:weekly-1@example.com
SUMMARY:Weekly
DTSTART:20261105T093000Z
DTEND:20261105T103000Z
ATTENDEE;CN=Ada Lovelace:mailto:ada@example.com
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


@pytest.fixture
def lay(tmp_path: Path, make_sound: Callable[..., Path]) -> Callable[..., Path]:
    """A file with an event and a transcript beside it."""

    def put(name: str, *, seconds: int, hz: int, said: str, ics: str | None = ICS) -> Path:
        sound = make_sound(
            f"{hz}-{seconds}.wav", "-f", "lavfi", "-i", f"sine=d={seconds}:f={hz}", "-ar", "16000"
        )
        path = tmp_path / name
        path.write_bytes(sound.read_bytes())
        vtt = f"WEBVTT\n\n00:00:01.000 --> 00:00:03.000\n<v Ada>{said}</v>\n"
        path.with_suffix(".vtt").write_text(vtt)
        if ics:
            path.with_suffix(".ics").write_text(ics)
        return path

    return put


def test_parts_of_one_event_are_one_meeting_on_one_clock(studio: Studio, lay: Callable[..., Path]) -> None:
    first = studio.add(lay("GMT20261105-093000_Recording.wav", seconds=20, hz=300, said="The first half."))
    studio.run("transcribe_recording")
    second = studio.add(lay("GMT20261105-100000_Recording.wav", seconds=10, hz=400, said="The second half."))
    assert second == first
    studio.run("transcribe_recording")
    assert [(one[1], one[4]) for one in studio.segments(first)] == [
        (1.0, "The first half."),
        (1801.0, "The second half."),
    ]
    assert studio.row(first).duration_s == pytest.approx(1810, abs=1)
    assert studio.add(lay("renamed.wav", seconds=10, hz=400, said="The second half.", ics=None)) == first


def test_a_series_is_many_meetings(studio: Studio, lay: Callable[..., Path]) -> None:
    week_1 = studio.add(lay("Weekly 2026-11-05 09-30-00.wav", seconds=20, hz=300, said="One."))
    week_2 = studio.add(lay("Weekly 2026-11-12 09-30-00.wav", seconds=20, hz=500, said="Two."))
    no_date = studio.add(lay("weekly.wav", seconds=20, hz=600, said="Three."))
    assert len({week_1, week_2, no_date}) == 3


def test_the_same_time_from_another_device_is_not_heard_twice(
    studio: Studio, lay: Callable[..., Path]
) -> None:
    first = studio.add(lay("GMT20261105-093000_Recording.wav", seconds=20, hz=300, said="We said it once."))
    studio.run("transcribe_recording")
    assert (
        studio.add(lay("phone 2026-11-05 09-30-02.wav", seconds=15, hz=700, said="We said it once.")) == first
    )
    assert studio.rows("SELECT id FROM jobs WHERE kind = 'transcribe_recording' AND state = 'queued'") == []
    assert [one[4] for one in studio.segments(first)] == ["We said it once."]


def test_a_part_that_began_earlier_moves_the_clock(studio: Studio, lay: Callable[..., Path]) -> None:
    first = studio.add(lay("GMT20261105-100000_Recording.wav", seconds=20, hz=300, said="Later."))
    studio.add(lay("GMT20261105-093000_Recording.wav", seconds=20, hz=400, said="Earlier."))
    studio.run("transcribe_recording")
    assert [(one[1], one[4]) for one in studio.segments(first)] == [(1.0, "Earlier."), (1801.0, "Later.")]


def test_joined_by_hand_where_no_clock_is_known(studio: Studio, lay: Callable[..., Path]) -> None:
    first = studio.add(lay("one.wav", seconds=20, hz=300, said="Begin.", ics=None))
    studio.run("transcribe_recording")
    other = lay("two.wav", seconds=10, hz=400, said="End.", ics=None)
    assert studio.add(other, joins=first) == first
    assert studio.add(other, joins=first) == first
    studio.run("transcribe_recording")
    assert [(one[1], one[4]) for one in studio.segments(first)] == [(1.0, "Begin."), (21.0, "End.")]
    with pytest.raises(NotFound):
        studio.add(lay("three.wav", seconds=5, hz=500, said="x", ics=None), joins=10**6)
    lone = studio.add(lay("four.wav", seconds=5, hz=600, said="x", ics=None))
    with pytest.raises(Conflict):
        studio.add(other, joins=lone)


def test_names_of_a_transcript_over_our_words(
    make_studio: Callable[..., Studio], speak: Callable[..., Path], tmp_path: Path
) -> None:
    """The transcript's words are not taken, its names are, by time."""
    studio = make_studio(imp_transcriber=f"faster-whisper:{TINY_WHISPER}", imp_transcripts="names")
    path = tmp_path / "named.wav"
    path.write_bytes(speak("named.wav", "we will send the report on friday").read_bytes())
    path.with_suffix(".vtt").write_text(
        "WEBVTT\n\n00:00:00.000 --> 00:00:09.000\n<v Ada>Something misheard.</v>\n"
    )
    recording_id = studio.add(path)
    studio.run("transcribe_recording")
    said = studio.segments(recording_id)
    assert {one[3] for one in said} == {"Ada"}
    assert "misheard" not in " ".join(one[4] for one in said)
    assert "names from the transcript file" in studio.row(recording_id).engine
    [words] = studio.rows("SELECT words FROM segments WHERE recording_id = :id LIMIT 1", id=recording_id)
    assert words.words[0][0] < words.words[-1][1]
