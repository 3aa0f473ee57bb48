"""Whole words only, whatever their case; times stay with the words that are still there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.replace_words import learned_pairs, replaced, replaced_in_words, retimed

WORDS = [[0.0, 0.4, "We", 0.9], [0.4, 0.8, "ship", 0.9], [0.8, 1.1, "lark", 0.4], [1.1, 1.6, "more.", 0.6]]


@pytest.mark.parametrize(
    ("text", "wrong", "right", "after"),
    [
        ("lark more and Lark  More's plan", "lark more", "Larkmoor", "Larkmoor and Larkmoor's plan"),
        ("the larks more", "lark more", "Larkmoor", "the larks more"),
        ("cost is $5", "$5", r"\1 \g<0>", r"cost is \1 \g<0>"),
        ("a.b aXb", "a.b", "dot", "dot aXb"),
        ("Über über Übermut", "über", "Uber", "Uber Uber Übermut"),
        ("Speaker ? said", "Speaker ?", "Ada", "Ada said"),
    ],
)
def test_whole_words(text: str, wrong: str, right: str, after: str) -> None:
    assert replaced(text, wrong, right) == after


def test_a_run_of_timed_words_becomes_one() -> None:
    after = replaced_in_words(WORDS, "Lark More", "Larkmoor")
    assert after == [*WORDS[:2], [0.8, 1.6, "Larkmoor.", 0.4]]
    assert replaced_in_words(WORDS, "more lark", "x") == WORDS


def test_an_edited_text_keeps_the_times_of_equal_words() -> None:
    after = retimed(WORDS, "We shipped Larkmoor today.")
    assert after[0] == WORDS[0]
    assert [word[2] for word in after] == ["We", "shipped", "Larkmoor", "today."]
    assert all(start <= end for start, end, *_ in after)
    assert (after[1][0], after[-1][1]) == (0.4, 1.6)


@pytest.mark.parametrize(
    ("before", "after", "pairs"),
    [
        ("we use lark more daily", "we use Larkmoor daily", [("lark more", "Larkmoor")]),
        ("and they're plan", "and their plan", []),
        ("ask Jon Smyth.", "ask John Smith.", [("Jon Smyth", "John Smith")]),
        ("Boys are loud", "Girls are loud", []),
        ("the oh auth flow", "the OAuth2 flow", [("oh auth", "OAuth2")]),
        ("until Friday we wait", "until Monday we wait", []),
        ("on Tuesday at", "on Thursday at", []),
        ("and Ada will do", "and Ben will do", []),
        ("one two three four five six", "Alpha Beta Gamma Delta Epsilon Zeta", []),
    ],
)
def test_only_names_and_terms_are_learned(before: str, after: str, pairs: list[tuple[str, str]]) -> None:
    assert learned_pairs(before, after) == pairs


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_edit_gives_words_in_order_within_the_old_times(before: str, after: str) -> None:
    words = [[float(place), place + 1.0, word, 0.5] for place, word in enumerate(before.split())]
    timed = retimed(words, after)
    assert [word[2] for word in timed] == after.split()
    assert all(left[1] <= right[0] + 1e-9 for left, right in zip(timed, timed[1:], strict=False))
    assert all(0 <= word[0] <= word[1] <= max(1, len(words)) for word in timed)
