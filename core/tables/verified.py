"""Answers that somebody who knows has confirmed, and the documents each rests on."""

from datetime import datetime
from typing import Any

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import ForeignKey, Index
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Json, big_key, now, parent
from core.tables.documents import Document
from core.tables.people import Person
from core.tables.questions import Question
from core.tables.search import EmbeddingModel


class VerifiedAnswer(Base):
    """A confirmed answer, served while all `n_sources` of its documents stand as they stood.

    `question_key` is the question without case and punctuation, `vector` that question by `model_id`.
    `expired_because`: changed, gone, replaced, withdrawn.
    """

    __tablename__ = "verified_answers"
    id: Mapped[int] = big_key()
    question_id: Mapped[int | None] = parent(Question.id, ondelete="SET NULL")
    question: Mapped[str]
    question_key: Mapped[str]
    model_id: Mapped[int | None] = parent(EmbeddingModel.id, index=False, ondelete="SET NULL")
    vector: Mapped[Any | None] = mapped_column(HALFVEC())
    answer: Mapped[str]
    citations: Mapped[list[Json]] = mapped_column(server_default=sql_text("'[]'"))
    n_sources: Mapped[int]
    author_id: Mapped[int | None] = parent(Person.id, ondelete="SET NULL")
    author_name: Mapped[str]
    verified_at: Mapped[datetime] = now()
    expired_at: Mapped[datetime | None]
    expired_because: Mapped[str | None]
    __table_args__ = (
        Index("ix_verified_answers_live", "question_key", postgresql_where=sql_text("expired_at IS NULL")),
    )


class VerifiedSource(Base):
    """A document a confirmed answer rests on, as it was when it was confirmed."""

    __tablename__ = "verified_sources"
    verified_id: Mapped[int] = mapped_column(
        ForeignKey(VerifiedAnswer.id, ondelete="CASCADE"), primary_key=True
    )
    document_id: Mapped[int] = mapped_column(
        ForeignKey(Document.id, ondelete="CASCADE"), primary_key=True, index=True
    )
    content_hash: Mapped[str]
