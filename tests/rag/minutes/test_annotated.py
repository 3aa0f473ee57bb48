"""Decisions, actions, owners and dates are found, and little else, in meetings annotated by hand."""

import pytest

from tests.rag.minutes.measure import groups, scores

GOOD_ENOUGH = 0.85


def test_both_halves_are_large_enough() -> None:
    dev, held_out = groups("dev"), groups("held_out")
    assert len(dev) >= 30 and len(held_out) >= 30
    assert not {group["id"] for group in dev} & {group["id"] for group in held_out}


@pytest.mark.parametrize("split", ["dev", "held_out"])
@pytest.mark.parametrize("name", ["decision", "action", "owner", "due"])
def test_precision_and_recall(split: str, name: str) -> None:
    misses: list[str] = []
    score = scores(split, misses)[name]
    assert score.n_wanted >= 10
    assert score.precision >= GOOD_ENOUGH, misses
    assert score.recall >= GOOD_ENOUGH, misses
