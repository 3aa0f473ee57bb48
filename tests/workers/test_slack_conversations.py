"""What is a question in a thread of people, and what a follow-up carries over."""

import pytest

from workers.slack_conversations import is_question, stand_alone

KESTREL = "Why was the Kestrel launch moved?"


@pytest.mark.parametrize(
    "text", ["and when?", "who decided that", "what about Norvik", "Wann denn genau", "tell me more"]
)
def test_questions(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize("text", ["thanks!", "ok, let me look", "I think Ada did it", "👍", ""])
def test_talk(text: str) -> None:
    assert not is_question(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("and when?", "and when? (Kestrel launch moved)"),
        ("who decided it?", "who decided it? (Kestrel launch moved)"),
        ("to which date was it moved?", "to which date was it moved? (Kestrel launch)"),
        ("How many salaries does the Orchid severance package pay?", None),
    ],
)
def test_stand_alone(text: str, expected: str | None) -> None:
    assert stand_alone(text, KESTREL) == expected


def test_nothing_to_carry_changes_nothing() -> None:
    assert stand_alone("and when?", "why?") is None


def test_only_so_many_words_are_carried() -> None:
    before = " ".join(f"topic{n}" for n in range(50))
    understood = stand_alone("and when?", before)
    assert understood is not None and understood.count("topic") == 8
