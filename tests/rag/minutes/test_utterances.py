"""Speech becomes sentences: noise goes, words and positions stay."""

import pytest

from core.transcript import Utterance
from rag.minutes.cues import cues_for
from rag.minutes.utterances import MAX_SENTENCE_CHARS, clean, sentences

ENGLISH = cues_for("en")


@pytest.mark.parametrize(
    ("raw", "readable"),
    [
        ("Um , I I think {vocalsound} it 's it 's fine .", "I think it's fine."),
        ("we will uh send the the report", "we will send the report"),
        ("You know, it does n't work .", "it doesn't work."),
        ("a y yellow strip", "a yellow strip"),
        ("do you know what I mean by that ?", "do you know what I mean by that?"),
        ("I don't think so", "I don't think so"),
        ("it had had no effect", "it had had no effect"),
        ("{disfmarker}", ""),
    ],
)
def test_clean(raw: str, readable: str) -> None:
    assert clean(raw, ENGLISH) == readable


def _said(*turns: tuple[str | None, str]) -> list[Utterance]:
    return [Utterance(5.0 * i, 5.0 * i + 4.0, text, speaker) for i, (speaker, text) in enumerate(turns)]


def test_fragments_of_one_speaker_join_across_listening_noises() -> None:
    found = sentences(
        _said(
            ("Ann", "So we will move the launch"),
            ("Bob", "Mm-hmm."),
            ("Ann", "to the first of June."),
            ("Bob", "Good."),
        ),
        ENGLISH,
    )
    joined = found[0]
    assert joined.text == "We will move the launch to the first of June."
    assert (joined.first, joined.last, joined.start_s, joined.end_s) == (0, 2, 0.0, 14.0)
    assert [s.is_reaction for s in found] == [False, True]  # a pure "mm-hmm" leaves nothing


def test_words_of_somebody_else_end_a_fragment() -> None:
    found = sentences(
        _said(("Ann", "I think we"), ("Bob", "The price went up."), ("Ann", "should stop.")), ENGLISH
    )
    assert [s.text for s in found] == ["I think we", "The price went up.", "Should stop."]


def test_sentences_of_one_utterance_share_its_position() -> None:
    found = sentences(_said(("Ann", "The server is slow. Who can look at it?")), ENGLISH)
    assert [(s.first, s.last, s.is_question) for s in found] == [(0, 0, False), (0, 0, True)]


def test_endless_sentences_are_cut() -> None:
    found = sentences(_said(("Ann", "word, " * 1_000)), ENGLISH)
    assert max(len(s.text) for s in found) <= MAX_SENTENCE_CHARS + 1
