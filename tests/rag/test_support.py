"""A sentence stands only when its evidence carries it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.support import is_supported, stem

EVIDENCE = (
    "The release train leaves on 12 March 2024 with version 2.5. Anna Meier approved the budget of 1,200 euros. "
    "The backup does not run on Sundays. Three servers were moved to Frankfurt."
)


@pytest.mark.parametrize(
    "sentence",
    [
        "The release train leaves on 12 March 2024 with version 2.5.",
        "Anna Meier approved the budget of 1200 euros.",
        "3 servers were moved to Frankfurt.",
        "The backup doesn't run on Sundays.",
        "Anna Meier has approved a budget.",
    ],
)
def test_carried(sentence: str) -> None:
    assert is_supported(sentence, [EVIDENCE]).is_supported


@pytest.mark.parametrize(
    ("sentence", "missing"),
    [
        ("The release train leaves on 13 March 2024 with version 2.5.", "13"),
        ("The budget of 1,300 euros was approved by Anna Meier.", "1,300"),
        ("The budget was approved by Bernd Meier.", "Bernd"),
        ("The backup does run on Sundays.", "negation"),
        ("Anna Meier never approved the budget of 1,200 euros.", "negation"),
    ],
)
def test_invented_fact_is_named(sentence: str, missing: str) -> None:
    support = is_supported(sentence, [EVIDENCE])
    assert not support.is_supported
    assert missing in support.missing


def test_other_words_are_not_carried() -> None:
    assert not is_supported("Customers complained about slow delivery.", [EVIDENCE]).is_supported
    assert not is_supported("Anything at all.", []).is_supported
    assert not is_supported("", [EVIDENCE]).is_supported


def test_plural_and_tense_meet() -> None:
    assert stem("plans") == stem("planned") == stem("planning")
    assert stem("three") == "3"


@given(st.text(), st.lists(st.text(), max_size=3))
def test_any_text_gets_a_bounded_score(sentence: str, passages: list[str]) -> None:
    assert 0 <= is_supported(sentence, passages).score <= 1
