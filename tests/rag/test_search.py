"""Search: BM25 by hand, gates, stems, phrases, typos, filters and hostile questions."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.tables.documents import Document
from rag.query import understand
from rag.search import Filters, Found, search
from rag.spelling import edit_distance
from rag.store import StoredModel, find_model
from tests.rag.conftest import EMBEDDER

MakeDocument = Callable[..., Document]
Ask = Callable[..., Found]


@pytest.fixture
def ask(db_session: Session, model_id: int) -> Ask:
    def run(question: str, passed: tuple[int, ...] = (1,), **options: Any) -> Found:
        model = find_model(db_session, EMBEDDER)
        assert isinstance(model, StoredModel)
        query = understand(question)
        vector = EMBEDDER.embed_query(query.text)
        return search(db_session, query, vector, model=model, passed_gates=passed, **options)

    return run


def titles(found: Found) -> list[str]:
    return [hit.title for hit in found.hits]


def test_bm25_by_hand(ask: Ask, make_document: MakeDocument) -> None:
    # Terms with the title: "a1 lantern lantern oak" (4), "b1 lantern pine birch cedar maple" (6), "c1 oak pine" (3).
    make_document("a1", "lantern lantern oak")
    make_document("b1", "lantern pine birch cedar maple")
    make_document("c1", "oak pine")
    hits = {hit.title: hit for hit in ask("lantern").hits}
    idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    mean = (4 + 6 + 3) / 3

    def expected(tf: int, n_terms: int) -> float:
        return idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * n_terms / mean))

    assert hits["a1"].lexical_score == pytest.approx(expected(2, 4))
    assert hits["b1"].lexical_score == pytest.approx(expected(1, 6))
    assert "c1" not in hits or hits["c1"].lexical_score == 0
    assert titles(ask("lantern"))[0] == "a1"


def test_vector_score_is_the_cosine(ask: Ask, make_document: MakeDocument) -> None:
    make_document("", "alpha beta")
    (hit,) = ask("alpha beta").hits
    assert hit.vector_score == pytest.approx(1.0, abs=2e-3)


def test_a_document_needs_all_its_gates(ask: Ask, make_document: MakeDocument) -> None:
    make_document("both", "salary table", gate_ids=[1, 2])
    make_document("closed", "salary secrets", gate_ids=None)
    assert titles(ask("salary", passed=(1,))) == []
    assert titles(ask("salary", passed=(2,))) == []
    assert titles(ask("salary", passed=())) == []
    assert titles(ask("salary", passed=(1, 2, 3))) == ["both"]


def test_deleted_and_archived_are_not_found(ask: Ask, make_document: MakeDocument) -> None:
    make_document("gone", "apples", deleted_at=datetime(2024, 1, 1, tzinfo=UTC))
    make_document("old", "apples too", status="archived")
    assert titles(ask("apples")) == []


def test_words_meet_in_their_stems(ask: Ask, make_document: MakeDocument) -> None:
    make_document("de", "Die Häuser wurden verkauft.", language="german")
    make_document("en", "The servers were migrated.")
    german = {hit.title: hit.lexical_score for hit in ask("Welches Haus verkaufen wir?").hits}
    english = {hit.title: hit.lexical_score for hit in ask("When did the migration of a server happen?").hits}
    assert german["de"] > 0 and german.get("en", 0) == 0
    assert english["en"] > 0 and english.get("de", 0) == 0


def test_words_of_asking_do_not_search(ask: Ask, make_document: MakeDocument) -> None:
    make_document("a", "What did they say about it?")
    assert set(ask("What did Miller say about the budget?").lexemes) == {"miller", "budget"}


def test_quoted_phrase_is_exact(ask: Ask, make_document: MakeDocument) -> None:
    make_document("right", "The release\n train leaves on Monday.")
    make_document("wrong", "The train leaves after the release.")
    assert titles(ask('When does the "release train" leave?')) == ["right"]
    assert titles(ask('"100%_release"')) == []


def test_typo_is_corrected_from_readable_words_only(ask: Ask, make_document: MakeDocument) -> None:
    make_document("open", "The kubernetes cluster is down.")
    make_document("closed", "Project zeppelin is secret.", gate_ids=[9])
    found = ask("kubernetse outage")
    assert found.corrections == {"kubernetse": "kubernet"}
    assert found.hits[0].lexical_score > 0
    assert ask("zepelin").corrections == {}
    assert ask("zepelin", passed=(1, 9)).corrections == {"zepelin": "zeppelin"}


@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [
        ("house", "house", 0),
        ("huose", "house", 1),
        ("hous", "house", 1),
        ("horse", "house", 1),
        ("cat", "house", 3),
    ],
)
def test_edit_distance(left: str, right: str, distance: int) -> None:
    assert edit_distance(left, right, 2) == distance


def test_filters(ask: Ask, make_document: MakeDocument, source: Any) -> None:
    make_document("page", "budget", space_key="ENG", labels=["q3"], author="Ann")
    make_document("talk", "budget talk", kind="transcript", space_key=None)
    assert titles(ask("budget", filters=Filters(spaces=("ENG",)))) == ["page"]
    assert titles(ask("budget", filters=Filters(labels=("q3", "x")))) == ["page"]
    assert titles(ask("budget", filters=Filters(kinds=("transcript",)))) == ["talk"]
    assert titles(ask("budget", filters=Filters(people=("ann",)))) == ["page"]
    assert titles(ask("budget", filters=Filters(updated_after=datetime(2025, 1, 1, tzinfo=UTC)))) == []
    assert len(ask("budget", filters=Filters(source_ids=(source.id,))).hits) == 2


def test_copies_are_folded(ask: Ask, make_document: MakeDocument) -> None:
    body = "The backup runs every night at two and is kept for thirty days on another site."
    make_document("original", body)
    make_document("copy", body)
    found = ask("backup night")
    assert len(found.hits) == 1 and found.n_folded == 1


def test_re_export_with_small_changes_is_folded(ask: Ask, make_document: MakeDocument) -> None:
    body = (
        "The backup runs every night at two and is kept for thirty days on another site far away from here."
    )
    make_document("original", body)
    make_document("export", f"**{body}**\n\n")
    assert len(ask("backup night").hits) == 1


def test_narrow_gate_still_finds_enough(db_session: Session, ask: Ask, make_document: MakeDocument) -> None:
    for n in range(120):
        make_document(f"d{n}", f"alpha beta number{n}", gate_ids=[1] if n % 30 == 0 else [2])
    db_session.execute(text("SET LOCAL enable_seqscan = off"))
    assert len(ask("alpha beta").hits) == 4


@pytest.mark.parametrize(
    "question",
    [
        "",
        "   ",
        "what did the of and",
        "'; DROP TABLE chunks; --",
        "x' OR 1=1 --",
        "nul\x00byte \ud800",
        "word " * 8_000,
        "a" * 40_000,
        " ".join(f"w{n}" for n in range(9_000)),
        '"" "%" "unclosed',
        ":name :passed %(x)s {dim} \\",
        "💥" * 500,
    ],
)
def test_hostile_questions_are_only_words(ask: Ask, make_document: MakeDocument, question: str) -> None:
    make_document("a", "ordinary text")
    make_document("closed", "ordinary secret", gate_ids=[7])
    assert "closed" not in titles(ask(question))
