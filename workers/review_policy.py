"""What becomes of a draft by the house's policy: published at once, or reviewed until a deadline with one reminder."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import jobs
from core.minutes import MinutesDraft
from core.settings import Settings
from core.tables.meetings import Minutes
from workers import minutes
from workers.context import Context

REMIND_AT = 0.75
"""The share of the time for review after which the reviewer is reminded: late enough to need it, early enough to act."""


def settle(session: Session, settings: Settings, minutes_id: int) -> None:
    """Hand a version to publication, or to review. A second call changes nothing that a person decided."""
    row = session.get_one(Minutes, minutes_id)
    is_draft = row.state == "draft"
    if settings.imp_minutes_policy == "auto" or (is_draft and is_well_supported(row, settings)):
        if is_draft:
            row.state = "approved"
        minutes.enqueue_publication(session, row)
        return
    if is_draft and settings.imp_review_h and row.review_due_at is None:
        row.review_due_at = datetime.now(UTC) + timedelta(hours=settings.imp_review_h)
    if settings.is_slack_on:
        jobs.enqueue(session, "ask_review", str(minutes_id), minutes_id=minutes_id)


def is_well_supported(row: Minutes, settings: Settings) -> bool:
    """True when the policy lets the machine publish: every line is supported enough and none asks to be checked.

    What a person edited is not measured, so it waits for a person.
    """
    least = settings.imp_publish_support
    return least is not None and _least_support(minutes.draft_of(row)) >= least


def remind_reviewers(context: Context) -> int:
    """Ask once more for each draft whose time is nearly over; a second call reminds of nothing twice.

    Returns:
        How many reviews were asked for again.
    """
    settings = context.settings
    if not (settings.is_slack_on and settings.imp_review_h):
        return 0
    left = timedelta(hours=settings.imp_review_h) * (1 - REMIND_AT)
    statement = select(Minutes).where(
        Minutes.state == "draft",
        Minutes.reminded_at.is_(None),
        Minutes.review_due_at <= datetime.now(UTC) + left,
    )
    with context.factory.begin() as session:
        rows = session.execute(statement.with_for_update(skip_locked=True)).scalars().all()
        for row in rows:
            row.reminded_at = datetime.now(UTC)
            jobs.enqueue(session, "ask_review", f"{row.id}:remind", minutes_id=row.id, is_reminder=True)
    return len(rows)


def _least_support(draft: MinutesDraft) -> float:
    if any(line.is_flagged or line.is_edited for line in draft.lines):
        return -1.0
    return min((line.support for line in draft.lines), default=-1.0)
