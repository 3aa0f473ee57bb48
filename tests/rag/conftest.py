"""Rows for the tests of rag: a source, gates, documents; each test states only what it is about."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from core.tables.documents import Document, Gate, Source
from rag.chunking import chunk_markdown
from rag.embedding import HashedWordsEmbedder
from rag.store import index_document, register_model, store_embeddings

MakeDocument = Callable[..., Document]
EMBEDDER = HashedWordsEmbedder()


@pytest.fixture
def source(db_session: Session) -> Source:
    row = Source(name="site", kind="confluence")
    db_session.add(row)
    db_session.flush()
    return row


@pytest.fixture
def make_gate(db_session: Session, source: Source) -> Callable[[str], int]:
    def make(door: str) -> int:
        gate = Gate(source_id=source.id, door=door, principals=["anyone"])
        db_session.add(gate)
        db_session.flush()
        return gate.id

    return make


@pytest.fixture
def model_id(db_session: Session) -> int:
    return register_model(db_session, EMBEDDER)


@pytest.fixture
def make_document(db_session: Session, source: Source, model_id: int) -> MakeDocument:
    """Makes and indexes a page; `gate_ids` defaults to one gate numbered 1."""

    def make(title: str, markdown: str, **values: object) -> Document:
        row = Document(
            source_id=source.id,
            external_id=str(values.pop("external_id", title)),
            kind=str(values.pop("kind", "page")),
            title=title,
            url=str(values.pop("url", f"https://wiki.example/{title}")),
            markdown=markdown,
            content_hash=str(hash(markdown)),
            updated_at=datetime(2024, 5, 1, tzinfo=UTC),
            **{"gate_ids": [1], "space_key": "ENG", **values},
        )
        db_session.add(row)
        db_session.flush()
        passages = chunk_markdown(
            title, markdown, count_tokens=EMBEDDER.count_tokens, max_tokens=60, overlap=0
        )
        outcome = index_document(db_session, row.id, passages, model_id=model_id)
        vectors = EMBEDDER.embed_passages([chunk.embedded_text for chunk in outcome.to_embed])
        store_embeddings(db_session, model_id, [chunk.chunk_id for chunk in outcome.to_embed], vectors)
        return row

    return make
