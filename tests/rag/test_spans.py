"""The thing asked for, as the sentence says it, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.spans import best_span, is_dated, kind_asked, spans


@pytest.mark.parametrize(
    ("question", "sentence", "span"),
    [
        ("When will we launch?", "Eva: We launch on Tuesday, March twenty-fourth.", "Tuesday, March twenty-fourth"),
        ("When did the strike end?", "The strike began in 1954 and ended on 10 May 1963.", "10 May 1963"),
        ("Wann ist der Umzug?", "Der Umzug ist am 12.03.2025 in Berlin.", "12.03.2025"),
        ("When does it close?", "| Door | Closes |\n|---|---|\n| North | 2031-02-03 |", "2031-02-03"),
        ("How many crates fit?", "Forty-two crates fit into the van of 12 metres.", "Forty-two crates"),
        ("What does the adapter cost?", "The adapter costs 12.50 euros since 2020.", "12.50 euros"),
        ("How many old copies are kept?", "We keep seven copies.", "seven copies"),
        ("Who wrote the report?", "The report was written by Dana Whitfield.", "Dana Whitfield"),
    ],
)  # fmt: skip
def test_the_span_that_answers(question: str, sentence: str, span: str) -> None:
    assert best_span(question, sentence) == span


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("When will we launch?", "Good morning, this is the launch review."),
        ("When did the 1954 strike end?", "The 1954 strike was long."),  # the question says it itself
        ("Why did we move?", "We moved in 2020."),  # asks for no time
        ("Who is Dana Whitfield?", "Dana Whitfield left."),
        ("When may I leave?", "You may leave."),
    ],
)
def test_no_span_where_none_answers(question: str, sentence: str) -> None:
    assert best_span(question, sentence) == ""


def test_a_date_goes_before_a_near_time() -> None:
    assert spans("time", "tomorrow or on 3 May") == ["3 May", "tomorrow", "May"]
    assert is_dated("on 3 May") and not is_dated("tomorrow")


@given(question=st.text(max_size=60), sentence=st.text(max_size=200))
def test_a_span_is_always_copied(question: str, sentence: str) -> None:
    for asked in (question, f"When {question}", f"How many {question}", f"Who {question}"):
        assert best_span(asked, sentence) in sentence
        assert kind_asked(asked) in {None, "time", "number", "person"}
