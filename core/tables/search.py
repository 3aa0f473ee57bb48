"""What search reads: passages, their words, their vectors. Written by `rag.store` only."""

from datetime import datetime
from typing import Any

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    BigInteger,
    Computed,
    ForeignKey,
    Identity,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Json, big_key, json_object, now, parent, texts
from core.tables.documents import Document


class Chunk(Base):
    """A passage of a document. `context` is the prefix both search sides see, `text` what people read.

    `start_s`, `end_s` and `first_position`..`last_position` (utterances) are set for speech only.
    """

    __tablename__ = "chunks"
    id: Mapped[int] = big_key()
    document_id: Mapped[int] = parent(Document.id, index=False)
    position: Mapped[int]
    content_hash: Mapped[str]
    text: Mapped[str]
    context: Mapped[str] = mapped_column(server_default="")
    heading_path: Mapped[list[str]] = texts()
    anchor: Mapped[str | None]
    speakers: Mapped[list[str]] = texts()
    start_s: Mapped[float | None]
    end_s: Mapped[float | None]
    first_position: Mapped[int | None]
    last_position: Mapped[int | None]
    n_tokens: Mapped[int]
    n_terms: Mapped[int] = mapped_column(server_default="0")
    language: Mapped[str] = mapped_column(server_default="english")
    __table_args__ = (UniqueConstraint("document_id", "content_hash", "position"),)


class Posting(Base):
    """One lexeme of one chunk: `tf` times among the chunk's `n_terms` (repeated here for index-only scans).

    `impact` is BM25's own share of the word in a passage, idf apart, times 10,000, for a mean of 200 terms: by it
    a very common word's best passages are read first. It only orders; scores are computed from `tf` and `n_terms`.
    """

    __tablename__ = "postings"
    chunk_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(Chunk.id, ondelete="CASCADE"))
    lexeme: Mapped[str] = mapped_column(Text(collation="C"))
    tf: Mapped[int] = mapped_column(SmallInteger)
    n_terms: Mapped[int]
    impact: Mapped[int] = mapped_column(
        SmallInteger,
        Computed(
            "round(10000 * tf::float8 / (tf + 1.2 * (0.25 + 0.75 * n_terms / 200.0)))::smallint",
            persisted=True,
        ),
    )
    __table_args__ = (
        PrimaryKeyConstraint("chunk_id", "lexeme", postgresql_include=["tf", "n_terms"]),
        Index(
            "ix_postings_lexeme_impact",
            "lexeme",
            sql_text("impact DESC"),
            "chunk_id",
            postgresql_include=["tf", "n_terms"],
        ),
    )


class CorpusStats(Base):
    """What BM25 must know of all chunks of a language: how many, and how many terms in all.

    The truth is the sum over a language's shards (each may be negative): indexers add to different ones, so that
    none waits for another's commit.
    """

    __tablename__ = "corpus_stats"
    language: Mapped[str] = mapped_column(primary_key=True)
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="0")
    n_chunks: Mapped[int] = mapped_column(BigInteger, server_default="0")
    n_terms: Mapped[int] = mapped_column(BigInteger, server_default="0")


class EmbeddingModel(Base):
    """One version of one embedder: `building`, `serving` (at most one) or `retired`.

    `spec` is what loads it: a package's name, a folder or a hub name; empty where the setting says it. `switched_at`
    is when it last began to serve, `measured` what is known of its quality.
    """

    __tablename__ = "embedding_models"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    revision: Mapped[str] = mapped_column(server_default="")
    dim: Mapped[int]
    state: Mapped[str] = mapped_column(server_default="building")
    spec: Mapped[str] = mapped_column(server_default="")
    measured: Mapped[Json] = json_object()
    created_at: Mapped[datetime] = now()
    switched_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("name", "revision"),
        Index(
            "uq_embedding_models_serving",
            "state",
            unique=True,
            postgresql_where=sql_text("state = 'serving'"),
        ),
    )


class Embedding(Base):
    """A vector of one chunk by one model. Each model has its own partial HNSW index, made with the model."""

    __tablename__ = "embeddings"
    model_id: Mapped[int] = mapped_column(ForeignKey(EmbeddingModel.id, ondelete="CASCADE"), primary_key=True)
    chunk_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(Chunk.id, ondelete="CASCADE"), primary_key=True, index=True
    )
    vector: Mapped[Any] = mapped_column(HALFVEC())
