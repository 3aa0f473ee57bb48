"""What was asked, what was answered, and where a conversation goes on."""

from datetime import datetime

from sqlalchemy import Index, func
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Json, big_key, json_object, now, parent
from core.tables.people import Person


class Question(Base):
    """Every question asked, its answer and what it rested on.

    `place` says where to answer: `{"via": "slack", "channel": …, "thread_ts": …}`, `api` or `cli`. `reuse_key` is
    the same for questions that must get the same answer while no source changes.
    """

    __tablename__ = "questions"
    id: Mapped[int] = big_key()
    person_id: Mapped[int | None] = parent(Person.id, ondelete="SET NULL")
    place: Mapped[Json] = json_object()
    text: Mapped[str]
    answer: Mapped[str | None]
    citations: Mapped[list[Json]] = mapped_column(server_default=sql_text("'[]'"))
    outcome: Mapped[str | None]
    reason: Mapped[str | None]
    confidence: Mapped[float | None]
    engine: Mapped[str | None]
    timings_s: Mapped[Json] = json_object()
    trace: Mapped[Json] = json_object()
    feedback: Mapped[str | None]
    feedback_reason: Mapped[str | None]
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    answered_at: Mapped[datetime | None]
    reuse_key: Mapped[str | None]
    __table_args__ = (
        Index(
            "ix_questions_reuse_key",
            "reuse_key",
            "answered_at",
            postgresql_where=sql_text("reuse_key IS NOT NULL"),
        ),
        Index("ix_questions_asker", sql_text("(place ->> 'user')"), "asked_at"),
    )


class Conversation(Base):
    """A thread in which we answered, so that the next message there needs no mention.

    `question_id` is the last question asked in it; a question forgotten takes its conversation along.
    """

    __tablename__ = "conversations"
    provider: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    thread: Mapped[str] = mapped_column(primary_key=True)
    question_id: Mapped[int] = parent(Question.id)
    updated_at: Mapped[datetime] = now()
