"""The job table: what must be done, is being done, was done. Celery is only its doorbell.

A row is written in the caller's transaction and rung after commit. A worker claims it with one UPDATE;
every later write of that worker names its claim, so one that lost the row can change nothing. Knows no
job's meaning: kinds are names here (`core.job_kinds`), functions in `workers`.
"""

import json
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.orm import Session, SessionTransaction

from core.doorbell import Doorbell
from core.errors import ClaimLost, NotFound
from core.job_kinds import KINDS

MAX_BACKOFF_S = 15 * 60
RING_AGAIN_S = 600.0
SHALLOW_QUEUE = 10
SWEEP_BATCH = 500

ENQUEUE = text("""
    INSERT INTO jobs (kind, key, queue, args, max_attempts, run_after)
    VALUES (:kind, :key, :queue, CAST(:args AS jsonb), :max_attempts, now() + make_interval(secs => :delay_s))
    ON CONFLICT (kind, key) WHERE state IN ('queued', 'running') DO UPDATE SET
        is_due_again = jobs.is_due_again OR jobs.state = 'running',
        args = excluded.args,
        run_after = CASE WHEN jobs.state = 'queued' THEN least(jobs.run_after, excluded.run_after)
                         ELSE jobs.run_after END
    RETURNING id, queue, run_after <= now() AS is_due
""")

# A locked row is being written by somebody alive, however old its heartbeat looks: not ours to take.
CLAIM = text("""
    UPDATE jobs SET state = 'running', claim = :claim, worker = :worker, attempts = attempts + 1,
           heartbeat_at = clock_timestamp(), started_at = coalesce(started_at, now())
    WHERE id = (
        SELECT id FROM jobs
        WHERE id = :id AND attempts < max_attempts AND NOT is_cancel_asked
          AND (state = 'queued' AND run_after <= now()
               OR state = 'running' AND heartbeat_at < now() - make_interval(secs => :stale_s))
        FOR UPDATE SKIP LOCKED)
    RETURNING id, kind, key, queue, args, checkpoint, attempts, max_attempts, claim,
              extract(epoch FROM now() - created_at)::float AS waited_s
""")

# Work that was never begun: what failed or took a worker with it is done by itself, so that it harms nothing else.
CLAIM_OTHERS = text("""
    UPDATE jobs SET state = 'running', claim = gen_random_uuid()::text, worker = :worker, attempts = 1,
           heartbeat_at = clock_timestamp(), started_at = coalesce(started_at, now())
    WHERE id IN (
        SELECT id FROM jobs
        WHERE kind = :kind AND state = 'queued' AND run_after <= now() AND attempts = 0 AND NOT is_cancel_asked
              AND max_attempts > 0
        ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING id, kind, key, queue, args, checkpoint, attempts, max_attempts, claim,
              extract(epoch FROM now() - created_at)::float AS waited_s
""")

BEAT = text("""
    UPDATE jobs SET heartbeat_at = clock_timestamp() WHERE id = :id AND claim = :claim AND state = 'running'
    RETURNING is_cancel_asked
""")

CHECKPOINT = text("""
    UPDATE jobs SET checkpoint = CAST(:checkpoint AS jsonb), heartbeat_at = clock_timestamp()
    WHERE id = :id AND claim = :claim AND state = 'running'
""")

PROGRESS = text("""
    UPDATE jobs SET progress = CAST(:progress AS jsonb), heartbeat_at = clock_timestamp()
    WHERE id = :id AND claim = :claim AND state = 'running'
""")

FENCE = text("SELECT 1 FROM jobs WHERE id = :id AND claim = :claim AND state = 'running' FOR UPDATE")

CLOSE = text("""
    UPDATE jobs SET state = :state, outcome = CAST(:outcome AS jsonb), error = :error,
           finished_at = now(), claim = NULL
    WHERE id = :id AND claim = :claim AND state = 'running'
    RETURNING kind, key, queue, args, is_due_again
""")

