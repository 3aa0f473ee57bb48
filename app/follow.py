"""Wait for jobs in the foreground, with a progress line on stderr while a person watches."""

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from core.db import SessionFactory
from core.errors import ImpError, Unavailable
from core.progress import progress_words
from core.tables.jobs import Job

ENDED = ("done", "failed", "cancelled")
POLL_S = 0.3


def follow(
    factory: SessionFactory, job_ids: Sequence[int], *, timeout_s: float = 24 * 3600.0
) -> list[dict[str, Any]]:
    """Return what each job came to, in the order given.

    Raises:
        ImpError: jobs failed or were cancelled; the message is their own.
        Unavailable: not ended within `timeout_s`.
    """
    deadline, shown = time.monotonic() + timeout_s, ""
    while True:
        with factory() as session:
            rows = {
                row.id: row
                for row in session.execute(
                    select(Job.id, Job.kind, Job.state, Job.progress, Job.outcome, Job.error, Job.started_at)
                    .where(Job.id.in_(job_ids))
                ).all()
            }  # fmt: skip
        shown = _show(list(rows.values()), shown)
        if all(row.state in ENDED for row in rows.values()):
            break
        if time.monotonic() > deadline:
            raise Unavailable(f"not done after {timeout_s:.0f} s; see `imp jobs list`")
        time.sleep(POLL_S)
    if shown:
        print(file=sys.stderr)
    ended_badly = [
        f"{row.kind} {row.state}: {row.error or 'on request'} (job {row.id})"
        for row in rows.values()
        if row.state != "done"
    ]
    if ended_badly:
        raise ImpError("; ".join(ended_badly))
    return [rows[job_id].outcome for job_id in job_ids]


def _show(rows: Sequence[Any], before: str) -> str:
    if not sys.stderr.isatty():
        return ""
    line = "; ".join(_describe(row) for row in rows if row.state not in ENDED)[:110]
    if line and line != before:
        print(f"\r{line:<110}", end="", file=sys.stderr, flush=True)
    return line or before


def _describe(row: Any) -> str:
    progress = row.progress
    if row.state == "queued":
        return f"{row.kind}: will be tried again: {row.error}" if row.error else f"{row.kind}: waiting"
    if not progress:
        return f"{row.kind}: working"
    spent_s = (datetime.now(UTC) - row.started_at).total_seconds() if row.started_at else None
    return f"{row.kind}: {progress_words(progress, spent_s=spent_s)}"


def settle(factory: SessionFactory, kinds: Sequence[str], *, timeout_s: float = 24 * 3600.0) -> None:
    """Return when no job of these kinds waits or runs any more (those that pause after a failure not counted).

    Raises:
        Unavailable: still busy after `timeout_s`.
    """
    deadline, n_most, shown = time.monotonic() + timeout_s, 0, False
    while True:
        with factory() as session:
            n_left = session.execute(
                select(func.count()).select_from(Job)
                .where(Job.kind.in_(kinds), Job.state.in_(("queued", "running")), Job.run_after <= func.now())
            ).scalar_one()  # fmt: skip
        n_most = max(n_most, n_left)
        if sys.stderr.isatty() and n_most:
            shown = True
            line = f"{', '.join(kinds)}: {n_most - n_left} of {n_most}"
            print(f"\r{line:<110}", end="", file=sys.stderr, flush=True)
        if n_left == 0:
            break
        if time.monotonic() > deadline:
            raise Unavailable(f"still {n_left} jobs after {timeout_s:.0f} s; see `imp jobs list`")
        time.sleep(POLL_S)
    if shown:
        print(file=sys.stderr)
