"""Sentence borders and words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.sentences import sentence_spans, split_sentences, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        (
            "Dr. Smith met J. Doe, e.g. on Monday. Then left.",
            ["Dr. Smith met J. Doe, e.g. on Monday.", "Then left."],
        ),
        ("Version 3.5 is out. It works.", ["Version 3.5 is out.", "It works."]),
        ("He said “Stop.” She went on.", ["He said “Stop.”", "She went on."]),
        ("1. First step", ["1. First step"]),
        ("Title\n\nText", ["Title", "Text"]),
        ("今日は。明日。", ["今日は。", "明日。"]),
        ("", []),
    ],
)
def test_borders(text: str, expected: list[str]) -> None:
    assert split_sentences(text) == expected


@given(st.text())
def test_spans_cover_all_text_in_order(text: str) -> None:
    spans = sentence_spans(text)
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]
    outside = text[: spans[0][0]] + text[spans[-1][1] :] if spans else text
    assert not outside.strip()


def test_codes_stay_one_word() -> None:
    assert words("Ticket ABC-12 isn't in v1.2, Straße!") == [
        "ticket",
        "abc-12",
        "isn't",
        "in",
        "v1.2",
        "strasse",
    ]
