"""Rows of minutes: drafts as JSON and back, and the states a version goes through; knows no page."""

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import jobs
from core.errors import Conflict, NotFound
from core.minutes import Evidence, MinutesDraft, MinutesLine
from core.tables.meetings import Minutes

REVIEWABLE = ("draft", "approved")
UNREJECTED = (*REVIEWABLE, "published")


def save_draft(session: Session, recording_id: int, draft: MinutesDraft) -> int:
    """The next version of a recording's minutes; an older draft nobody approved is superseded.

    Returns:
        Its id; the newest version's own when that says the same and was not rejected.
    """
    newest = session.execute(
        select(Minutes).where(Minutes.recording_id == recording_id)
        .order_by(Minutes.version.desc()).limit(1).with_for_update()
    ).scalar_one_or_none()  # fmt: skip
    lines = [line_to_json(line) for line in draft.lines]
    said = (lines, draft.engine, list(draft.warnings))
    if newest is not None and newest.state in UNREJECTED and said == _said(newest):
        return newest.id
    for older in session.execute(
        select(Minutes).where(Minutes.recording_id == recording_id, Minutes.state == "draft")
    ).scalars():
        older.state = "superseded"
    row = Minutes(
        recording_id=recording_id,
        version=(newest.version if newest is not None else 0) + 1,
        lines=lines,
        engine=draft.engine,
        warnings=list(draft.warnings),
    )
    session.add(row)
    session.flush()
    return row.id


def approve(session: Session, minutes_id: int, *, person_id: int | None = None) -> None:
    """A reviewer accepts the draft: it is published next. Raises Conflict when it is not a draft."""
    row = _reviewable(session, minutes_id)
    row.state, row.reviewed_by = "approved", person_id
    enqueue_publication(session, row)


def discard(session: Session, minutes_id: int, *, person_id: int | None = None) -> None:
    """A reviewer rejects the draft; it stays visible as discarded. Raises Conflict when already published."""
    row = _reviewable(session, minutes_id)
    row.state, row.reviewed_by = "discarded", person_id


def publish_again(session: Session, minutes_id: int) -> None:
    """Write the page again from this version, merging what people changed. Raises Conflict for a discarded one."""
    row = _get(session, minutes_id)
    if row.state in ("discarded", "superseded"):
        raise Conflict(f"minutes {minutes_id} are {row.state}; draft them again with `imp record retry`")
    if row.state == "draft":
        row.state = "approved"
    enqueue_publication(session, row)


def enqueue_publication(session: Session, row: Minutes) -> None:
    """One page a recording, so one publication at a time a recording."""
    jobs.enqueue(session, "publish_minutes", str(row.recording_id), minutes_id=row.id)


def draft_of(row: Minutes) -> MinutesDraft:
    """The draft a row holds."""
    return MinutesDraft(
        lines=tuple(_line_from_json(line) for line in row.lines),
        engine=row.engine,
        warnings=tuple(row.warnings),
    )


def _said(row: Minutes) -> tuple[list[dict[str, Any]], str, list[str]]:
    return row.lines, row.engine, row.warnings


def _reviewable(session: Session, minutes_id: int) -> Minutes:
    row = _get(session, minutes_id)
    if row.state == "superseded":
        raise Conflict(f"minutes {minutes_id} were changed or drafted again; review the newest version")
    if row.state not in REVIEWABLE:
        raise Conflict(f"minutes {minutes_id} are {row.state}, not a draft")
    return row


def _get(session: Session, minutes_id: int) -> Minutes:
    row = session.get(Minutes, minutes_id, with_for_update=True)
    if row is None:
        raise NotFound(f"minutes {minutes_id} do not exist")
    return row


def line_to_json(line: MinutesLine) -> dict[str, Any]:
    return {
        "section": line.section,
        "text": line.text,
        "evidence": [[one.first, one.last, one.start_s, one.end_s] for one in line.evidence],
        "support": line.support,
        "owner": line.owner,
        "due": line.due.isoformat() if line.due else None,
        "due_text": line.due_text,
        "is_flagged": line.is_flagged,
        **({"is_edited": True} if line.is_edited else {}),
    }


def _line_from_json(line: dict[str, Any]) -> MinutesLine:
    return MinutesLine(
        section=line["section"],
        text=line["text"],
        evidence=tuple(Evidence(*one) for one in line["evidence"]),
        support=line["support"],
        owner=line.get("owner"),
        due=date.fromisoformat(line["due"]) if line.get("due") else None,
        due_text=line.get("due_text"),
        is_flagged=line.get("is_flagged", False),
        is_edited=line.get("is_edited", False),
    )
