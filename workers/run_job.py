"""Claim a row, run its function, close it: the frame around every job, with one outcome line each.

Knows no job's meaning. Errors end here in one of two ways: queued again, or closed for good.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core import jobs
from core.db import is_disconnect
from core.errors import Cancelled, ClaimLost, ImpError, Interrupted, NeverAgain, TryAgain
from core.jobs import Claimed
from core.log import bound
from core.metrics import JOB_SECONDS
from core.running_job import RunningJob, draining
from workers.context import Context

logger = logging.getLogger(__name__)

Work = Callable[[Context, RunningJob], dict[str, Any]]
CLOSE_PATIENCE_S = 300.0
DRAIN_PATIENCE_S = 2.0  # a process that was told to stop; its row is taken over for its silence
CLOSE_PAUSE_S = 1.0


def run_job(context: Context, job_id: int, work: Work) -> str:
    """Do the job if it is ours to do.

    Returns:
        `done`, `retry`, `failed`, `cancelled`, `interrupted`, `lost`, or `not_claimed` (done already,
        running elsewhere, or not due).
    """
    claimed = _claim(context, job_id)
    if claimed is None:
        return "not_claimed"
    started = time.monotonic()
    with bound(job_id=claimed.id, kind=claimed.kind, key=claimed.key):

        def finish() -> dict[str, Any]:
            with RunningJob(
                claimed, context.factory, heartbeat_s=context.settings.imp_heartbeat_s
            ) as running:
                running.check()
                return work(context, running)

        status, error = _finish_and_close(context, claimed, finish)
        _tell(claimed, status, error, time.monotonic() - started)
    return status


def end_companion(
    context: Context, claimed: Claimed, ending: dict[str, Any] | Exception, *, duration_s: float
) -> str:
    """Close a job that was worked on beside another one, as `run_job` closes its own; returns its status.

    Args:
        ending: the outcome, or what stopped it.
    """

    def finish() -> dict[str, Any]:
        if isinstance(ending, Exception):
            raise ending
        return ending

    with bound(job_id=claimed.id, kind=claimed.kind, key=claimed.key):
        status, error = _finish_and_close(context, claimed, finish)
        _tell(claimed, status, error, duration_s)
    return status


def _tell(claimed: Claimed, status: str, error: str | None, duration_s: float) -> None:
    """The one outcome line of a job."""
    JOB_SECONDS.labels(claimed.kind, status).observe(duration_s)
    level = logging.INFO if status in ("done", "interrupted", "cancelled") else logging.WARNING
    fields = {
        "status": status,
        "duration_s": round(duration_s, 3),
        "waited_s": round(claimed.waited_s, 3),
        "attempt": claimed.attempt,
    }
    logger.log(level, "job_ended", extra=fields if error is None else {**fields, "why": error})


def _claim(context: Context, job_id: int) -> Claimed | None:
    """Waits while Postgres is away: dropping the ring would leave the row to the sweep's slowest rule."""
    while True:
        try:
            with context.factory.begin() as session:
                return jobs.claim(
                    session, job_id, worker=context.worker, stale_s=context.settings.imp_stale_s
                )
        except SQLAlchemyError as exc:
            logger.warning("claim_failed", extra={"job_id": job_id, "why": type(exc).__name__})
            if not is_disconnect(exc) or draining.wait(CLOSE_PAUSE_S):
                return None


def _finish_and_close(
    context: Context, claimed: Claimed, finish: Callable[[], dict[str, Any]]
) -> tuple[str, str | None]:
    try:
        outcome = finish()
        _close(context, lambda session: jobs.close(session, claimed, state="done", outcome=outcome))
        return "done", None
    except ClaimLost as exc:
        return "lost", str(exc)
    except Exception as exc:  # the outer edge of every job: nothing may escape into the worker
        try:
            return _end_badly(context, claimed, exc), _message(exc)
        except (ClaimLost, SQLAlchemyError) as lost:
            return "lost", _message(lost)


def _end_badly(context: Context, claimed: Claimed, exc: Exception) -> str:
    message = _message(exc)
    if isinstance(exc, Interrupted):
        _close(context, lambda s: jobs.put_back(s, claimed, error=None, delay_s=0.0, is_free=True))
        return "interrupted"
    if isinstance(exc, Cancelled):
        _close(context, lambda s: jobs.close(s, claimed, state="cancelled", error=message))
        return "cancelled"
    if not isinstance(exc, ImpError) and not is_disconnect(exc):
        logger.error("job_crashed", exc_info=exc)
    if isinstance(exc, NeverAgain) or claimed.attempt >= claimed.max_attempts:
        _close(context, lambda s: jobs.close(s, claimed, state="failed", error=message))
        return "failed"
    asked = exc.retry_after_s if isinstance(exc, TryAgain) else None
    pause_s = jobs.backoff_s(claimed.attempt, context.settings.imp_retry_base_s)
    delay_s = pause_s if asked is None else min(jobs.MAX_BACKOFF_S, max(asked, 0.1))
    _close(context, lambda s: jobs.put_back(s, claimed, error=message, delay_s=delay_s))
    return "retry"


def _close(context: Context, write: Callable[[Session], None]) -> None:
    """Write the job's ending, waiting for Postgres to come back where it is away."""
    began = time.monotonic()
    while True:
        try:
            with context.factory.begin() as session:
                write(session)
            return
        except SQLAlchemyError as exc:
            patience_s = DRAIN_PATIENCE_S if draining.is_set() else CLOSE_PATIENCE_S
            if not is_disconnect(exc) or time.monotonic() - began > patience_s:
                raise
            time.sleep(CLOSE_PAUSE_S)


def _message(exc: Exception) -> str:
    """What `imp jobs` shows. Texts of foreign exceptions may carry data, so only their type is kept."""
    if isinstance(exc, ImpError):
        return str(exc)[:2000]
    if isinstance(exc, SQLAlchemyError):
        return f"database error ({type(exc).__name__}); the worker's log has the traceback"
    return f"unexpected {type(exc).__name__}; the worker's log has the traceback"
