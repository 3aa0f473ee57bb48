"""Take a local file in as a recording, with what lies beside it: transcript, calendar event, tags, name."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.recordings.ffmpeg import MediaLimits
from connectors.recordings.meeting import meeting_facts
from connectors.recordings.probe import probe
from connectors.recordings.transcript_files.beside import find_beside, is_transcript_name
from connectors.recordings.transcript_files.parse import parse
from core.tables.jobs import Job
from workers.context import Context
from workers.intake import UPLOADS, NewRecording, join_by_hand, take_in

MAX_TRANSCRIPT_BYTES = 50 * 1024**2


@dataclass(frozen=True, slots=True)
class LocalRecording:
    """A file and what its giver said of it; None where nothing was said.

    `gate_ids` are the doors of the place it was found, `page_title` a name for it where nothing better is known;
    `joins` is a recording of the same meeting that somebody named.
    """

    path: Path
    title: str | None = None
    started_at: datetime | None = None
    participants: tuple[str, ...] = ()
    transcript: Path | None = None
    origin: dict[str, Any] = field(default_factory=lambda: {"door": "local"})
    gate_ids: list[int] | None = None
    joins: int | None = None
    page_title: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    recording_id: int
    is_new: bool


def add_local(
    context: Context, given: LocalRecording, *, submitted_by: int | None = None, source: str = UPLOADS
) -> Added:
    """Keep the file and enqueue its transcription.

    Args:
        source: name of the recordings source it belongs to.

    Raises:
        BadInput: neither media nor a transcript, too large or too long; nothing is kept then.
    """
    limits = MediaLimits(
        max_bytes=context.settings.imp_max_upload_bytes, max_duration_s=context.settings.imp_max_recording_s
    )
    is_transcript = is_transcript_name(given.path.name)
    media = None if is_transcript else probe(given.path, limits=limits)
    duration_s = media.duration_s if media else parse(given.path).duration_s
    calendar = given.path.with_suffix(".ics")
    facts = meeting_facts(
        given.path.name, media=media, ics=calendar.read_bytes() if calendar.exists() else None
    )
    transcript = None if is_transcript else given.transcript or find_beside(given.path)
    stored = context.blobs.put_file(given.path, max_bytes=limits.max_bytes)
    transcript_url = None
    if transcript is not None:
        transcript_url = context.blobs.put_file(transcript, max_bytes=MAX_TRANSCRIPT_BYTES).url
    attendees = tuple(one.name or one.email or "" for one in facts.attendees)
    new = NewRecording(
        stored=stored,
        file_name=given.path.name,
        title=given.title or facts.title or given.page_title or given.path.stem,
        started_at=given.started_at or facts.started_at,
        participants=given.participants or attendees,
        transcript_url=transcript_url,
        submitted_by=submitted_by,
        origin={**given.origin, "transcript_name": transcript.name if transcript else None},
        meeting_key=f"ics:{facts.event_uid}" if facts.event_uid else None,
        began_at=facts.began_at,
        duration_s=duration_s,
        gate_ids=given.gate_ids,
    )
    with context.factory.begin() as session:
        if given.joins is not None:
            return Added(join_by_hand(session, given.joins, new), False)
        recording_id, is_new = take_in(session, context.settings, new, source=source)
    return Added(recording_id, is_new)


def newest_job(context: Context, kind: str, recording_id: int) -> int | None:
    """The latest job of this kind for a recording."""
    with context.factory() as session:
        return session.execute(
            select(Job.id)
            .where(Job.kind == kind, Job.key == str(recording_id))
            .order_by(Job.id.desc())
            .limit(1)
        ).scalar_one_or_none()
