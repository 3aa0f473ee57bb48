"""What the clock starts: polling sources, refreshing doors, the nightly reconcile, forgetting old rows."""

import logging

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import jobs
from core.job_kinds import QUEUES
from core.tables.documents import Source
from rag.verified import expire_changed
from workers import media_retention, questions, review_policy, take_attachment, uploads
from workers.context import Context
from workers.recordings import open_closed_recordings

logger = logging.getLogger(__name__)

KEEP_DELIVERIES_DAYS = 7
KEEP_JOBS_DAYS = 30
RECONCILE_EVERY_H = 24

FORGET_DELIVERIES = text("DELETE FROM deliveries WHERE received_at < now() - make_interval(days => :days)")
FORGET_QUESTIONS = text("DELETE FROM questions WHERE asked_at < now() - make_interval(days => :days)")
NOT_RECONCILED = text("""
    SELECT s.id FROM sources s
    WHERE s.kind = 'confluence' AND s.state <> 'removed'
      AND s.full_synced_at < now() - make_interval(hours => :hours)
      AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'sync_source' AND j.key = s.id || '\\:reconcile'
                      AND j.created_at > now() - make_interval(hours => :hours))
""")
FORGET_JOBS = text("""
    DELETE FROM jobs WHERE state IN ('done', 'cancelled') AND finished_at < now() - make_interval(days => :days)
""")


def sweep(context: Context) -> None:
    """Ring again for jobs left behind."""
    with context.factory.begin() as session:
        jobs.sweep(session, context.bell, stale_s=context.settings.imp_stale_s, queues=QUEUES)


def poll_sources(context: Context) -> None:
    """One incremental sync per Confluence site, one scan per recordings folder."""
    with context.factory.begin() as session:
        for source_id, kind in _sources(session):
            if kind == "confluence":
                jobs.enqueue(session, "sync_source", str(source_id), source_id=source_id)
            elif kind == "recordings" and session.get_one(Source, source_id).settings.get("url"):
                jobs.enqueue(session, "scan_recordings", str(source_id), source_id=source_id)


def refresh_all_gates(context: Context) -> None:
    """Read every site's doors again, at least this often whatever webhooks said."""
    with context.factory.begin() as session:
        for source_id, kind in _sources(session):
            if kind == "confluence":
                jobs.enqueue(session, "refresh_gates", str(source_id), source_id=source_id)
        open_closed_recordings(session, context.settings)
        take_attachment.follow_pages(session)


def reconcile_all(context: Context) -> None:
    """Once a day for each site, compare ids and versions for what cursor and webhooks both missed.

    Asked every hour; the job table knows when it was last done, so a lost message costs an hour, not a day.
    """
    with context.factory.begin() as session:
        for source_id in session.execute(NOT_RECONCILED, {"hours": RECONCILE_EVERY_H}).scalars():
            key = f"{source_id}:reconcile"
            jobs.enqueue(session, "sync_source", key, source_id=source_id, mode="reconcile")


def remind_reviewers(context: Context) -> None:
    """Ask once more for drafts whose time for review is nearly over."""
    if n_reminded := review_policy.remind_reviewers(context):
        logger.info("reviewers_reminded", extra={"n_reminded": n_reminded})


def clean(context: Context) -> None:
    """Forget delivery ids and finished jobs that nobody will ask for; failed jobs stay."""
    with context.factory.begin() as session:
        session.execute(FORGET_DELIVERIES, {"days": KEEP_DELIVERIES_DAYS})
        session.execute(FORGET_JOBS, {"days": KEEP_JOBS_DAYS})
        if expired := expire_changed(session):
            logger.info("confirmed_answers_expired", extra={"n_expired": len(expired)})
        if context.settings.imp_keep_questions_days:
            session.execute(FORGET_QUESTIONS, {"days": context.settings.imp_keep_questions_days})
            questions.forget_jobs(session)
    uploads.sweep(context)
    media_retention.sweep(context)


def _sources(session: Session) -> list[tuple[int, str]]:
    rows = session.execute(
        select(Source.id, Source.kind).where(Source.state != "removed").order_by(Source.id)
    )
    return [(row.id, row.kind) for row in rows]
