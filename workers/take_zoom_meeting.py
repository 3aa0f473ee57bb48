"""Job: the files of one Zoom meeting are fetched and become one recording: its film, parts, tracks, transcript."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from connectors.recordings import zoom
from connectors.recordings.ffmpeg import MediaLimits
from connectors.recordings.guarded_download import download
from connectors.recordings.probe import probe
from connectors.recordings.zoom import WantedFile, ZoomMeeting
from core.blobs import Stored
from core.errors import BadInput, Unavailable
from core.running_job import RunningJob
from core.tables.meetings import Recording
from core.tables.people import Person
from workers.add_recording import MAX_TRANSCRIPT_BYTES
from workers.context import Context
from workers.intake import NewRecording, hear_again, take_in
from workers.meeting_files import NewFile
from workers.take_zoom_webhook import unseal

SOURCE = "zoom"


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `meeting`, `sealed_token`. Outcome: the recording and how many files it has.

    Files that were kept by an earlier run of this job are not fetched again.
    """
    meeting = zoom.meeting_from_json(str(job.args["meeting"]))
    wanted = zoom.wanted_files(meeting)
    token = unseal(context.settings, str(job.args["sealed_token"]))
    kept = [(file, _kept(context, job, file, number, token)) for number, file in enumerate(wanted)]
    media = [(file, stored) for file, stored in kept if file.role == "media"]
    transcripts = [(file, stored) for file, stored in kept if file.role == "transcript"]
    if not media:
        return _take_transcripts(context, job, meeting, transcripts)
    recording_id = _take(
        context, job, meeting, media, [one for one in kept if one[0].role == "track"], transcripts
    )
    return {"recording_id": recording_id, "n_files": len(kept)}


Kept = tuple[WantedFile, Stored]


def _kept(context: Context, job: RunningJob, file: WantedFile, number: int, token: str) -> Stored:
    """The file in the blob store; fetched at most once, checked to be media before it is kept."""
    before = (job.checkpoint.get("files") or {}).get(str(number))
    if before is not None:
        return Stored(*before)
    job.check()
    settings = context.settings
    limit = MAX_TRANSCRIPT_BYTES if file.role == "transcript" else settings.imp_max_upload_bytes
    if file.size_bytes > limit:
        raise BadInput(f"{file.name}: larger than the limit of {limit / 1024**2:.0f} MiB")
    with tempfile.TemporaryDirectory(prefix="imp-zoom-") as folder:
        path = Path(folder) / file.name
        download(
            file.url,
            path,
            allowed=settings.zoom_download_hosts,
            max_bytes=limit,
            headers={"Authorization": f"Bearer {token}"} if token else None,
        )
        if file.role == "media":
            probe(path, limits=MediaLimits(limit, settings.imp_max_recording_s))
        stored = context.blobs.put_file(path, max_bytes=limit)
    with context.factory.begin() as session:
        known = {**(job.checkpoint.get("files") or {}), str(number): _fields(stored)}
        job.save(session, files=known)
    job.progress(number + 1, None, "files fetched")
    return stored


def _take(
    context: Context,
    job: RunningJob,
    meeting: ZoomMeeting,
    media: Sequence[Kept],
    tracks: Sequence[Kept],
    transcripts: Sequence[Kept],
) -> int:
    """One recording: the first stretch, the others as its parts, everybody's tracks on the same clock."""
    (first, stored), *others = media
    own = _transcript_of(first, transcripts)
    files = [
        *(_further(file, kept, first, "part", transcripts) for file, kept in others),
        *(_further(file, kept, first, "track", ()) for file, kept in tracks),
    ]
    new = NewRecording(
        stored=stored,
        file_name=first.name,
        title=meeting.topic.strip() or "Zoom meeting",
        started_at=(meeting.start_time or first.starts_at).astimezone(UTC),
        participants=zoom.participants([file for file, _ in tracks]),
        transcript_url=own.url if own else None,
        origin={"door": "zoom", "uuid": meeting.uuid, "transcript_name": first.name if own else None},
        meeting_key=_key(meeting),
        began_at=first.starts_at,
        files=tuple(files),
    )
    with context.factory.begin() as session:
        job.fence(session)
        host = session.execute(
            select(Person.id).where(func.lower(Person.email) == meeting.host_email.lower())
        ).scalar_one_or_none()
        new = replace(new, submitted_by=host if meeting.host_email else None)
        return take_in(session, context.settings, new, source=SOURCE)[0]


def _take_transcripts(
    context: Context, job: RunningJob, meeting: ZoomMeeting, transcripts: Sequence[Kept]
) -> dict[str, Any]:
    """Transcripts come minutes after the recording, in a delivery of their own.

    Raises:
        Unavailable: the recording itself is still being fetched.
    """
    if not transcripts:
        return {"recording_id": None, "n_files": 0}
    with context.factory.begin() as session:
        job.fence(session)
        recording = session.execute(
            select(Recording).where(Recording.meeting_key == _key(meeting)).order_by(Recording.id).limit(1)
            .with_for_update()
        ).scalar_one_or_none()  # fmt: skip
        if recording is None:
            raise Unavailable("the recording of this transcript is not here yet")
        began_at = datetime.fromisoformat(str(recording.origin["began_at"]))
        for file, stored in transcripts:
            if file.starts_at == began_at and recording.transcript_url is None:
                recording.transcript_url = stored.url
                recording.origin = {**recording.origin, "transcript_name": file.name}
                hear_again(session, recording)
        return {"recording_id": recording.id, "n_files": len(transcripts)}


def _further(
    file: WantedFile, stored: Stored, first: WantedFile, role: str, transcripts: Sequence[Kept]
) -> NewFile:
    own = _transcript_of(file, transcripts)
    return NewFile(
        role,
        stored,
        file.name,
        (file.starts_at - first.starts_at).total_seconds(),
        file.speaker,
        own.url if own else None,
        file.name if own else None,
    )


def _transcript_of(file: WantedFile, transcripts: Sequence[Kept]) -> Stored | None:
    return next((stored for one, stored in transcripts if one.starts_at == file.starts_at), None)


def _key(meeting: ZoomMeeting) -> str:
    return f"zoom:{meeting.uuid}"


def _fields(stored: Stored) -> list[Any]:
    return [stored.url, stored.sha256, stored.size_bytes, stored.is_new]
