"""What a question's words narrow, and that a wrong reading hides nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from core.tables.documents import Document
from rag.answer import find
from rag.narrowing import meeting_named, narrowing, since
from tests.rag.conftest import EMBEDDER

MakeDocument = Callable[..., Document]
NOW = datetime(2024, 5, 10, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("question", "days"),
    [
        ("What did we decide yesterday?", 1),
        ("What was said last week about the kiln?", 14),
        ("Which pages changed in the past 3 days?", 3),
        ("Was wurde letzte Woche entschieden?", 14),
    ],
)
def test_words_of_time_are_a_lower_bound(question: str, days: int) -> None:
    assert since(question, now=NOW) == datetime(2024, 5, 10, tzinfo=UTC) - timedelta(days=days)


@pytest.mark.parametrize("question", ["How long does the last step take?", "Who is on the weekly call?", ""])
def test_other_words_are_not(question: str) -> None:
    assert since(question, now=NOW) is None


def test_only_spaces_the_asker_can_open_are_known(db_session: Session, make_document: MakeDocument) -> None:
    make_document("Open", "Words.", space_key="ENG", gate_ids=[1])
    make_document("Closed", "Words.", space_key="HR", gate_ids=[2])
    assert narrowing(db_session, "How do deploys work in ENG?", [1], now=NOW).spaces == ("ENG",)
    assert not narrowing(db_session, "How do reviews work in HR?", [1], now=NOW)
    assert not narrowing(db_session, "How do reviews work in EU?", [1], now=NOW)


def test_a_named_space_narrows_and_an_empty_reading_is_dropped(
    session_factory: sessionmaker[Session], db_session: Session, make_document: MakeDocument
) -> None:
    make_document("Deploys", "Deploys run on Monday.", space_key="ENG")
    make_document("Other deploys", "Deploys run on Friday.", space_key="OPS")
    db_session.commit()
    asked: dict[str, Any] = {"passed_gates": [1], "embedder": EMBEDDER}
    within = find(session_factory, "When do deploys run in OPS?", **asked)
    assert [hit.space_key for hit in within.hits] == ["OPS"]
    assert within.narrowed is not None and within.narrowed.spaces == ("OPS",)
    old = find(session_factory, "Which deploys run today?", **asked)
    assert {hit.space_key for hit in old.hits} == {"ENG", "OPS"} and old.narrowed is None


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("What do the minutes of the design review say about hinges?", ("design", "review")),
        ("Show me the notes from our weekly platform meeting last week", ("weekly", "platform")),
        ("Was steht im Protokoll vom Jour fixe?", ("jour", "fixe")),
        ("How many minutes of battery life are left?", ()),
        ("What was said in the meeting?", ()),
    ],
)
def test_a_meeting_is_named_by_its_minutes(question: str, title: tuple[str, ...]) -> None:
    assert meeting_named(question) == title


def test_minutes_of_a_meeting_narrow_to_what_the_asker_can_open(
    session_factory: sessionmaker[Session], db_session: Session, make_document: MakeDocument
) -> None:
    review = make_document("Design review: minutes", "The hinge is made of brass.")
    make_document("Hinges", "The hinge of the old door is made of steel.")
    make_document("Design review: notes", "The hinge is a secret.", gate_ids=[2])
    db_session.commit()
    question = "What do the minutes of the design review say about the hinge?"
    assert narrowing(db_session, question, [1], now=NOW).document_ids == (review.id,)
    found = find(session_factory, question, passed_gates=[1], embedder=EMBEDDER)
    assert [hit.document_id for hit in found.hits] == [review.id]
    other = find(session_factory, "minutes of the garden party: hinge", passed_gates=[1], embedder=EMBEDDER)
    assert len(other.hits) == 2 and other.narrowed is None