PUT_BACK = text("""
    UPDATE jobs SET state = 'queued', claim = NULL, error = :error, is_due_again = false,
           run_after = now() + make_interval(secs => :delay_s),
           attempts = attempts - CASE WHEN :is_free THEN 1 ELSE 0 END
    WHERE id = :id AND claim = :claim AND state = 'running'
    RETURNING id
""")

# Rung again: due rows that were never rung since they became due; rows of a queue that looks empty;
# rows rung too long ago in any case. A running row is due once its worker has been silent for `:stale_s`.
# `:reached` are the queues whose broker answers, `:shallow` the near-empty ones. Claiming needs the row's lock, so locked rows are left alone.
SWEEP = text("""
    UPDATE jobs SET rung_at = now()
    WHERE id IN (
        SELECT id FROM jobs, LATERAL (
            SELECT CASE state WHEN 'queued' THEN run_after
                   ELSE heartbeat_at + make_interval(secs => :stale_s) END AS due_at) due
        WHERE state IN ('queued', 'running') AND due_at <= now() AND queue = ANY(:reached)
              AND (rung_at < due_at
                   OR queue = ANY(:shallow) AND rung_at < now() - make_interval(secs => :pause_s)
                   OR rung_at < now() - make_interval(secs => :ring_again_s))
        ORDER BY id LIMIT :batch FOR UPDATE OF jobs SKIP LOCKED)
    RETURNING id, kind, queue
""")

GIVE_UP = text("""
    UPDATE jobs SET state = CASE WHEN is_cancel_asked THEN 'cancelled' ELSE 'failed' END, finished_at = now(),
           claim = NULL,
           error = CASE WHEN is_cancel_asked THEN 'cancelled on request'
                        ELSE concat_ws(' ', 'gave up after', attempts, 'attempts: the worker died.', error) END
    WHERE id IN (
        SELECT id FROM jobs
        WHERE state = 'running' AND heartbeat_at < now() - make_interval(secs => :stale_s)
              AND (attempts >= max_attempts OR is_cancel_asked)
        FOR UPDATE SKIP LOCKED)
    RETURNING id, state, kind, key, queue, args, is_due_again
""")

RETRY = text("""
    UPDATE jobs SET state = 'queued', attempts = 0, run_after = now(), rung_at = now(), error = NULL,
           finished_at = NULL, is_cancel_asked = false, is_due_again = false
    WHERE id = :id AND state IN ('failed', 'cancelled')
      AND NOT EXISTS (SELECT 1 FROM jobs o WHERE o.kind = jobs.kind AND o.key = jobs.key
                      AND o.state IN ('queued', 'running'))
    RETURNING id, kind, queue
""")

