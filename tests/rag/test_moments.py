"""A sentence said in the middle of a passage is cited at the second it was said."""

from rag.moments import SpokenLine, moment_of
from rag.search import Hit
from rag.sentences import words
from rag.support import stem
from tests.rag.test_answer import make_hit


def line(start_s: float, text: str) -> SpokenLine:
    return SpokenLine(start_s, frozenset(stem(word) for word in words(text)))


def hit() -> Hit:
    return make_hit(chunk_id=7, start_s=10.0, end_s=60.0)


def test_the_utterance_that_shares_most_words_wins() -> None:
    lines = {
        7: [
            line(10.0, "good morning all"),
            line(31.5, "we keep old copies for seven days"),
            line(50.0, "old news"),
        ]
    }
    assert moment_of("We keep the old copies for seven days.", hit(), lines) == 31.5


def test_the_passage_start_when_nothing_fits() -> None:
    assert moment_of("Unrelated statement entirely.", hit(), {7: [line(31.5, "seven days")]}) == 10.0
    assert moment_of("No utterances known.", hit(), {}) == 10.0
