"""Questions that lean on the one before: what must come out, and what must stay as it was said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.follow_up import MAX_CHARS, stand_alone


@pytest.mark.parametrize(
    ("previous", "question", "whole"),
    [
        ("Who leads the office in Paris?", "And in Berlin?", "Who leads the office in Berlin?"),
        ("How many servers failed in 2022?", "and in 2023?", "How many servers failed in 2023?"),
        ("What did Ann say about the launch?", "And Bob?", "What did Bob say about the launch?"),
        (
            "What did Ann say about the launch?",
            "And about the budget?",
            "What did Ann say about the budget?",
        ),
        ("Who runs the design review?", "When is it?", "When is design review?"),
        ("Wer leitet das Büro in Paris?", "Und in Berlin?", "Wer leitet das Büro in Berlin?"),
    ],
)
def test_takes_what_is_missing_from_the_question_before(previous: str, question: str, whole: str) -> None:
    assert stand_alone(previous, question) == whole


@pytest.mark.parametrize(
    "question",
    [
        "How do I deploy the billing service to production?",
        "What did Bob say about the launch?",
        "Which database does Orion use?",
        "thanks",
    ],
)
def test_leaves_what_stands_alone(question: str) -> None:
    assert stand_alone("What did Ann say about the launch?", question) == question


def test_joins_both_where_nothing_can_be_put_in_place() -> None:
    assert stand_alone("What did we decide about the retention of backups?", "Why?") == (
        "Why (the retention of backups)?"
    )


@given(st.text(max_size=200), st.text(max_size=200))
def test_never_raises_and_keeps_the_question_when_nothing_came_before(previous: str, question: str) -> None:
    assert isinstance(stand_alone(previous, question), str)
    assert stand_alone("", question) == " ".join(question.replace("\x00", " ").split())[:MAX_CHARS]
