"""`imp jobs`: what must be done, is being done, was done."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from app.console import AsJson, show_one, show_rows

app = typer.Typer(help="What must be done, is being done, was done.", no_args_is_help=True)
JobId = Annotated[int, typer.Argument(help="Number of the job, as `imp jobs list` shows it.")]
COLUMNS = {
    "id": "ID", "kind": "KIND", "key": "KEY", "state": "STATE", "attempts": "TRIES", "progress": "PROGRESS",
    "created_at": "CREATED", "error": "ERROR",
}  # fmt: skip


class State(StrEnum):
    """As in the table's own constraint."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@app.command("list")
def list_jobs(
    state: Annotated[State | None, typer.Option(help="Only jobs in this state.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind of job.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 30,
    as_json: AsJson = False,
) -> None:
    """The newest jobs; without options those that wait, run or failed come first.

    Failures whose work was begun anew since are shown by --state failed only.
    """
    from sqlalchemy import select
    from sqlalchemy.orm import aliased

    from app.session import open_session
    from core.errors import BadInput
    from core.job_kinds import KINDS
    from core.tables.jobs import Job

    if kind is not None and kind not in KINDS:
        raise BadInput(f"no kind of job {kind!r}: there are {', '.join(KINDS)}")
    with open_session() as (_, session):
        query = select(Job).order_by((Job.state.in_(("done", "cancelled"))).asc(), Job.id.desc()).limit(limit)
        if state:
            query = query.where(Job.state == state)
        if kind:
            query = query.where(Job.kind == kind)
        if state is None:
            newer = aliased(Job)
            again = select(newer.id).where(
                newer.kind == Job.kind, newer.key == Job.key, newer.id > Job.id, newer.state != "cancelled"
            )
            query = query.where((Job.state != "failed") | ~again.exists())
        rows = [_facts(job) for job in session.execute(query).scalars()]
    show_rows(rows, COLUMNS, as_json=as_json, none="no jobs")


@app.command()
def show(job_id: JobId, as_json: AsJson = False) -> None:
    """All about one job."""
    from app.session import open_session
    from core.errors import NotFound
    from core.tables.jobs import Job

    with open_session() as (_, session):
        job = session.get(Job, job_id)
        if job is None:
            raise NotFound(f"job {job_id} does not exist")
        facts = {
            **_facts(job),
            "queue": job.queue,
            "args": job.args,
            "worker": job.worker,
            "heartbeat_at": job.heartbeat_at,
            "started_at": job.started_at,
            "finished_at": job.finished_at,
            "checkpoint": job.checkpoint,
            "outcome": job.outcome,
        }
    show_one(facts, as_json=as_json)


@app.command()
def retry(
    job_id: Annotated[int | None, typer.Argument(help="Number of the job.")] = None,
    all_failed: Annotated[bool, typer.Option("--failed", help="Every failed job.")] = False,
) -> None:
    """Run a failed or cancelled job again."""
    from sqlalchemy import select

    from app.session import open_session
    from core import jobs
    from core.errors import BadInput, NotFound
    from core.tables.jobs import Job

    if (job_id is None) == (not all_failed):
        raise BadInput("name a job, or use --failed for all that failed")
    with open_session() as (_, session):
        ids = [job_id] if job_id is not None else session.execute(
            select(Job.id).where(Job.state == "failed").order_by(Job.id.desc())
        ).scalars().all()  # fmt: skip
        n_queued = 0
        for one in ids:
            try:
                jobs.retry(session, one)
                n_queued += 1
            except NotFound:
                if job_id is not None:
                    raise
    print(f"{n_queued} queued again")


@app.command()
def cancel(job_id: JobId) -> None:
    """Stop a job: at once when it waits, at its next step when it runs. A failed one is dismissed."""
    from app.session import open_session
    from core import jobs

    with open_session() as (_, session):
        state = jobs.cancel(session, job_id)
    print("cancelled" if state == "cancelled" else "asked to stop; it ends at its next step")


def _facts(job: Any) -> dict[str, Any]:
    progress = job.progress
    shown = f"{progress['done']:g}/{progress['total'] or '?'} {progress['unit']}" if progress else ""
    return {
        "id": job.id,
        "kind": job.kind,
        "key": job.key,
        "state": job.state,
        "attempts": f"{job.attempts}/{job.max_attempts}",
        "progress": shown,
        "created_at": job.created_at,
        "error": job.error,
    }
