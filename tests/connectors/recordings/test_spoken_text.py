"""Transcripts written for people: Teams' and Meet's documents give speakers and times; prose is no transcript."""

from pathlib import Path

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.recordings.transcript_files.beside import is_transcript_name
from connectors.recordings.transcript_files.parse import parse
from connectors.recordings.transcript_files.spoken_text import read_spoken_text
from core.errors import BadInput

TEAMS = """Weekly sync-20240115_100512-Meeting Recording
January 15, 2024, 10:05AM
12m 3s

Ada Lovelace   0:03
Good morning everyone.
We have two topics.

Ben Ok   0:10
Hi. The budget is 30:70 split.

Ada Lovelace   1:02:05
Thanks.
"""
MEET = """Weekly sync (2024-01-15 10:05 GMT+1) – Transcript
Attendees
Ada Lovelace, Ben Ok
Transcript
Ada Lovelace: Good morning.
Ben Ok: Hi. I will write the notes.
00:05:00
Ada Lovelace: Note: this is important.
Ben Ok: Yes.
Meeting ended after 00:06:10 👋
This editable transcript was computer generated and might contain errors.
"""


def test_teams_document() -> None:
    read = read_spoken_text(TEAMS)
    assert read is not None
    cues, dialect = read
    assert dialect == "Teams document"
    assert [(cue.speaker, cue.start_s, cue.text) for cue in cues] == [
        ("Ada Lovelace", 3, "Good morning everyone. We have two topics."),
        ("Ben Ok", 10, "Hi. The budget is 30:70 split."),
        ("Ada Lovelace", 3725, "Thanks."),
    ]
    assert all(cue.start_s < cue.end_s for cue in cues)
    assert cues[0].end_s <= 10


def test_meet_document() -> None:
    said = parse(MEET.encode(), "notes.txt")
    assert said.engine == "transcript file (Meet document)"
    assert [(one.speaker, one.text) for one in said.utterances] == [
        ("Ada Lovelace", "Good morning."), ("Ben Ok", "Hi. I will write the notes."),
        ("Ada Lovelace", "Note: this is important."), ("Ben Ok", "Yes."),
    ]  # fmt: skip
    assert said.utterances[2].start_s == 300
    assert said.duration_s is not None
    assert said.duration_s <= 370
    assert "estimated" in said.warnings[0]


def test_word_documents_are_read(tmp_path: Path) -> None:
    document = docx.Document()
    for line in TEAMS.split("\n"):
        document.add_paragraph(line)
    path = tmp_path / "Weekly Transcript.docx"
    document.save(str(path))
    said = parse(path)
    assert [one.speaker for one in said.utterances] == ["Ada Lovelace", "Ben Ok", "Ada Lovelace"]
    broken = tmp_path / "broken.docx"
    broken.write_bytes(path.read_bytes()[:500])
    with pytest.raises(BadInput):
        parse(broken)


@pytest.mark.parametrize(
    "text",
    [
        "Dear all,\nthe meeting is at 10:00.\nRegards, Ada",
        "Agenda: budget\nPlace: room 4\nTime: ten\nWho: all",
        "Note: one thing\nand another line",
        "10:00\n11:00\n12:00",
    ],
)
def test_prose_is_no_transcript(text: str) -> None:
    with pytest.raises(BadInput, match="no speech"):
        parse(text.encode(), "notes.txt")


@given(st.text(alphabet="ABab :0123\n\t", max_size=300))
def test_any_text_gives_times_in_order_or_nothing(text: str) -> None:
    read = read_spoken_text(text)
    for cue in read[0] if read else []:
        assert 0 <= cue.start_s <= cue.end_s
        assert cue.text
        assert cue.speaker


def test_names_of_transcripts() -> None:
    assert all(map(is_transcript_name, ("a.VTT", "a.srt", "Sync - Transcript.docx", "transcript.txt")))
    assert not any(map(is_transcript_name, ("a.mp4", "notes.docx", "a.txt", ".a.vtt", "~a.vtt", "a.json")))
