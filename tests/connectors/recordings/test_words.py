import pytest

from connectors.recordings.transcribers.words import is_loop, is_silence, utterances_of
from core.transcript import Word


def test_utterances_end_at_pauses_and_sentences():
    words = [Word(0, 1, "One", 0.5), Word(1.1, 2, "two.", 1.0), Word(2.4, 3, "Three"), Word(4.5, 5, "four")]
    found = utterances_of(words, speaker="Channel 1")
    assert [(one.start_s, one.end_s, one.text, one.confidence) for one in found] == [
        (0, 2, "One two.", 0.75),
        (2.4, 3, "Three", None),
        (4.5, 5, "four", None),
    ]
    assert {one.speaker for one in found} == {"Channel 1"} and found[0].words == tuple(words[:2])


def test_japanese_has_no_spaces():
    words = [Word(0, 1, "会議"), Word(1, 2, "です。")]
    assert utterances_of(words, speaker=None, language="ja")[0].text == "会議です。"
    assert utterances_of(words, speaker=None, language="en")[0].text == "会議 です。"


def test_speech_without_a_pause_is_cut_all_the_same():
    words = [Word(step * 0.5, step * 0.5 + 0.5, "on") for step in range(400)]
    found = utterances_of(words, speaker=None)
    assert all(one.end_s - one.start_s <= 30 for one in found)
    assert sum(len(one.words) for one in found) == 400


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for watching. " * 4,
        "la " * 8,
        "so we go on and " * 4,
        "you know what I mean? " * 12,
        "a" * 300,
    ],
)
def test_loops(text):
    assert is_loop(text)


@pytest.mark.parametrize(
    "text",
    [
        "No, no, no, no, no! That is not what we agreed.",
        "Thank you. Thank you. Thank you.",
        "Ask not what your country can do for you, ask what you can do for your country.",
        "",
        "Once the test is complete, you will find a number for both models included in your test. Click on the test name"
        " to view the testing detail page, which lists all the utterances in your dataset.",
    ],
)
def test_people_repeat_themselves_too(text):
    assert not is_loop(text)


def test_silence_needs_both_doubts():
    assert is_silence(0.9, -1.5)
    assert not is_silence(0.9, -0.3)
    assert not is_silence(0.1, -1.5)
