"""`POST /v1/recordings` (upload) and `GET /v1/recordings/{id}` (what became of it)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Path, UploadFile
from pydantic import BaseModel
from sqlalchemy import select

from app.auth import Ctx, PersonId, may_open
from core.blobs import BLOCK, Stored
from core.errors import BadInput
from core.settings import Settings
from core.tables.jobs import Job
from core.tables.meetings import Minutes, Recording
from workers.add_recording import MAX_TRANSCRIPT_BYTES
from workers.context import Context
from workers.intake import NewRecording, find_by_content, take_in

router = APIRouter(tags=["recordings"])
RecordingId = Path(ge=1, le=2**31 - 1)
MAX_NAME_CHARS = 300
FORM_BYTES = 1024 * 1024
FIRST_YEAR, LAST_YEAR = 1970, 2100


class RecordingReply(BaseModel):
    """A recording and where its minutes are; `job_id` is the job that works on it, or did last."""

    id: int
    title: str
    state: str
    started_at: datetime | None
    duration_s: float | None
    participants: list[str]
    engine: str | None
    warnings: list[str]
    error: str | None
    job_id: int | None
    minutes_state: str | None
    minutes_url: str | None


@router.post("/v1/recordings", status_code=202, responses={400: {}, 401: {}, 409: {}, 413: {}, 503: {}})
def upload(
    context: Ctx,
    person_id: PersonId,
    file: UploadFile,
    title: Annotated[str | None, Form(max_length=300)] = None,
    started_at: Annotated[datetime | None, Form()] = None,
    participant: Annotated[list[str] | None, Form(max_length=200)] = None,
    transcript: UploadFile | None = None,
) -> RecordingReply:
    """Take a recording in. The same file again gives the same recording.

    Large files go in pieces that survive a broken line: with the header `Tus-Resumable: 1.0.0` this address speaks
    tus (https://tus.io/protocols/resumable-upload), and answers where to send the bytes.

    What is in the file is looked at by the job; a file that is no media fails there, with the reason.
    409: the file is known already, and this person may not open it.
    """
    began_at = _moment(started_at)
    stored = _keep(context, file, context.settings.imp_max_upload_bytes)
    beside = _keep(context, transcript, MAX_TRANSCRIPT_BYTES) if transcript is not None else None
    name = _file_name(file)
    new = NewRecording(
        stored=stored,
        file_name=name,
        title=_clean(title or "") or PurePosixPath(name).stem,
        started_at=began_at,
        participants=tuple(filter(None, (_clean(one) for one in participant or ()))),
        transcript_url=beside.url if beside else None,
        submitted_by=person_id,
        origin={"door": "api", "transcript_name": _file_name(transcript) if transcript else None},
    )
    with context.factory.begin() as session:
        known = find_by_content(session, stored.sha256)
        # Asked before anything is changed: a stranger's transcript must not replace what is kept.
        if known is not None and not _is_visible(context, person_id, known):
            raise HTTPException(409, "this recording is already known, and you may not open it")
        recording_id, _ = take_in(session, context.settings, new)
    return _reply(context, recording_id)


@router.get("/v1/recordings/{recording_id}", responses={401: {}, 404: {}})
def show(context: Ctx, person_id: PersonId, recording_id: int = RecordingId) -> RecordingReply:
    """One recording, for those who may open it."""
    if not _is_visible(context, person_id, recording_id):
        raise HTTPException(404, "no such recording")
    return _reply(context, recording_id)


def max_body_bytes(settings: Settings) -> dict[str, int]:
    """The largest request that can still hold a recording and its transcript in their limits, by path."""
    return {"/v1/recordings": settings.imp_max_upload_bytes + MAX_TRANSCRIPT_BYTES + FORM_BYTES}


def _is_visible(context: Context, person_id: int, recording_id: int) -> bool:
    with context.factory() as session:
        recording = session.get(Recording, recording_id)
    if recording is None:
        return False
    return recording.submitted_by == person_id or may_open(context, person_id, recording.gate_ids)


def _reply(context: Context, recording_id: int) -> RecordingReply:
    with context.factory() as session:
        recording = session.get_one(Recording, recording_id)
        minutes = session.execute(
            select(Minutes)
            .where(Minutes.recording_id == recording_id)
            .order_by(Minutes.version.desc())
            .limit(1)
        ).scalar_one_or_none()
        job_id = session.execute(
            select(Job.id).where(Job.kind == "transcribe_recording", Job.key == str(recording_id))
            .order_by(Job.id.desc()).limit(1)
        ).scalar_one_or_none()  # fmt: skip
        fields: dict[str, Any] = {
            name: getattr(recording, name) for name in RecordingReply.model_fields if hasattr(recording, name)
        }
    return RecordingReply(
        **fields,
        job_id=job_id,
        minutes_state=minutes.state if minutes else None,
        minutes_url=minutes.page_url if minutes else None,
    )


def _keep(context: Context, file: UploadFile, max_bytes: int) -> Stored:
    def blocks() -> Iterator[bytes]:
        while block := file.file.read(BLOCK):
            yield block

    try:
        return context.blobs.put(blocks(), suffix=PurePosixPath(_file_name(file)).suffix, max_bytes=max_bytes)
    except BadInput as exc:
        raise HTTPException(413, str(exc)) from exc


def _moment(given: datetime | None) -> datetime | None:
    """Aware, in UTC; a time without a zone is UTC."""
    if given is None:
        return None
    if not FIRST_YEAR <= given.year <= LAST_YEAR:
        raise BadInput(f"started_at: the year {given.year} is no year of a recording")
    return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)


def _file_name(file: UploadFile) -> str:
    """The name to show, without folders; never a path of ours."""
    name = PurePosixPath((file.filename or "").replace("\\", "/"))
    ending = _clean(name.suffix)[:20]
    return _clean(name.stem)[: MAX_NAME_CHARS - len(ending)] + ending or "recording"


def _clean(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", "", text).encode("utf-8", "ignore").decode()[:MAX_NAME_CHARS].strip()
