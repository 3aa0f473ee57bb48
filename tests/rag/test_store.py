"""Indexing is a difference: what did not change keeps its vectors, and the statistics stay true."""

from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import BadInput, NotFound
from core.tables.documents import Document
from rag.chunking import chunk_markdown
from rag.embedding import HashedWordsEmbedder
from rag.passage import Passage
from rag.store import (
    chunks_to_embed,
    drop_model,
    find_model,
    index_document,
    recount_corpus,
    register_model,
    remove_document,
    store_embeddings,
    switch_model,
)

MakeDocument = Callable[..., Document]


def passages(markdown: str) -> list[Passage]:
    return chunk_markdown(
        "T", markdown, count_tokens=lambda words: len(words.split()), max_tokens=20, overlap=0
    )


def statistics(session: Session) -> dict[str, tuple[int, int]]:
    rows = session.execute(text("SELECT language, n_chunks, n_terms FROM corpus_stats WHERE n_chunks <> 0"))
    return {row.language: (row.n_chunks, row.n_terms) for row in rows}


def assert_statistics_true(session: Session) -> None:
    kept = statistics(session)
    recount_corpus(session)
    assert kept == statistics(session)


PAGE = "# One\n\nApples are red.\n\n# Two\n\nPears are green.\n\n# Three\n\nPlums are blue."


def test_only_what_changed_is_embedded_again(
    db_session: Session, make_document: MakeDocument, model_id: int
) -> None:
    page = make_document("T", PAGE)
    index_document(db_session, page.id, passages(PAGE), model_id=model_id)
    changed = "# New\n\nFirst of all.\n\n" + PAGE.replace("green", "yellow")
    outcome = index_document(db_session, page.id, passages(changed), model_id=model_id)
    assert (outcome.n_kept, outcome.n_added, outcome.n_removed) == (2, 2, 1)
    assert [chunk.embedded_text for chunk in outcome.to_embed] == [
        "T > New\nFirst of all.",
        "T > Two\nPears are yellow.",
    ]
    positions = db_session.scalars(
        text("SELECT text FROM chunks WHERE document_id = :id ORDER BY position"), {"id": page.id}
    ).all()
    assert positions == ["First of all.", "Apples are red.", "Pears are yellow.", "Plums are blue."]
    assert_statistics_true(db_session)


def test_second_run_changes_nothing(db_session: Session, make_document: MakeDocument, model_id: int) -> None:
    page = make_document("T", PAGE)
    before = db_session.execute(text("SELECT * FROM postings ORDER BY 1, 2")).all()
    outcome = index_document(
        db_session,
        page.id,
        chunk_markdown("T", PAGE, count_tokens=lambda words: len(words.split()), max_tokens=60, overlap=0),
        model_id=model_id,
    )
    assert (outcome.n_added, outcome.n_removed, outcome.to_embed) == (0, 0, ())
    assert db_session.execute(text("SELECT * FROM postings ORDER BY 1, 2")).all() == before
    assert_statistics_true(db_session)


def test_same_passage_twice_in_one_page(
    db_session: Session, make_document: MakeDocument, model_id: int
) -> None:
    page = make_document("T", "# A\n\nSame.\n\n# B\n\nOther.\n\n# A\n\nSame.")
    outcome = index_document(
        db_session, page.id, passages("# A\n\nSame.\n\n# A\n\nSame.\n\n# A\n\nSame."), model_id=model_id
    )
    assert (outcome.n_kept, outcome.n_added, outcome.n_removed) == (2, 1, 1)


def test_removed_document_leaves_nothing(db_session: Session, make_document: MakeDocument) -> None:
    page, other = make_document("T", PAGE), make_document("Other", "Cherries.")
    assert remove_document(db_session, page.id) == 3
    assert remove_document(db_session, page.id) == 0
    left = db_session.scalars(text("SELECT DISTINCT document_id FROM chunks")).all()
    assert left == [other.id]
    assert_statistics_true(db_session)


def test_terms_are_counted_by_language(db_session: Session, make_document: MakeDocument) -> None:
    make_document("Haus", "Die Häuser der Häuser.", language="german")
    tf = db_session.execute(text("SELECT lexeme, tf, n_terms FROM postings ORDER BY lexeme")).all()
    assert [tuple(row) for row in tf] == [("haus", 3, 3)]


def test_language_change_keeps_vectors(
    db_session: Session, make_document: MakeDocument, model_id: int
) -> None:
    page = make_document("T", "# A\n\nDie Häuser.")
    db_session.execute(text("UPDATE documents SET language = 'german' WHERE id = :id"), {"id": page.id})
    outcome = index_document(db_session, page.id, passages("# A\n\nDie Häuser."), model_id=model_id)
    assert (outcome.n_kept, outcome.to_embed) == (1, ())
    assert "haus" in db_session.scalars(text("SELECT lexeme FROM postings")).all()
    assert_statistics_true(db_session)


def test_unknown_language_is_simple(db_session: Session, make_document: MakeDocument) -> None:
    make_document("T", "Running dogs", language="klingon")
    assert "running" in db_session.scalars(text("SELECT lexeme FROM postings")).all()


def test_hostile_text_is_stored(db_session: Session, make_document: MakeDocument, model_id: int) -> None:
    page = make_document("T", "")
    hostile = "nul\x00byte \ud800 'quotes'; DROP TABLE chunks; " + "x" * 30_000
    outcome = index_document(db_session, page.id, passages(hostile), model_id=model_id)
    again = index_document(db_session, page.id, passages(hostile), model_id=model_id)
    assert outcome.n_added >= 1
    assert (again.n_kept, again.n_added) == (outcome.n_added, 0)
    assert (
        "nul byte ? 'quotes'"
        in db_session.scalars(text("SELECT text FROM chunks ORDER BY position")).all()[0]
    )


def test_missing_document_is_an_error(db_session: Session, model_id: int) -> None:
    with pytest.raises(NotFound):
        index_document(db_session, 10**9, [], model_id=model_id)


def test_models_live_beside_each_other(
    db_session: Session, make_document: MakeDocument, model_id: int
) -> None:
    page = make_document("T", PAGE)
    assert register_model(db_session, HashedWordsEmbedder()) == model_id
    other = HashedWordsEmbedder(dim=32)
    other.revision = "2"
    second = register_model(db_session, other)
    todo = chunks_to_embed(db_session, second)
    assert len(todo) == 3
    store_embeddings(
        db_session,
        second,
        [chunk.chunk_id for chunk in todo],
        other.embed_passages([c.embedded_text for c in todo]),
    )
    assert chunks_to_embed(db_session, second, document_id=page.id) == []
    switch_model(db_session, second)
    model = find_model(db_session, other)
    assert model is not None and model.state == "serving"
    with pytest.raises(BadInput):
        drop_model(db_session, second)
    drop_model(db_session, model_id)
    assert db_session.scalar(text("SELECT count(*) FROM embeddings")) == 3


def test_vector_of_a_chunk_that_went_is_dropped(db_session: Session, model_id: int) -> None:
    store_embeddings(db_session, model_id, [10**9], np.ones((1, 64), dtype=np.float32))
    assert db_session.scalar(text("SELECT count(*) FROM embeddings")) == 0
