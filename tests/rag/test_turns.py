"""Which turns are read within a budget, worked out by hand."""

from rag.turns import Stretch, joined, stretches
from tests.rag.factories import make_hit


def tokens(document_id: int) -> list[int]:
    return [10] * 20


def test_best_first_until_the_budget_is_spent() -> None:
    hits = [
        make_hit(document_id=2, first_position=4, last_position=6, score=2.0),
        make_hit(document_id=1, first_position=0, last_position=9, score=1.0),
    ]
    assert stretches(hits, tokens, budget_tokens=69, fade_tokens=0) == [Stretch(2, 4, 6), Stretch(1, 0, 2)]


def test_overlapping_passages_are_read_once_and_where_they_overlap_first() -> None:
    hits = [
        make_hit(document_id=1, first_position=4, last_position=6, score=1.0),
        make_hit(document_id=1, first_position=6, last_position=8, score=1.0),
    ]
    assert stretches(hits, tokens, budget_tokens=50, fade_tokens=0) == [Stretch(1, 4, 8)]
    assert stretches(hits, tokens, budget_tokens=10, fade_tokens=0) == [Stretch(1, 6, 6)]


def test_pages_have_no_turns() -> None:
    assert stretches([make_hit()], tokens, budget_tokens=100) == []


def test_what_was_said_around_a_passage_is_read_before_a_much_worse_passage() -> None:
    hits = [
        make_hit(document_id=2, first_position=4, last_position=5, score=5.0),
        make_hit(document_id=1, first_position=0, last_position=9, score=0.0),
    ]
    assert stretches(hits, tokens, budget_tokens=60, fade_tokens=10) == [Stretch(2, 2, 7)]
    assert stretches(hits, tokens, budget_tokens=70, fade_tokens=10) == [Stretch(2, 2, 7), Stretch(1, 0, 0)]


def test_passages_that_stand_together_are_read_before_a_lone_one_as_good() -> None:
    lone = make_hit(document_id=1, first_position=0, last_position=2, score=1.1)
    pair = [make_hit(document_id=2, first_position=at, last_position=at + 2, score=1.0) for at in (4, 7)]
    assert stretches([lone, *pair], tokens, budget_tokens=60, fade_tokens=50) == [Stretch(2, 4, 9)]


def test_a_passage_past_the_end_of_its_document_reads_nothing_else() -> None:
    hit = make_hit(document_id=1, first_position=30, last_position=40, score=1.0)
    assert stretches([hit], tokens, budget_tokens=100, fade_tokens=0) == []


def test_neighbours_are_one_place_of_at_most_three_passages() -> None:
    hits = [
        make_hit(document_id=d, position=p, chunk_id=10 * d + p)
        for d, p in [(1, 3), (2, 4), (1, 4), (1, 2), (1, 5)]
    ]
    places = [[(hit.document_id, hit.position) for hit in place] for place in joined(hits)]
    assert places == [[(1, 2), (1, 3), (1, 4)], [(2, 4)], [(1, 5)]]