CANCEL = text("""
    UPDATE jobs SET is_cancel_asked = true, is_due_again = false,
           state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
           finished_at = CASE WHEN state = 'queued' THEN now() ELSE finished_at END
    WHERE id = :id AND state IN ('queued', 'running', 'failed')
    RETURNING state
""")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job this process may work on until another takes it over. `attempt` counts from 1."""

    id: int
    kind: str
    key: str
    queue: str
    args: dict[str, Any]
    checkpoint: dict[str, Any]
    attempt: int
    max_attempts: int
    claim: str
    waited_s: float


def enqueue(
    session: Session, kind: str, key: str, *, queue: str | None = None, delay_s: float = 0.0, **args: Any
) -> int:
    """Write the job in the caller's transaction; workers are rung after its commit.

    A job of the same kind and key that still waits takes the new `args` and is returned; one that is
    running is run once more when it ends, however it ends.

    Args:
        kind: a name in `core.job_kinds.KINDS`.
        key: what must not be worked on twice at once, such as a document's id. Jobs of one key mean the
            same work: what changes the meaning belongs into the key.
        delay_s: seconds before the job may start.
        args: ids and scalars only.

    Returns:
        The row's id.
    """
    known = KINDS[kind]
    row = session.execute(
        ENQUEUE,
        {
            "kind": kind,
            "key": key,
            "queue": queue or known.queue,
            "args": _json(args),
            "max_attempts": known.max_attempts,
            "delay_s": delay_s,
        },
    ).one()
    if row.is_due:
        session.info.setdefault("rings", []).append((kind, row.queue, row.id))
    return int(row.id)


@event.listens_for(Session, "after_commit")
def _ring_after_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return
    bell: Doorbell | None = session.info.get("doorbell")
    for kind, queue, job_id in session.info.pop("rings", []):
        # One lost ring means that the broker is away: the others wait for the sweep, not the caller for them.
        if bell is None or not bell.ring(kind, queue, job_id):
            return


@event.listens_for(Session, "after_transaction_create")
def _mark_savepoint(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault("ring_marks", {})[transaction] = len(session.info.get("rings", []))


@event.listens_for(Session, "after_soft_rollback")
def _forget_rings_of_savepoint(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        del session.info.get("rings", [])[session.info["ring_marks"][transaction] :]


@event.listens_for(Session, "after_transaction_end")
def _forget_rings(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop("rings", None)
        session.info.pop("ring_marks", None)


def claim(session: Session, job_id: int, *, worker: str, stale_s: float) -> Claimed | None:
    """Take the row if it waits, or if its worker has been silent for `stale_s`; None when not ours to take."""
    row = session.execute(
        CLAIM, {"id": job_id, "claim": uuid.uuid4().hex, "worker": worker, "stale_s": stale_s}
    ).one_or_none()
    return None if row is None else _claimed(row)


def claim_others(session: Session, kind: str, *, limit: int, worker: str) -> list[Claimed]:
    """Take up to `limit` due rows of a kind that nobody has begun yet, oldest first, to work on them together.

    Each is a claim of its own, with its own ending. Their rings find nothing to claim later.
    """
    rows = session.execute(CLAIM_OTHERS, {"kind": kind, "limit": limit, "worker": worker})
    return sorted((_claimed(row) for row in rows), key=lambda job: job.id)


def beat(session: Session, job: Claimed) -> bool:
    """A sign of life. True when a person asked to cancel.

    Raises:
        ClaimLost: another worker has the row now.
    """
    fence(session, job)  # a beat that waited for the row must not write the time at which it began to wait
    return bool(session.execute(BEAT, {"id": job.id, "claim": job.claim}).scalar_one())


def save_checkpoint(session: Session, job: Claimed, checkpoint: dict[str, Any]) -> None:
    """Remember how far the work got, in the same transaction as the work itself.

    Raises:
        ClaimLost: nothing of this transaction may be committed.
    """
    _write_fenced(session, CHECKPOINT, job, checkpoint=_json(checkpoint))


def save_progress(session: Session, job: Claimed, progress: dict[str, Any]) -> None:
    """What `imp jobs show` and the dashboard display. Raises ClaimLost like `save_checkpoint`."""
    _write_fenced(session, PROGRESS, job, progress=_json(progress))


def fence(session: Session, job: Claimed) -> None:
    """Hold the claim until the end of this transaction, so that what it writes is written by one worker.

    Raises:
        ClaimLost: another worker has the row now; write nothing.
    """
    if session.execute(FENCE, {"id": job.id, "claim": job.claim}).first() is None:
        raise ClaimLost(f"job {job.id} was taken over by another worker")


def close(
    session: Session,
    job: Claimed,
    *,
    state: str,
    outcome: dict[str, Any] | None = None,
    error: str | None = None,
) -> None:
    """End the job as `done`, `failed` or `cancelled`; run it once more if it was asked for meanwhile.

    Raises:
        ClaimLost: another worker has the row now; its ending counts.
    """
    row = session.execute(
        CLOSE,
        {"id": job.id, "claim": job.claim, "state": state, "outcome": _json(outcome or {}), "error": error},
    ).one_or_none()
    if row is None:
        raise ClaimLost(f"job {job.id} was taken over by another worker")
    _run_once_more(session, row)


def put_back(
    session: Session, job: Claimed, *, error: str | None, delay_s: float, is_free: bool = False
) -> None:
    """Queue the row again after `delay_s`. `is_free`: this attempt does not count (the worker drained)."""
    row = session.execute(
        PUT_BACK,
        {"id": job.id, "claim": job.claim, "error": error, "delay_s": delay_s, "is_free": is_free},
    ).one_or_none()
    if row is None:
        raise ClaimLost(f"job {job.id} was taken over by another worker")
    if delay_s <= 0:
        session.info.setdefault("rings", []).append((job.kind, job.queue, job.id))


def backoff_s(attempt: int, base_s: float) -> float:
    """Exponential with full jitter on the upper half, capped: attempt 1 waits base/2..base seconds.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog (2015), equal-jitter variant.
    """
    ceiling: float = min(MAX_BACKOFF_S, base_s * 2.0 ** (attempt - 1))
    return ceiling / 2 + random.uniform(0, ceiling / 2)


def sweep(session: Session, bell: Doorbell, *, stale_s: float, queues: Sequence[str]) -> int:
    """Ring again for rows left behind; close those whose workers died too often. Returns how many were rung."""
    depths = {queue: depth for queue in queues if (depth := bell.depth(queue)) is not None}
    shallow = [queue for queue, depth in depths.items() if depth < SHALLOW_QUEUE]
    for row in session.execute(GIVE_UP, {"stale_s": stale_s}).all():
        told_by = KINDS[row.kind].told_by if row.kind in KINDS else None
        if row.state == "failed" and told_by:
            enqueue(session, told_by, str(row.id), job_id=row.id)
        _run_once_more(session, row)
    rows = session.execute(
        SWEEP,
        {
            "stale_s": stale_s,
            "reached": list(depths),
            "shallow": shallow,
            "pause_s": stale_s / 2,
            "ring_again_s": RING_AGAIN_S,
            "batch": SWEEP_BATCH,
        },
    ).all()
    session.info.setdefault("rings", []).extend((row.kind, row.queue, row.id) for row in rows)
    return len(rows)


def retry(session: Session, job_id: int) -> None:
    """Queue a failed or cancelled job afresh.

    Raises:
        NotFound: no such job, it has not ended, or the same work is already queued again.
    """
    row = session.execute(RETRY, {"id": job_id}).one_or_none()
    if row is None:
        raise NotFound(f"job {job_id} is not a failed or cancelled job that could be run again")
    session.info.setdefault("rings", []).append((row.kind, row.queue, row.id))


def cancel(session: Session, job_id: int) -> str:
    """Cancel a waiting job at once, ask a running one to stop, dismiss a failed one. Returns its state now.

    Runs asked for so far are cancelled with it; one that is enqueued later takes place.

    Raises:
        NotFound: no such job, or it has already ended.
    """
    state = session.execute(CANCEL, {"id": job_id}).scalar_one_or_none()
    if state is None:
        raise NotFound(f"job {job_id} is not waiting, running or failed")
    return str(state)


def _run_once_more(session: Session, ended: Any) -> None:
    """Queue the work that was asked for while its row was running; one of an unknown kind ends here."""
    if ended.is_due_again and ended.kind in KINDS:
        enqueue(session, ended.kind, ended.key, queue=ended.queue, **ended.args)


def _write_fenced(session: Session, statement: Any, job: Claimed, **values: str) -> None:
    result = session.execute(statement, {"id": job.id, "claim": job.claim, **values})
    if result.rowcount == 0:  # type: ignore[attr-defined]
        raise ClaimLost(f"job {job.id} was taken over by another worker")


def _claimed(row: Any) -> Claimed:
    return Claimed(
        row.id, row.kind, row.key, row.queue, row.args, row.checkpoint, row.attempts, row.max_attempts,
        row.claim, row.waited_s,
    )  # fmt: skip


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"job arguments are ids and scalars, not {type(value).__name__}")
