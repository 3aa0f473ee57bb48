"""All Celery tasks on one page: thin doors to the job functions, and the few that run by the clock.

A door takes a row's id and hands it to `run_job`; what a kind does stands in the module it names.
"""

import importlib
from typing import Any

from celery import Celery

from core import jobs
from core.job_kinds import KINDS, QUEUES
from core.running_job import RunningJob
from workers import periodic
from workers.context import Context
from workers.run_job import Work, run_job

# kind -> module of `workers` with a function `run(context, job) -> outcome`, imported on first use.
MODULES = {
    "answer_question": "workers.answer_question",
    "sync_source": "workers.sync_source",
    "sync_page": "workers.sync_page",
    "refresh_gates": "workers.refresh_gates",
    "apply_webhook": "workers.apply_webhook",
    "scan_recordings": "workers.scan_recordings",
    "index_document": "workers.index_document",
    "transcribe_recording": "workers.transcribe_recording",
    "draft_minutes": "workers.draft_minutes",
    "publish_minutes": "workers.publish_minutes",
    "announce_minutes": "workers.announce_minutes",
    "ping": "workers.ping",
}


def register(app: Celery, context: Context, modules: dict[str, str] | None = None) -> None:
    """Give `app` one task per kind of job, and the periodic ones."""
    for kind in KINDS:
        module = (modules or MODULES)[kind]
        app.task(name=f"imp.{kind}")(_door(context, module))
    app.task(name="imp.sweep")(lambda: _sweep(context))
    app.task(name="imp.poll_sources")(lambda: periodic.poll_sources(context))
    app.task(name="imp.refresh_all_gates")(lambda: periodic.refresh_all_gates(context))
    app.task(name="imp.reconcile_all")(lambda: periodic.reconcile_all(context))
    app.task(name="imp.clean")(lambda: periodic.clean(context))


def load_work(module: str) -> Work:
    """The `run` function of a job module."""
    work: Work = importlib.import_module(module).run
    return work


def _door(context: Context, module: str) -> Any:
    def door(job_id: int) -> str:
        def work(context: Context, job: RunningJob) -> dict[str, Any]:
            return load_work(module)(context, job)

        return run_job(context, job_id, work)

    return door


def _sweep(context: Context) -> None:
    with context.factory.begin() as session:
        jobs.sweep(session, context.bell, stale_s=context.settings.imp_stale_s, queues=QUEUES)
