"""What is read and who may read it: sources, their doors, their documents."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Identity, Index, UniqueConstraint
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Json, big_key, json_object, now, parent, texts


class Source(Base):
    """A Confluence site, a recordings folder or bucket, a Slack workspace."""

    __tablename__ = "sources"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    settings: Mapped[Json] = json_object()
    cursor: Mapped[Json] = json_object()
    state: Mapped[str] = mapped_column(server_default="new")
    error: Mapped[str | None]
    synced_at: Mapped[datetime | None]
    full_synced_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = now()


class Gate(Base):
    """Who may pass one door: a space's permission, or one page's restriction.

    `principals` holds `user:<account id>`, `group:<name>` or `anyone`; empty lets nobody through.
    """

    __tablename__ = "gates"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    source_id: Mapped[int] = parent(Source.id)
    door: Mapped[str]
    principals: Mapped[list[str]] = texts()
    refreshed_at: Mapped[datetime] = now()
    __table_args__ = (
        UniqueConstraint("source_id", "door"),
        Index("ix_gates_principals", "principals", postgresql_using="gin"),
    )


class Document(Base):
    """One page, blog post, attachment, comment thread, transcript or file.

    `gate_ids` NULL means the doors are unknown: closed. It is never empty, since nothing is a door less.
    `indexed_hash` is the `content_hash` whose chunks are searchable; they differ while indexing is due.
    `language` is a Postgres text search configuration such as `english`. `included` are the external ids of pages
    whose text stands in this one (it is never open wider than they are), and `name:SPACE:title` of all it names.
    """

    __tablename__ = "documents"
    id: Mapped[int] = big_key()
    source_id: Mapped[int] = parent(Source.id, index=False)
    external_id: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str]
    url: Mapped[str]
    space_key: Mapped[str | None]
    parent_id: Mapped[str | None]
    ancestors: Mapped[list[str]] = texts()
    ancestor_titles: Mapped[list[str]] = texts()
    labels: Mapped[list[str]] = texts()
    author: Mapped[str | None]
    editor: Mapped[str | None]
    language: Mapped[str] = mapped_column(server_default="english")
    markdown: Mapped[str] = mapped_column(server_default="")
    version: Mapped[int] = mapped_column(server_default="0")
    content_hash: Mapped[str | None]
    indexed_hash: Mapped[str | None]
    gate_ids: Mapped[list[int] | None]
    included: Mapped[list[str]] = texts()
    status: Mapped[str] = mapped_column(server_default="current")
    details: Mapped[Json] = json_object()
    error: Mapped[str | None]
    created_at: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]
    seen_at: Mapped[datetime] = now()
    deleted_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("source_id", "external_id"),
        CheckConstraint("gate_ids IS NULL OR cardinality(gate_ids) > 0", name="gates_not_empty"),
        Index("ix_documents_gate_ids", "gate_ids", postgresql_using="gin"),
        Index(
            "ix_documents_included",
            "included",
            postgresql_using="gin",
            postgresql_where=sql_text("included <> '{}'"),
        ),
        Index("ix_documents_space_key", "source_id", "space_key"),
        Index(
            "ix_documents_unindexed",
            "id",
            postgresql_where=sql_text("indexed_hash IS DISTINCT FROM content_hash"),
        ),
    )
