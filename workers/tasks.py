"""All Celery tasks on one page: thin doors to the job functions, and the few that run by the clock.

A door takes a row's id and hands it to `run_job`; what a kind does stands in the module it names.
"""

import importlib
from collections.abc import Callable
from typing import Any

from celery import Celery

from core.job_kinds import KINDS
from core.running_job import RunningJob
from workers import periodic
from workers.context import Context
from workers.run_job import Work, run_job

# kind -> module of `workers` with a function `run(context, job) -> outcome`, imported on first use.
MODULES = {
    "answer_question": "workers.answer_question",
    "share_answer": "workers.share_answer",
    "show_sources": "workers.show_sources",
    "show_home": "workers.show_home",
    "offer_prompts": "workers.offer_prompts",
    "ask_human": "workers.ask_human",
    "verify_answer": "workers.verify_answer",
    "tell_broken": "workers.tell_broken",
    "admin_word": "workers.admin_word",
    "review_minutes": "workers.review_minutes",
    "ask_review": "workers.ask_review",
    "redraw_review": "workers.redraw_review",
    "take_slack_file": "workers.take_slack_file",
    "sync_source": "workers.sync_source",
    "sync_page": "workers.sync_page",
    "refresh_gates": "workers.refresh_gates",
    "apply_webhook": "workers.apply_webhook",
    "scan_recordings": "workers.scan_recordings",
    "index_document": "workers.index_document",
    "build_embeddings": "workers.build_embeddings",
    "transcribe_recording": "workers.transcribe_recording",
    "draft_minutes": "workers.draft_minutes",
    "apply_glossary": "workers.apply_glossary",
    "learn_voice": "workers.learn_voice",
    "show_progress": "workers.show_progress",
    "take_zoom_meeting": "workers.take_zoom_meeting",
    "take_upload": "workers.take_upload",
    "take_attachment": "workers.take_attachment",
    "publish_minutes": "workers.publish_minutes",
    "announce_minutes": "workers.announce_minutes",
    "erase_outside": "workers.erase_outside",
    "ping": "workers.ping",
}

# name -> function; `workers.schedule` says when. The sweep is not among them: see `workers.sweeper`.
PERIODIC = {
    "poll_sources": periodic.poll_sources,
    "refresh_all_gates": periodic.refresh_all_gates,
    "reconcile_all": periodic.reconcile_all,
    "remind_reviewers": periodic.remind_reviewers,
    "clean": periodic.clean,
}


def register(app: Celery, context: Context, modules: dict[str, str] | None = None) -> None:
    """Give `app` one task per kind of job, and the periodic ones."""
    for kind in KINDS:
        module = (modules or MODULES)[kind]
        app.task(name=f"imp.{kind}")(_door(context, module))
    for name, periodic_work in PERIODIC.items():
        app.task(name=f"imp.{name}")(_periodic_door(context, periodic_work))


def load_work(module: str) -> Work:
    """The `run` function of a job module."""
    work: Work = importlib.import_module(module).run
    return work


def _door(context: Context, module: str) -> Callable[[int], str]:
    def door(job_id: int) -> str:
        def work(context: Context, job: RunningJob) -> dict[str, Any]:
            return load_work(module)(context, job)

        return run_job(context, job_id, work)

    return door


def _periodic_door(context: Context, work: Callable[[Context], None]) -> Callable[[], None]:
    def door() -> None:
        work(context)

    return door
