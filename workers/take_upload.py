"""Job: an upload whose pieces are all there becomes a recording like any other; its pieces go."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy.orm import Session

from core.access import passed_gates
from core.errors import BadInput, Denied, NeverAgain, NotFound
from core.running_job import RunningJob
from core.tables.meetings import Recording
from core.tables.recording_files import Upload
from workers.context import Context
from workers.intake import NewRecording, find_by_content, take_in
from workers.upload_parts import UploadParts


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `upload_id`. Outcome: the recording. What cannot be taken in is said on the upload."""
    upload_id = str(job.args["upload_id"])
    with context.factory() as session:
        row = session.get(Upload, upload_id)
        if row is None or row.state != "complete":
            return {"recording_id": row.recording_id if row else None}
    parts = UploadParts(context.settings.blobs_url)
    try:
        recording_id = _take(context, job, row, parts)
    except NeverAgain as exc:
        with context.factory.begin() as session:
            job.fence(session)
            failed = session.get_one(Upload, upload_id)
            failed.state, failed.error = "failed", str(exc)[:2000]
        parts.remove(upload_id)
        raise
    parts.remove(upload_id)
    return {"recording_id": recording_id}


def _take(context: Context, job: RunningJob, row: Upload, parts: UploadParts) -> int:
    facts: Mapping[str, Any] = row.facts
    name = str(facts.get("file_name") or "recording")
    stored = context.blobs.put(
        parts.read(row.id, [part["name"] for part in row.parts]),
        suffix=PurePosixPath(name).suffix,
        max_bytes=context.settings.imp_max_upload_bytes,
    )
    if stored.size_bytes != row.size_bytes:
        raise BadInput(f"{name}: {stored.size_bytes} bytes arrived of {row.size_bytes}; send it again")
    if facts.get("sha256") not in (None, stored.sha256):
        raise BadInput(f"{name}: what arrived is not what was sent (its SHA-256 differs); send it again")
    started = facts.get("started_at")
    new = NewRecording(
        stored=stored,
        file_name=name,
        title=str(facts.get("title") or PurePosixPath(name).stem),
        started_at=datetime.fromisoformat(started) if started else None,
        participants=tuple(facts.get("participants") or ()),
        submitted_by=row.person_id,
        origin={"door": "api"},
    )
    with context.factory.begin() as session:
        job.fence(session)
        known = find_by_content(session, stored.sha256)
        if known is not None and not may_see(session, row.person_id, known):
            raise Denied("this recording is already known, and you may not open it")
        recording_id, _ = take_in(session, context.settings, new)
        taken = session.get_one(Upload, row.id)
        taken.state, taken.recording_id = "taken", recording_id
        return recording_id


def may_see(session: Session, person_id: int, recording_id: int) -> bool:
    """Who gave a recording, and who passes all of its doors. Raises NotFound."""
    recording = session.get(Recording, recording_id)
    if recording is None:
        raise NotFound(f"recording {recording_id} does not exist")
    if recording.submitted_by == person_id:
        return True
    return recording.gate_ids is not None and set(recording.gate_ids) <= set(passed_gates(session, person_id))
