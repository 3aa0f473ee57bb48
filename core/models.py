"""All tables, in one place; the schema itself is only ever changed in `migrations/`.

Natural keys carry the idempotence: every write above is an upsert on one of the unique constraints here.
Times are UTC and aware. Keys point one way: sources <- documents <- chunks <- embeddings, postings.
"""

from datetime import datetime
from typing import Any

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy import (
    text as sql_text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Json = dict[str, Any]


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        str: Text,
        int: Integer,
        float: Double,
        datetime: DateTime(timezone=True),
        Json: JSONB,
        list[Json]: JSONB,
        list[str]: ARRAY(Text),
        list[int]: ARRAY(Integer),
    }


def _big_key() -> Mapped[int]:
    return mapped_column(BigInteger, Identity(), primary_key=True)


def _now() -> Mapped[datetime]:
    return mapped_column(server_default=func.now())


def _texts() -> Mapped[list[str]]:
    return mapped_column(server_default=sql_text("'{}'"))


def _json() -> Mapped[Json]:
    return mapped_column(server_default=sql_text("'{}'"))


def _parent(column: str, *, index: bool = True, ondelete: str = "CASCADE") -> Any:
    return mapped_column(ForeignKey(column, ondelete=ondelete), index=index)


class Source(Base):
    """A Confluence site, a recordings folder or bucket, a Slack workspace."""

    __tablename__ = "sources"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    settings: Mapped[Json] = _json()
    cursor: Mapped[Json] = _json()
    state: Mapped[str] = mapped_column(server_default="new")
    error: Mapped[str | None]
    synced_at: Mapped[datetime | None]
    full_synced_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = _now()


class Gate(Base):
    """Who may pass one door: a space's permission, or one page's restriction.

    `principals` holds `user:<account id>`, `group:<name>` or `anyone`; empty lets nobody through.
    """

    __tablename__ = "gates"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    source_id: Mapped[int] = _parent("sources.id")
    door: Mapped[str]
    principals: Mapped[list[str]] = _texts()
    refreshed_at: Mapped[datetime] = _now()
    __table_args__ = (
        UniqueConstraint("source_id", "door"),
        Index("ix_gates_principals", "principals", postgresql_using="gin"),
    )


class Document(Base):
    """One page, blog post, attachment, comment thread, transcript or file.

    `gate_ids` NULL means the doors are unknown: closed. It is never empty, since nothing is a door less.
    `indexed_hash` is the `content_hash` whose chunks are searchable; they differ while indexing is due.
    `language` is a Postgres text search configuration such as `english`.
    """

    __tablename__ = "documents"
    id: Mapped[int] = _big_key()
    source_id: Mapped[int] = _parent("sources.id", index=False)
    external_id: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str]
    url: Mapped[str]
    space_key: Mapped[str | None]
    parent_id: Mapped[str | None]
    ancestors: Mapped[list[str]] = _texts()
    ancestor_titles: Mapped[list[str]] = _texts()
    labels: Mapped[list[str]] = _texts()
    author: Mapped[str | None]
    editor: Mapped[str | None]
    language: Mapped[str] = mapped_column(server_default="english")
    markdown: Mapped[str] = mapped_column(server_default="")
    version: Mapped[int] = mapped_column(server_default="0")
    content_hash: Mapped[str | None]
    indexed_hash: Mapped[str | None]
    gate_ids: Mapped[list[int] | None]
    status: Mapped[str] = mapped_column(server_default="current")
    details: Mapped[Json] = _json()
    error: Mapped[str | None]
    created_at: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]
    seen_at: Mapped[datetime] = _now()
    deleted_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("source_id", "external_id"),
        CheckConstraint("gate_ids IS NULL OR cardinality(gate_ids) > 0", name="gates_not_empty"),
        Index("ix_documents_gate_ids", "gate_ids", postgresql_using="gin"),
        Index("ix_documents_space_key", "source_id", "space_key"),
        Index(
            "ix_documents_unindexed",
            "id",
            postgresql_where=sql_text("indexed_hash IS DISTINCT FROM content_hash"),
        ),
    )


