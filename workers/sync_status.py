"""How the syncing of each source stands, for admins: counts, lag, what failed, what is running and for how long yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from workers.sources import list_sources

COUNTS = text("""
    SELECT source_id, count(*) FILTER (WHERE deleted_at IS NULL AND status = 'current') AS n_current,
        count(*) FILTER (WHERE deleted_at IS NULL AND status = 'archived') AS n_archived,
        count(*) FILTER (WHERE deleted_at IS NOT NULL) AS n_deleted,
        count(*) FILTER (WHERE deleted_at IS NULL AND status = 'current' AND gate_ids IS NULL) AS n_closed,
        count(*) FILTER (WHERE deleted_at IS NULL AND status = 'current'
                         AND content_hash IS DISTINCT FROM indexed_hash) AS n_unindexed,
        count(*) FILTER (WHERE deleted_at IS NULL AND error IS NOT NULL) AS n_failed
    FROM documents GROUP BY source_id
""")
FAILURES = text("""
    SELECT external_id, kind, title, url, error FROM documents
    WHERE source_id = :source_id AND error IS NOT NULL AND deleted_at IS NULL ORDER BY seen_at DESC LIMIT :most
""")
RUNNING = text("""
    SELECT id, kind, key, state, progress, error, attempts, started_at,
        extract(epoch FROM now() - started_at)::float AS running_s
    FROM jobs
    WHERE state IN ('queued', 'running') AND kind IN ('sync_source', 'refresh_gates')
      AND args->>'source_id' = CAST(:source_id AS text)
    ORDER BY id
""")
N_WAITING = text("""
    SELECT count(*) FROM jobs
    WHERE state IN ('queued', 'running') AND kind = 'sync_page' AND args->>'source_id' = CAST(:source_id AS text)
""")
ALERTS = text(
    "SELECT message FROM alerts WHERE closed_at IS NULL AND details->>'source_id' = :source_id ORDER BY id"
)
MOST_FAILURES = 50


@dataclass(frozen=True, slots=True)
class FailedDocument:
    """One document that could not be read, and why."""

    external_id: str
    kind: str
    title: str
    url: str
    error: str


@dataclass(frozen=True, slots=True)
class SyncJob:
    """A sync that waits or runs. `left_s` is an estimate, None while there is too little to go by."""

    id: int
    kind: str
    key: str
    state: str
    done: float | None
    total: float | None
    unit: str | None
    left_s: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """Counts of documents by state. `lag_s`: seconds since the last sync that ended well, None before the first.

    `n_closed` are documents nobody may read since their doors are unknown.
    """

    id: int
    name: str
    kind: str
    state: str
    error: str | None
    n_current: int
    n_archived: int
    n_deleted: int
    n_closed: int
    n_unindexed: int
    n_failed: int
    n_pages_waiting: int
    lag_s: float | None
    full_synced_at: datetime | None
    failures: tuple[FailedDocument, ...] = ()
    jobs: tuple[SyncJob, ...] = ()
    alerts: tuple[str, ...] = ()


def sync_status(session: Session) -> list[SourceStatus]:
    """Every source that was not removed, by name."""
    counts = {row.source_id: row._mapping for row in session.execute(COUNTS)}
    found = []
    for source in list_sources(session):
        numbers: Mapping[Any, Any] = counts.get(source.id, {})
        by_id = {"source_id": source.id}
        now = datetime.now(UTC)
        found.append(
            SourceStatus(
                id=source.id,
                name=source.name,
                kind=source.kind,
                state=source.state,
                error=source.error,
                n_current=numbers.get("n_current", 0),
                n_archived=numbers.get("n_archived", 0),
                n_deleted=numbers.get("n_deleted", 0),
                n_closed=numbers.get("n_closed", 0),
                n_unindexed=numbers.get("n_unindexed", 0),
                n_failed=numbers.get("n_failed", 0),
                n_pages_waiting=int(session.execute(N_WAITING, by_id).scalar_one()),
                lag_s=(now - source.synced_at).total_seconds() if source.synced_at else None,
                full_synced_at=source.full_synced_at,
                failures=tuple(
                    FailedDocument(**row._mapping)
                    for row in session.execute(FAILURES, {**by_id, "most": MOST_FAILURES})
                ),
                jobs=tuple(_job(row) for row in session.execute(RUNNING, by_id)),
                alerts=tuple(session.execute(ALERTS, {"source_id": str(source.id)}).scalars()),
            )
        )
    return found


def _job(row: Any) -> SyncJob:
    done, total = row.progress.get("done"), row.progress.get("total")
    left_s = None
    if done and total and row.running_s and row.state == "running":
        left_s = max(0.0, row.running_s * (total - done) / done)
    return SyncJob(
        row.id, row.kind, row.key, row.state, done, total, row.progress.get("unit"), left_s, row.error
    )
