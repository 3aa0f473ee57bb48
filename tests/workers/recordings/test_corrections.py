"""Corrected once: transcript, passages of search, minutes, glossary, and the next meeting say it right."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput, Conflict, NotFound
from tests.workers.recordings.conftest import Studio
from workers import corrections, glossary
from workers.recordings import finish

VTT = b"""WEBVTT

00:00:01.000 --> 00:00:04.000
<v Speaker 1>Good morning, we have to decide about the lark more launch.</v>

00:00:05.000 --> 00:00:09.000
<v Ben>We decided to move the Lark More launch to Friday.</v>

00:00:10.000 --> 00:00:14.000
<v Speaker 1>I will write the release notes until Thursday.</v>
"""


@pytest.fixture
def heard(studio: Studio, make_sound: Callable[..., Path]) -> int:
    """A transcribed, indexed recording with drafted minutes."""
    sound = make_sound("corrected.wav", "-f", "lavfi", "-i", "sine=d=15", "-ar", "16000")
    recording_id = studio.upload(sound, VTT)
    for kind in ("transcribe_recording", "index_document", "draft_minutes"):
        studio.run(kind)
    return recording_id


def _texts(studio: Studio, query: str) -> str:
    return "\n".join(str(row[0]) for row in studio.rows(query))


def _call(studio: Studio, function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    with studio.context.factory.begin() as session:
        return function(session, studio.context.settings, *arguments, **more)


def test_a_corrected_word_is_right_everywhere(studio: Studio, heard: int) -> None:
    before = _texts(studio, "SELECT lines FROM minutes")
    assert "ark more" in before.lower()
    done = _call(studio, corrections.correct_word, heard, "lark more", "Larkmoor")
    assert done.n_utterances == 2
    assert done.n_lines > 0
    assert done.learned == ("Larkmoor",)
    studio.run("index_document")
    for query in (
        "SELECT text FROM segments", "SELECT markdown FROM documents", "SELECT lines FROM minutes",
        "SELECT text FROM chunks",
    ):  # fmt: skip
        said = _texts(studio, query)
        assert "lark more" not in said.lower()
        assert "Larkmoor" in said
    assert studio.rows("SELECT 1 FROM postings WHERE lexeme = 'larkmoor'")
    kept = studio.rows("SELECT heard FROM segments WHERE heard IS NOT NULL ORDER BY position")
    assert [row.heard for row in kept] == [
        "Good morning, we have to decide about the lark more launch.",
        "We decided to move the Lark More launch to Friday.",
    ]


def test_twice_changes_nothing(studio: Studio, heard: int) -> None:
    _call(studio, corrections.correct_word, heard, "lark more", "Larkmoor")
    again = _call(studio, corrections.correct_word, heard, "lark more", "Larkmoor")
    assert (again.n_utterances, again.n_lines) == (0, 0)
    assert len(studio.rows("SELECT 1 FROM glossary")) == 1


def test_the_next_meeting_is_mended_by_itself(
    studio: Studio, heard: int, make_sound: Callable[..., Path]
) -> None:
    _call(studio, corrections.correct_word, heard, "lark more", "Larkmoor")
    sound = make_sound("next.wav", "-f", "lavfi", "-i", "sine=d=16:f=300", "-ar", "16000")
    following = studio.upload(sound, VTT)
    studio.run("transcribe_recording")
    said = " ".join(segment[4] for segment in studio.segments(following))
    assert said.count("Larkmoor") == 2
    assert "lark more" not in said.lower()
    with studio.context.factory.begin() as session:
        from core.tables.meetings import Recording

        assert "Larkmoor" in glossary.hotwords(session, session.get_one(Recording, following))


def test_an_edited_utterance_teaches_its_names_to_the_others(studio: Studio, heard: int) -> None:
    done = _call(
        studio, corrections.correct_utterance, heard, 1, "We decided to move the Larkmoor launch to Monday."
    )
    assert done.learned == ("Larkmoor",)
    texts = [segment[4] for segment in studio.segments(heard)]
    assert texts[1] == "We decided to move the Larkmoor launch to Monday."
    assert "Larkmoor" in texts[0]
    assert "Friday" not in texts[0]


def test_a_renamed_speaker_is_renamed_everywhere_and_when_heard_again(studio: Studio, heard: int) -> None:
    done = _call(studio, corrections.rename_speaker, heard, "Speaker 1", "Ada Lovelace")
    assert done.n_utterances == 2
    studio.run("index_document")
    for query in (
        "SELECT speaker FROM segments", "SELECT markdown FROM documents", "SELECT speakers FROM chunks",
        "SELECT lines FROM minutes",
    ):  # fmt: skip
        assert "Speaker 1" not in _texts(studio, query)
    assert "Ada Lovelace" in _texts(studio, "SELECT lines FROM minutes")
    _call(studio, corrections.rename_speaker, heard, "Ada Lovelace", "Ada King")
    studio.again("transcribe_recording", heard)
    assert [segment[3] for segment in studio.segments(heard)] == ["Ada King", "Ben", "Ada King"]


def test_nobody_known_can_be_named(studio: Studio, make_sound: Callable[..., Path]) -> None:
    sound = make_sound("unknown.wav", "-f", "lavfi", "-i", "sine=d=15:f=500", "-ar", "16000")
    vtt = b"WEBVTT\n\n00:01.000 --> 00:03.000\nHello there.\n\n00:08.000 --> 00:09.000\nBye.\n"
    recording_id = studio.upload(sound, vtt)
    studio.run("transcribe_recording")
    _call(studio, corrections.rename_speaker, recording_id, "Speaker ?", "Ada", positions=[0])
    assert [segment[3] for segment in studio.segments(recording_id)] == ["Ada", None]
    assert _texts(studio, "SELECT markdown FROM documents") == "Ada: Hello there.\nSpeaker ?: Bye."


@pytest.mark.parametrize(
    ("function", "arguments", "error"),
    [
        (corrections.correct_word, ("", "x"), BadInput),
        (corrections.correct_word, ("?!", "x"), BadInput),
        (corrections.correct_word, ("word", " "), BadInput),
        (corrections.correct_utterance, (99, "text"), NotFound),
        (corrections.correct_utterance, (0, " "), BadInput),
        (corrections.rename_speaker, ("Nobody", "Ada"), NotFound),
        (corrections.rename_speaker, ("Ben", "?"), BadInput),
        (corrections.rename_speaker, ("Ben", "x" * 121), BadInput),
    ],
)
def test_what_cannot_be_is_said(
    studio: Studio,
    heard: int,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        _call(studio, function, heard, *arguments)


def test_a_recording_that_is_being_heard_is_left_alone(studio: Studio, heard: int) -> None:
    studio.rows("UPDATE recordings SET state = 'transcribing' RETURNING 1")
    with pytest.raises(Conflict):
        _call(studio, corrections.correct_word, heard, "lark more", "Larkmoor")


def test_a_published_version_is_published_again(studio: Studio, heard: int) -> None:
    studio.rows("UPDATE minutes SET state = 'published' RETURNING 1")
    _call(studio, corrections.correct_word, heard, "lark more", "Larkmoor")
    [job] = studio.rows("SELECT key, args FROM jobs WHERE kind = 'publish_minutes' AND state = 'queued'")
    assert job.key == str(heard)


def test_a_glossary_term_mends_what_was_heard_before(studio: Studio, heard: int) -> None:
    with studio.context.factory.begin() as session:
        glossary.add_term(session, "Larkmoor", ["lark more"])
    assert studio.run("apply_glossary") == {"n_recordings": 1, "n_utterances": 2}
    assert "lark more" not in _texts(studio, "SELECT lines FROM minutes").lower()


def test_import_is_all_or_nothing(studio: Studio) -> None:
    good = b'\xef\xbb\xbfLarkmoor,lark more,"larch, moor"\n# comment\n\nOAuth2\n'
    with studio.context.factory.begin() as session:
        assert glossary.import_terms(session, good) == 2
    with pytest.raises(BadInput, match="line 2"), studio.context.factory.begin() as session:
        glossary.import_terms(session, b"Fine\nBad,x\n")
    with studio.context.factory() as session:
        terms = glossary.list_terms(session)
    assert [(one.term, one.heard_as) for one in terms] == [
        ("Larkmoor", ("lark more", "larch, moor")),
        ("OAuth2", ()),
    ]


def test_hotwords_come_from_pages_that_all_hearers_may_read(studio: Studio, heard: int) -> None:
    from core.access import set_gate
    from core.tables.documents import Document
    from core.tables.meetings import Recording

    with studio.context.factory.begin() as session:
        recording = session.get_one(Recording, heard)
        recording.participants = ["Ada Lovelace"]
        open_gate = set_gate(session, recording.source_id, "open", ["anyone"])
        narrow = set_gate(session, recording.source_id, "narrow", ["user:1"])
        recording.gate_ids = [open_gate]
        for number, (title, gates) in enumerate(
            [
                ("The Quillfeather Plan", [open_gate]),
                ("Project Nightjar", [open_gate, narrow]),
                ("Lost Heron", None),
            ]
        ):
            session.add(
                Document(source_id=recording.source_id, external_id=str(number), kind="page", title=title, url="",
                         labels=["blue-box"] if number == 0 else [], gate_ids=gates)
            )  # fmt: skip
        session.flush()
        words = glossary.hotwords(session, recording)
    assert words[0] == "Ada Lovelace"
    assert {"Quillfeather", "blue box"} <= set(words)
    assert not {"Nightjar", "Heron", "Plan", "Project"} & set(words)


def test_finish_without_corrections_keeps_what_was_heard(studio: Studio, heard: int) -> None:
    from workers.recordings import load_transcript

    with studio.context.factory.begin() as session:
        _, transcript = load_transcript(session, heard)
        assert finish(session, studio.context.settings, heard, transcript) == 3


def test_minutes_that_are_being_drafted_are_drafted_again(studio: Studio, heard: int) -> None:
    with studio.context.factory.begin() as session:
        from core import jobs

        jobs.enqueue(session, "draft_minutes", str(heard), recording_id=heard)
    drafting = studio.claim(studio.waiting("draft_minutes"))
    _call(studio, corrections.correct_word, heard, "lark more", "Larkmoor")
    studio.run_claimed(drafting)
    studio.run("draft_minutes")
    [newest] = studio.rows("SELECT lines::text AS said FROM minutes ORDER BY version DESC LIMIT 1")
    assert "lark more" not in newest.said.lower()