class Chunk(Base):
    """A passage of a document. `context` is the prefix both search sides see, `text` what people read.

    `start_s`, `end_s` and `first_position`..`last_position` (utterances) are set for speech only.
    """

    __tablename__ = "chunks"
    id: Mapped[int] = _big_key()
    document_id: Mapped[int] = _parent("documents.id", index=False)
    position: Mapped[int]
    content_hash: Mapped[str]
    text: Mapped[str]
    context: Mapped[str] = mapped_column(server_default="")
    heading_path: Mapped[list[str]] = _texts()
    anchor: Mapped[str | None]
    speakers: Mapped[list[str]] = _texts()
    start_s: Mapped[float | None]
    end_s: Mapped[float | None]
    first_position: Mapped[int | None]
    last_position: Mapped[int | None]
    n_tokens: Mapped[int]
    n_terms: Mapped[int] = mapped_column(server_default="0")
    language: Mapped[str] = mapped_column(server_default="english")
    __table_args__ = (UniqueConstraint("document_id", "content_hash", "position"),)


class Posting(Base):
    """One lexeme of one chunk: `tf` times among the chunk's `n_terms` (repeated here for index-only scans)."""

    __tablename__ = "postings"
    lexeme: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    chunk_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("chunks.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    tf: Mapped[int] = mapped_column(SmallInteger)
    n_terms: Mapped[int]


class CorpusStats(Base):
    """What BM25 must know of all chunks of a language: how many, and how many terms in all."""

    __tablename__ = "corpus_stats"
    language: Mapped[str] = mapped_column(primary_key=True)
    n_chunks: Mapped[int] = mapped_column(BigInteger, server_default="0")
    n_terms: Mapped[int] = mapped_column(BigInteger, server_default="0")


class EmbeddingModel(Base):
    """One version of one embedder: `building`, `serving` (at most one) or `retired`."""

    __tablename__ = "embedding_models"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    revision: Mapped[str] = mapped_column(server_default="")
    dim: Mapped[int]
    state: Mapped[str] = mapped_column(server_default="building")
    created_at: Mapped[datetime] = _now()
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
    model_id: Mapped[int] = mapped_column(
        ForeignKey("embedding_models.id", ondelete="CASCADE"), primary_key=True
    )
    chunk_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("chunks.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    vector: Mapped[Any] = mapped_column(HALFVEC())


class Person(Base):
    """Somebody who asks, decides or reviews."""

    __tablename__ = "people"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(unique=True)
    is_admin: Mapped[bool] = mapped_column(server_default=sql_text("false"))
    created_at: Mapped[datetime] = _now()


class Account(Base):
    """An account of a person at `slack` or `confluence`; `person_id` NULL while nobody is linked to it."""

    __tablename__ = "identities"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    provider: Mapped[str]
    external_id: Mapped[str]
    person_id: Mapped[int | None] = _parent("people.id", ondelete="SET NULL")
    name: Mapped[str | None]
    email: Mapped[str | None] = mapped_column(index=True)
    linked_by: Mapped[str | None]
    is_external: Mapped[bool] = mapped_column(server_default=sql_text("false"))
    is_bot: Mapped[bool] = mapped_column(server_default=sql_text("false"))
    refreshed_at: Mapped[datetime] = _now()
    __table_args__ = (UniqueConstraint("provider", "external_id"),)


class Membership(Base):
    """An account is in a group, as the provider said at the last refresh."""

    __tablename__ = "memberships"
    identity_id: Mapped[int] = mapped_column(
        ForeignKey("identities.id", ondelete="CASCADE"), primary_key=True
    )
    group_name: Mapped[str] = mapped_column(primary_key=True, index=True)


class ApiToken(Base):
    """A bearer token of a person; only its SHA-256 is kept."""

    __tablename__ = "api_tokens"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    person_id: Mapped[int] = _parent("people.id")
    token_hash: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = _now()
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Recording(Base):
    """One meeting's media. `state`: received, transcribing, transcribed, failed.

    `gate_ids` are the doors of the place it came from; the transcript document and the minutes inherit them.
    """

    __tablename__ = "recordings"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    sha256: Mapped[str] = mapped_column(unique=True)
    blob_url: Mapped[str]
    transcript_url: Mapped[str | None]
    file_name: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    duration_s: Mapped[float | None]
    title: Mapped[str]
    started_at: Mapped[datetime | None]
    participants: Mapped[list[str]] = _texts()
    language: Mapped[str | None]
    engine: Mapped[str | None]
    warnings: Mapped[list[str]] = _texts()
    state: Mapped[str] = mapped_column(server_default="received")
    error: Mapped[str | None]
    source_id: Mapped[int] = _parent("sources.id")
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id", ondelete="SET NULL"))
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    gate_ids: Mapped[list[int] | None]
    origin: Mapped[Json] = _json()
    created_at: Mapped[datetime] = _now()


class Segment(Base):
    """One utterance of a recording, in order of `position`."""

    __tablename__ = "segments"
    recording_id: Mapped[int] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    start_s: Mapped[float]
    end_s: Mapped[float]
    speaker: Mapped[str | None]
    text: Mapped[str]
    confidence: Mapped[float | None]


class Minutes(Base):
    """A version of a recording's minutes. `state`: draft, approved, published, discarded, superseded.

    `lines` is `core.minutes.MinutesDraft` as JSON. `published_storage` is the base of the next merge.
    """

    __tablename__ = "minutes"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    recording_id: Mapped[int] = _parent("recordings.id", index=False)
    version: Mapped[int]
    state: Mapped[str] = mapped_column(server_default="draft")
    lines: Mapped[list[Json]]
    engine: Mapped[str]
    warnings: Mapped[list[str]] = _texts()
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    page_id: Mapped[str | None]
    page_version: Mapped[int | None]
    page_url: Mapped[str | None]
    published_storage: Mapped[str | None]
    announced_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = _now()
    published_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("recording_id", "version"),)


class Question(Base):
    """Every question asked, its answer and what it rested on.

    `place` says where to answer: `{"via": "slack", "channel": …, "thread_ts": …}`, `api` or `cli`.
    """

    __tablename__ = "questions"
    id: Mapped[int] = _big_key()
    person_id: Mapped[int | None] = _parent("people.id", ondelete="SET NULL")
    place: Mapped[Json] = _json()
    text: Mapped[str]
    answer: Mapped[str | None]
    citations: Mapped[list[Json]] = mapped_column(server_default=sql_text("'[]'"))
    outcome: Mapped[str | None]
    reason: Mapped[str | None]
    confidence: Mapped[float | None]
    engine: Mapped[str | None]
    timings_s: Mapped[Json] = _json()
    trace: Mapped[Json] = _json()
    feedback: Mapped[str | None]
    feedback_reason: Mapped[str | None]
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    answered_at: Mapped[datetime | None]


class Conversation(Base):
    """A thread in which we answered, so that the next message there needs no mention.

    `question_id` is the last question asked in it; a question forgotten takes its conversation along.
    """

    __tablename__ = "conversations"
    provider: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    thread: Mapped[str] = mapped_column(primary_key=True)
    question_id: Mapped[int] = _parent("questions.id")
    updated_at: Mapped[datetime] = _now()


class Job(Base):
    """What must be done, is being done, was done. One queued or running row a (kind, key).

    `claim` changes with every claim, so that a worker which lost the row can write nothing to it.
    `is_due_again` remembers that the same work was asked for while it ran.
    """

    __tablename__ = "jobs"
    id: Mapped[int] = _big_key()
    kind: Mapped[str]
    key: Mapped[str]
    queue: Mapped[str]
    args: Mapped[Json] = _json()
    state: Mapped[str] = mapped_column(server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default="0")
    max_attempts: Mapped[int] = mapped_column(server_default="8")
    run_after: Mapped[datetime] = _now()
    rung_at: Mapped[datetime] = _now()
    claim: Mapped[str | None]
    worker: Mapped[str | None]
    heartbeat_at: Mapped[datetime | None]
    is_due_again: Mapped[bool] = mapped_column(server_default=sql_text("false"))
    is_cancel_asked: Mapped[bool] = mapped_column(server_default=sql_text("false"))
    checkpoint: Mapped[Json] = _json()
    progress: Mapped[Json] = _json()
    outcome: Mapped[Json] = _json()
    error: Mapped[str | None]
    created_at: Mapped[datetime] = _now()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("state IN ('queued','running','done','failed','cancelled')", name="state"),
        Index(
            "uq_jobs_active",
            "kind",
            "key",
            unique=True,
            postgresql_where=sql_text("state IN ('queued', 'running')"),
        ),
        Index(
            "ix_jobs_active_run_after",
            "run_after",
            postgresql_where=sql_text("state IN ('queued', 'running')"),
        ),
        Index("ix_jobs_created_at", "created_at"),
    )


class Delivery(Base):
    """A webhook or event already taken; a second one with the same id is answered and ignored."""

    __tablename__ = "deliveries"
    provider: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class Alert(Base):
    """Something an admin must look at: a short listing that would have deleted, a token that was revoked."""

    __tablename__ = "alerts"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    key: Mapped[str]
    message: Mapped[str]
    details: Mapped[Json] = _json()
    created_at: Mapped[datetime] = _now()
    closed_at: Mapped[datetime | None]
    __table_args__ = (
        Index("uq_alerts_open", "key", unique=True, postgresql_where=sql_text("closed_at IS NULL")),
    )
