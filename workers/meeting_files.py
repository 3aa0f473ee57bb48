"""All sounding files of one meeting: its recording, further parts of it, tracks of single people; joined by time.

Whichever door a file came through, its content decides whose it is; a meeting's name from a tool decides whether
two recordings are one. Knows no engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.blobs import Stored
from core.tables.meetings import Recording, Segment
from core.tables.recording_files import RecordingFile

# A calendar event's id is shared by all meetings of a series; recordings further apart are two meetings.
LONGEST_MEETING_S = 12 * 3600.0
# A file that lies this much within what is there already is the same sound from another device.
DOUBLE_SHARE = 0.8
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


@dataclass(frozen=True, slots=True)
class NewFile:
    """A further file of a meeting. `role`: part, track; `offset_s` on the recording's clock."""

    role: str
    stored: Stored
    file_name: str
    offset_s: float
    speaker: str | None = None
    transcript_url: str | None = None
    transcript_name: str | None = None


@dataclass(frozen=True, slots=True)
class Sound:
    """What is to be heard: a file, from when on, and whose voice it is where that is known."""

    blob_url: str
    file_name: str
    offset_s: float = 0.0
    speaker: str | None = None
    transcript_url: str | None = None
    transcript_name: str | None = None


def owner_of(session: Session, sha256: str) -> int | None:
    """Id of the recording that has a file with exactly these bytes."""
    own = session.execute(select(Recording.id).where(Recording.sha256 == sha256)).scalar_one_or_none()
    if own is not None:
        return own
    return session.execute(
        select(RecordingFile.recording_id)
        .where(RecordingFile.sha256 == sha256)
        .order_by(RecordingFile.id)
        .limit(1)
    ).scalar_one_or_none()


def add_files(session: Session, recording_id: int, files: Sequence[NewFile]) -> int:
    """Attach files to a recording; those it has are left alone. Returns how many are new."""
    n_new = 0
    for file in files:
        if owner_of(session, file.stored.sha256) is not None:
            continue
        added = session.execute(
            insert(RecordingFile)
            .values(
                recording_id=recording_id,
                role=file.role,
                sha256=file.stored.sha256,
                blob_url=file.stored.url,
                file_name=file.file_name[:300],
                size_bytes=file.stored.size_bytes,
                speaker=file.speaker,
                offset_s=file.offset_s,
                transcript_url=file.transcript_url,
                transcript_name=file.transcript_name,
            )
            .on_conflict_do_nothing()
            .returning(RecordingFile.id)
        ).scalar_one_or_none()
        n_new += added is not None
    return n_new


def meeting_of(
    session: Session, meeting_key: str, began_at: datetime | None, duration_s: float | None
) -> tuple[Recording, float, str] | None:
    """The recording of the same meeting that this one joins: (it, seconds from its start, role).

    `role` is part, or double for the same time from another device, which is kept and not heard twice. None where
    there is no such meeting, or where nobody knows when the two began: they would be joined blindly. Others that ask
    for the same meeting wait until the caller's transaction ends.
    """
    session.execute(LOCK, {"key": meeting_key})
    rows = session.execute(
        select(Recording).where(Recording.meeting_key == meeting_key).order_by(Recording.id).with_for_update()
    ).scalars()
    for known in rows:
        known_began = _moment(known.origin.get("began_at"))
        if known_began is None or began_at is None:
            continue
        offset_s = (began_at - known_began).total_seconds()
        if abs(offset_s) <= LONGEST_MEETING_S:
            return known, offset_s, _role(known, offset_s, duration_s)
    return None


def offset_in(session: Session, recording: Recording, began_at: datetime | None) -> float:
    """Seconds from the recording's start at which a part begins: by the clock where both are known, else after the
    last part that is there.
    """
    known_began = _moment(recording.origin.get("began_at"))
    if known_began is not None and began_at is not None:
        offset_s = (began_at - known_began).total_seconds()
        if abs(offset_s) <= LONGEST_MEETING_S:
            return offset_s
    last = session.execute(
        select(func.max(Segment.end_s)).where(Segment.recording_id == recording.id)
    ).scalar_one_or_none()
    return max(recording.duration_s or 0.0, last or 0.0)


def sounds_of(session: Session, recording: Recording) -> tuple[Sound, ...]:
    """What is to be heard of a meeting, in order of time.

    Tracks of single people stand for the mix of all of them, unless a transcript with the recording says who spoke.
    """
    files = session.execute(
        select(RecordingFile)
        .where(RecordingFile.recording_id == recording.id)
        .order_by(RecordingFile.offset_s, RecordingFile.id)
    ).scalars().all()  # fmt: skip
    own = Sound(
        recording.blob_url,
        recording.file_name,
        0.0,
        None,
        recording.transcript_url,
        recording.origin.get("transcript_name"),
    )
    tracks = [one for one in files if one.role == "track"]
    if tracks and recording.transcript_url is None:
        return tuple(_sound(one) for one in tracks)
    parts = [_sound(one) for one in files if one.role == "part"]
    return tuple(sorted([own, *parts], key=lambda one: one.offset_s))


@dataclass(frozen=True, slots=True)
class Playable:
    """A file to play: its place on the meeting's clock; `file_id` None is the recording's own."""

    from_s: float
    file_id: int | None = None


def playable(session: Session, recording: Recording) -> tuple[Playable, ...]:
    """What is played at which second of the meeting, in order: the recording and the parts that go on with it."""
    parts = session.execute(
        select(RecordingFile.offset_s, RecordingFile.id)
        .where(RecordingFile.recording_id == recording.id, RecordingFile.role == "part")
    ).all()  # fmt: skip
    first_s = min(0.0, *(row.offset_s for row in parts), 0.0)
    found = [Playable(0.0 - first_s), *(Playable(row.offset_s - first_s, row.id) for row in parts)]
    return tuple(sorted(found, key=lambda one: one.from_s))


def blob_urls(session: Session, recording_id: int) -> list[str]:
    """Every blob that is kept for a recording: media, tracks and parts, transcripts."""
    recording = session.get_one(Recording, recording_id)
    files = session.execute(
        select(RecordingFile.blob_url, RecordingFile.transcript_url).where(
            RecordingFile.recording_id == recording_id
        )
    ).all()
    kept = [recording.blob_url, recording.transcript_url, *(url for row in files for url in row)]
    return list(dict.fromkeys(url for url in kept if url))


def count_files(session: Session, recording_id: int) -> int:
    """How many files a recording has besides its own."""
    query = select(func.count()).select_from(RecordingFile).where(RecordingFile.recording_id == recording_id)
    return int(session.execute(query).scalar_one())


def _sound(file: RecordingFile) -> Sound:
    return Sound(
        file.blob_url, file.file_name, file.offset_s, file.speaker, file.transcript_url, file.transcript_name
    )


def _role(known: Recording, offset_s: float, duration_s: float | None) -> str:
    if known.duration_s is None or duration_s is None or duration_s <= 0:
        return "part"
    shared_s = min(known.duration_s, offset_s + duration_s) - max(0.0, offset_s)
    return "double" if shared_s >= DOUBLE_SHARE * duration_s else "part"


def _moment(raw: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(raw)) if raw else None
    except ValueError:
        return None
