"""The work and its traces: jobs, events already taken, alerts for an admin."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Identity, Index, func
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Json, big_key, json_object, now


class Job(Base):
    """What must be done, is being done, was done. One queued or running row a (kind, key).

    `claim` changes with every claim, so that a worker which lost the row can write nothing to it.
    `is_due_again` remembers that the same work was asked for while it ran.
    """

    __tablename__ = "jobs"
    id: Mapped[int] = big_key()
    kind: Mapped[str]
    key: Mapped[str]
    queue: Mapped[str]
    args: Mapped[Json] = json_object()
    state: Mapped[str] = mapped_column(server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default="0")
    max_attempts: Mapped[int] = mapped_column(server_default="8")
    run_after: Mapped[datetime] = now()
    rung_at: Mapped[datetime] = now()
    claim: Mapped[str | None]
    worker: Mapped[str | None]
    heartbeat_at: Mapped[datetime | None]
    is_due_again: Mapped[bool] = mapped_column(server_default=sql_text("false"))
    is_cancel_asked: Mapped[bool] = mapped_column(server_default=sql_text("false"))
    checkpoint: Mapped[Json] = json_object()
    progress: Mapped[Json] = json_object()
    outcome: Mapped[Json] = json_object()
    error: Mapped[str | None]
    created_at: Mapped[datetime] = now()
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
    details: Mapped[Json] = json_object()
    created_at: Mapped[datetime] = now()
    closed_at: Mapped[datetime | None]
    __table_args__ = (
        Index("uq_alerts_open", "key", unique=True, postgresql_where=sql_text("closed_at IS NULL")),
    )
