"""Recordings in: one row a meeting, whichever door its files come through, in which order and how often.

Knows no door and no engine.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connectors.recordings.transcript_files.beside import is_transcript_name
from core import jobs
from core.blobs import Stored
from core.errors import BadInput, Conflict, NotFound
from core.settings import Settings
from core.tables.meetings import Recording
from core.tables.recording_files import ErasedFile
from workers.meeting_files import NewFile, add_files, meeting_of, offset_in, owner_of
from workers.recordings import recordings_source, resolve_gates

UPLOADS = "uploads"


@dataclass(frozen=True, slots=True)
class NewRecording:
    """What a door knows of a recording it takes in; `started_at` is aware UTC.

    `meeting_key` is given by trusted doors only, with `began_at`, when the file itself begins: recordings of one
    meeting are joined by them. `gate_ids` are the doors of the place it was found, where that has its own.
    """

    stored: Stored
    file_name: str
    title: str
    started_at: datetime | None = None
    participants: tuple[str, ...] = ()
    transcript_url: str | None = None
    submitted_by: int | None = None
    origin: dict[str, Any] | None = None
    meeting_key: str | None = None
    began_at: datetime | None = None
    duration_s: float | None = None
    files: tuple[NewFile, ...] = ()
    gate_ids: list[int] | None = None


def take_in(
    session: Session, settings: Settings, new: NewRecording, *, source: str = UPLOADS
) -> tuple[int, bool]:
    """Row and transcription job for a recording; the same bytes through another door are the same recording.

    Returns:
        (recording id, whether it is a meeting not known before).
    """
    if new.transcript_url is None and is_transcript_name(new.file_name):
        new = replace(
            new,
            transcript_url=new.stored.url,
            origin={**(new.origin or {}), "transcript_name": new.file_name},
        )
    refuse_erased(session, new.stored.sha256)
    known_id = owner_of(session, new.stored.sha256)
    if known_id is not None:
        return _take_again(session, known_id, new), False
    if (completed := _complete(session, new)) is not None:
        return completed, False
    if new.meeting_key and (joined := _join(session, new)) is not None:
        return joined, False
    recording_id = _insert(session, settings, new, recordings_source(session, source))
    if recording_id is None:  # another door was quicker, this very moment
        known_id = session.execute(
            select(Recording.id).where(Recording.sha256 == new.stored.sha256)
        ).scalar_one()
        return _take_again(session, known_id, new), False
    add_files(session, recording_id, new.files)
    jobs.enqueue(session, "transcribe_recording", str(recording_id), recording_id=recording_id)
    return recording_id, True


def _insert(session: Session, settings: Settings, new: NewRecording, source_id: int) -> int | None:
    origin = dict(new.origin or {})
    if new.began_at is not None:
        origin["began_at"] = new.began_at.isoformat()
    return session.execute(
        insert(Recording)
        .values(
            sha256=new.stored.sha256,
            blob_url=new.stored.url,
            transcript_url=new.transcript_url,
            file_name=new.file_name[:300],
            size_bytes=new.stored.size_bytes,
            title=new.title[:300],
            started_at=new.started_at,
            duration_s=new.duration_s,
            participants=list(new.participants),
            submitted_by=new.submitted_by,
            origin=origin,
            source_id=source_id,
            meeting_key=new.meeting_key,
            gate_ids=new.gate_ids or resolve_gates(session, settings, source_id),
        )
        .on_conflict_do_nothing(index_elements=["sha256"])
        .returning(Recording.id)
    ).scalar_one_or_none()


def _take_again(session: Session, recording_id: int, new: NewRecording) -> int:
    """A known file brings what is new beside it: a transcript, further files, the meeting's name.

    Where the first transcript could not be read, another one mends it; one that was read stays.
    """
    known = session.get_one(Recording, recording_id, with_for_update=True)
    known.meeting_key = known.meeting_key or new.meeting_key
    if new.began_at is not None and "began_at" not in known.origin:
        known.origin = {**known.origin, "began_at": new.began_at.isoformat()}
    n_new = add_files(session, recording_id, new.files)
    is_own = known.sha256 == new.stored.sha256
    if is_own:
        known.media_expired_at = None  # it is here once more, until the clock looks again
    is_wanted = is_own and (known.transcript_url is None or known.state == "failed")
    if is_wanted and new.transcript_url not in (None, known.transcript_url):
        known.transcript_url = new.transcript_url
        known.origin = {**known.origin, "transcript_name": (new.origin or {}).get("transcript_name")}
        n_new += 1
    if n_new:
        hear_again(session, known)
    return recording_id


def _complete(session: Session, new: NewRecording) -> int | None:
    """Media whose transcript was here before it: the recording made of the transcript alone gets its sound."""
    if new.transcript_url in (None, new.stored.url):
        return None
    known = session.execute(
        select(Recording).where(Recording.blob_url == new.transcript_url).with_for_update()
    ).scalar_one_or_none()
    if known is None:
        return None
    known.sha256, known.blob_url, known.size_bytes = new.stored.sha256, new.stored.url, new.stored.size_bytes
    known.file_name, known.transcript_url = new.file_name[:300], new.transcript_url
    known.duration_s = new.duration_s or known.duration_s
    known.origin = {**known.origin, **(new.origin or {})}
    add_files(session, known.id, new.files)
    hear_again(session, known)
    return known.id


def _join(session: Session, new: NewRecording) -> int | None:
    """Make the file a part of the meeting it belongs to; None where that is not known."""
    found = meeting_of(session, new.meeting_key or "", new.began_at, new.duration_s)
    if found is None:
        return None
    known, offset_s, role = found
    name = (new.origin or {}).get("transcript_name")
    part = NewFile(
        role, new.stored, new.file_name, offset_s, transcript_url=new.transcript_url, transcript_name=name
    )
    if add_files(session, known.id, [part, *new.files]) and role != "double":
        hear_again(session, known)
    return known.id


def join_by_hand(session: Session, recording_id: int, new: NewRecording) -> int:
    """Make a file a part of the recording somebody named; where nobody knows when it began, it follows the last.

    Raises:
        NotFound: no such recording.
        Conflict: the file belongs to another recording.
    """
    known = session.get(Recording, recording_id, with_for_update=True)
    if known is None:
        raise NotFound(f"recording {recording_id} does not exist")
    refuse_erased(session, new.stored.sha256)
    owner = owner_of(session, new.stored.sha256)
    if owner not in (None, recording_id):
        raise Conflict(f"this file is recording {owner} already")
    offset_s = offset_in(session, known, new.began_at)
    name = (new.origin or {}).get("transcript_name")
    part = NewFile("part", new.stored, new.file_name, offset_s, None, new.transcript_url, name)
    if owner is None and add_files(session, known.id, [part]):
        hear_again(session, known)
    return known.id


def refuse_erased(session: Session, sha256: str) -> None:
    """Raises BadInput for a file of an erased recording: it must not come back through a door that still has it."""
    erased = session.get(ErasedFile, sha256)
    if erased is not None:
        raise BadInput(
            f"the recording of this file was erased on {erased.erased_at:%Y-%m-%d}; it stays erased"
        )


def hear_again(session: Session, recording: Recording) -> None:
    """Have a recording transcribed anew, since something about it is new."""
    recording.state, recording.error = "received", None
    jobs.enqueue(session, "transcribe_recording", str(recording.id), recording_id=recording.id)


def find_by_content(session: Session, sha256: str) -> int | None:
    """Id of the recording with exactly these bytes."""
    return owner_of(session, sha256)
