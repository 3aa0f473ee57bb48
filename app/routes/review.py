"""Reviewing minutes in the browser: lines edited, speakers named, drafts approved or discarded beside the sound.

What the page sends; the page itself is the player's.
"""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import Ctx, PersonId
from app.form_marks import OurForm
from core.errors import NotFound
from core.minutes import MinutesLine, Section
from core.tables.meetings import Minutes, Recording
from workers import minutes
from workers.edit_minutes import MAX_LINE_CHARS, MAX_LINES, MAX_OWNER_CHARS, WrittenLine, edit_lines, editable
from workers.may_review import may_edit
from workers.name_speakers import name_speakers

router = APIRouter(prefix="/recordings/{recording_id}", tags=["review"], include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
HEADINGS: dict[Section, str] = {
    "summary": "Summary", "decision": "Decisions", "action": "Action items", "question": "Open questions",
    "topic": "Topics",
}  # fmt: skip
STATES = {"draft": "Draft to review", "approved": "Approved, on its way to Confluence", "published": "Published",
          "discarded": "Discarded", "superseded": "Replaced by a newer version"}  # fmt: skip


class SentLine(BaseModel):
    """A line as the page has it; `before` is its number in the version it was edited from."""

    model_config = ConfigDict(extra="forbid")
    section: Section
    text: str = Field(max_length=MAX_LINE_CHARS)
    before: int | None = Field(None, ge=0, lt=MAX_LINES)
    owner: str | None = Field(None, max_length=MAX_OWNER_CHARS)
    due: date | None = None


class SentLines(BaseModel):
    model_config = ConfigDict(extra="forbid")
    lines: list[SentLine] = Field(min_length=1, max_length=MAX_LINES)


class SentNames(BaseModel):
    """New names by the names the transcript shows."""

    model_config = ConfigDict(extra="forbid")
    names: dict[str, str] = Field(max_length=200)


@router.put("/minutes/{minutes_id}/lines")
def put_lines(
    context: Ctx, person_id: PersonId, _: OurForm, recording_id: Number, minutes_id: Number, sent: SentLines
) -> dict[str, int]:
    """Make the draft say these lines; answers with the id of the new version."""
    written = [WrittenLine(**line.model_dump()) for line in sent.lines]
    with context.factory.begin() as session:
        _reviewable(session, recording_id, minutes_id, person_id)
        return {"minutes_id": edit_lines(session, minutes_id, written, person_id=person_id)}


@router.post("/minutes/{minutes_id}/approve")
def approve(
    context: Ctx, person_id: PersonId, _: OurForm, recording_id: Number, minutes_id: Number
) -> dict[str, str]:
    """Accept the draft; it is published next."""
    with context.factory.begin() as session:
        _reviewable(session, recording_id, minutes_id, person_id)
        editable(session, minutes_id)
        minutes.approve(session, minutes_id, person_id=person_id)
    return {"state": "approved"}


@router.post("/minutes/{minutes_id}/discard")
def discard(
    context: Ctx, person_id: PersonId, _: OurForm, recording_id: Number, minutes_id: Number
) -> dict[str, str]:
    """Reject the draft; it is kept, and not published."""
    with context.factory.begin() as session:
        _reviewable(session, recording_id, minutes_id, person_id)
        editable(session, minutes_id)
        minutes.discard(session, minutes_id, person_id=person_id)
    return {"state": "discarded"}


@router.put("/speakers")
def put_speakers(
    context: Ctx, person_id: PersonId, _: OurForm, recording_id: Number, sent: SentNames
) -> dict[str, int]:
    """Give speakers their names, in the transcript and in the minutes."""
    with context.factory.begin() as session:
        _open_to(session, recording_id, person_id)
        return {"n_renamed": name_speakers(session, context.settings, recording_id, sent.names)}


def minutes_values(session: Session, recording: Recording, person_id: int) -> dict[str, Any] | None:
    """What the player's page shows of the newest version; None while there is none."""
    row = session.execute(
        select(Minutes).where(Minutes.recording_id == recording.id).order_by(Minutes.version.desc()).limit(1)
    ).scalar_one_or_none()
    if row is None:
        return None
    lines = list(enumerate(minutes.draft_of(row).lines))
    is_editable = row.state == "draft" and may_edit(session, recording, person_id)
    sections = [
        (name, heading, [_shown(number, line) for number, line in lines if line.section == name])
        for name, heading in HEADINGS.items()
    ]
    return {
        "id": row.id,
        "version": row.version,
        "state": row.state,
        "says": STATES[row.state],
        "due_at": row.review_due_at if row.state == "draft" else None,
        "page_url": row.page_url if (row.page_url or "").startswith(("https://", "http://")) else None,
        "warnings": row.warnings,
        "n_to_check": sum(line.is_flagged for _, line in lines),
        "is_editable": is_editable,
        "sections": [one for one in sections if one[2] or (is_editable and one[0] != "topic")],
    }


def _shown(number: int, line: MinutesLine) -> dict[str, Any]:
    return {
        "number": number,
        "line": line,
        "start_s": line.evidence[0].start_s if line.evidence else None,
        "spans": [[one.start_s, one.end_s] for one in line.evidence],
    }


def _open_to(session: Session, recording_id: int, person_id: int) -> Recording:
    recording = session.get(Recording, recording_id)
    if recording is None or not may_edit(session, recording, person_id):
        raise NotFound("no such recording")
    return recording


def _reviewable(session: Session, recording_id: int, minutes_id: int, person_id: int) -> None:
    _open_to(session, recording_id, person_id)
    row = session.get(Minutes, minutes_id)
    if row is None or row.recording_id != recording_id:
        raise NotFound("no such minutes of this recording")
