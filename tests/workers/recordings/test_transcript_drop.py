"""A transcript alone is a meeting; its sound may come later and joins it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.recordings.source import scan
from core.errors import BadInput
from tests.workers.recordings.conftest import Studio

VTT = "WEBVTT\n\n00:00:01.000 --> 00:00:03.000\n<v Ada>We decided to launch on Friday.</v>\n"


def test_a_transcript_alone_becomes_a_meeting(studio: Studio, tmp_path: Path) -> None:
    path = tmp_path / "Weekly sync-20260115_100512-Meeting Transcript.vtt"
    path.write_text(VTT)
    recording_id = studio.add(path)
    assert studio.add(path) == recording_id
    studio.run("transcribe_recording")
    row = studio.row(recording_id)
    assert (row.state, row.title, row.duration_s) == ("transcribed", "Weekly sync", 3.0)
    assert row.started_at.isoformat() == "2026-01-15T10:05:12+00:00"
    assert [one[3:5] for one in studio.segments(recording_id)] == [("Ada", "We decided to launch on Friday.")]


def test_its_sound_joins_it_later(studio: Studio, tmp_path: Path, make_sound: Callable[..., Path]) -> None:
    path = tmp_path / "weekly.vtt"
    path.write_text(VTT)
    recording_id = studio.upload(path)
    studio.run("transcribe_recording")
    sound = tmp_path / "weekly.wav"
    sound.write_bytes(make_sound("late.wav", "-f", "lavfi", "-i", "sine=d=9", "-ar", "16000").read_bytes())
    assert studio.add(sound) == recording_id
    studio.run("transcribe_recording")
    row = studio.row(recording_id)
    assert (row.state, row.file_name, round(row.duration_s)) == ("transcribed", "weekly.wav", 9)
    assert len(studio.rows("SELECT 1 FROM recordings")) == 1


def test_a_drop_finds_them_and_what_belongs_to_media_is_not_one(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.vtt", "b.vtt", "c - Transcript.docx", "notes.docx", ".d.vtt", "e.vtt.part"):
        (tmp_path / name).write_text("x")
    assert [Path(one.path).name for one in scan(str(tmp_path))] == ["a.mp4", "b.vtt", "c - Transcript.docx"]


def test_what_only_looks_like_one_fails_alone(studio: Studio, tmp_path: Path) -> None:
    path = tmp_path / "empty.vtt"
    path.write_text("WEBVTT\n")
    with pytest.raises(BadInput):
        studio.add(path)
    assert studio.rows("SELECT 1 FROM recordings") == []
