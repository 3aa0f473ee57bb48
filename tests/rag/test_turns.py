"""Which turns are read within a budget, worked out by hand."""

from rag.turns import Stretch, stretches
from tests.rag.factories import make_hit


def tokens(document_id: int) -> list[int]:
    return [10] * 20


def test_best_first_until_the_budget_is_spent() -> None:
    hits = [
        make_hit(document_id=2, first_position=4, last_position=6),
        make_hit(document_id=1, first_position=0, last_position=9),
    ]
    assert stretches(hits, tokens, budget_tokens=60) == [Stretch(2, 4, 6), Stretch(1, 0, 2)]


def test_overlapping_passages_are_read_once() -> None:
    hits = [
        make_hit(document_id=1, first_position=4, last_position=6),
        make_hit(document_id=1, first_position=6, last_position=8),
    ]
    assert stretches(hits, tokens, budget_tokens=50) == [Stretch(1, 4, 8)]


def test_pages_have_no_turns() -> None:
    assert stretches([make_hit()], tokens, budget_tokens=100) == []
