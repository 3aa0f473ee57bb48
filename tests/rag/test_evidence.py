"""The budget is kept, neighbours are joined, overlaps are read once."""

from rag.evidence import gather
from tests.rag.factories import make_hit


def test_budget_passes_over_what_is_too_long() -> None:
    hits = [
        make_hit("a", chunk_id=1, document_id=1, n_tokens=60),
        make_hit("b", chunk_id=2, document_id=2, n_tokens=60),
        make_hit("c", chunk_id=3, document_id=3, n_tokens=40),
    ]
    assert [block.text for block in gather(hits, 100)] == ["a", "c"]
    assert [block.text for block in gather(hits[:1], 10)] == ["a"]
    assert gather([], 100) == []


def test_neighbours_are_joined_in_reading_order() -> None:
    hits = [
        make_hit("Second part. Shared sentence here.", chunk_id=1, position=4),
        make_hit("Elsewhere.", chunk_id=2, document_id=2, position=4),
        make_hit("Shared sentence here. Third part.", chunk_id=3, position=5),
        make_hit("First part.", chunk_id=4, position=3),
    ]
    first, second = gather(hits, 1_000)
    assert (first.number, second.number) == (1, 2)
    assert first.text == "First part.\n\nSecond part. Shared sentence here.\n\nThird part."
    assert second.text == "Elsewhere."


def test_a_late_hit_bridges_two_groups() -> None:
    hits = [make_hit(f"p{position}", chunk_id=position, position=position) for position in (1, 3, 2)]
    (block,) = gather(hits, 1_000)
    assert [hit.position for hit in block.hits] == [1, 2, 3]
