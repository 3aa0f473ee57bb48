"""Media that expire: sound and film go after IMP_KEEP_MEDIA_DAYS; transcript, minutes and citations stay.

Also keeps out of the store what was erased and came back through a door that still had it. Knows no page.
"""

import logging
from datetime import UTC, datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from core.tables.jobs import Job
from core.tables.meetings import Recording
from core.tables.recording_files import ErasedFile, RecordingFile
from workers.context import Context

logger = logging.getLogger(__name__)

BATCH = 500


def sweep(context: Context) -> int:
    """Delete media older than the policy allows, and files of erased recordings. Returns how many recordings lost theirs.

    A recording nobody has a transcript of keeps its sound; so does one that is being heard.
    """
    for sha256 in _erased(context):
        for url in context.blobs.urls_of(sha256):
            context.blobs.remove(url)
    if not context.settings.imp_keep_media_days:
        return 0
    before = datetime.now(UTC) - timedelta(days=context.settings.imp_keep_media_days)
    ids = _due(context, before)
    n_expired = sum(_expire(context, recording_id) for recording_id in ids)
    if n_expired:
        logger.info("media_expired", extra={"n_expired": n_expired})
    return n_expired


def media_urls(session: Session, recording: Recording) -> list[str]:
    """Blobs that hold sound or film of this recording and of no other; transcript files are none."""
    files = session.execute(
        select(RecordingFile.blob_url, RecordingFile.transcript_url).where(
            RecordingFile.recording_id == recording.id
        )
    ).all()
    transcripts = {recording.transcript_url, *(row.transcript_url for row in files)}
    urls = dict.fromkeys([recording.blob_url, *(row.blob_url for row in files)])
    return [url for url in urls if url not in transcripts and not is_shared(session, url, recording.id)]


def is_shared(session: Session, url: str, recording_id: int) -> bool:
    """Whether another recording keeps this blob as well, as two meetings may come with the same transcript file."""
    query = select(
        or_(
            exists().where(
                Recording.id != recording_id, or_(Recording.blob_url == url, Recording.transcript_url == url)
            ),
            exists().where(
                RecordingFile.recording_id != recording_id,
                or_(RecordingFile.blob_url == url, RecordingFile.transcript_url == url),
            ),
        )
    )
    return bool(session.execute(query).scalar_one())


def _erased(context: Context) -> list[str]:
    with context.factory() as session:
        return list(session.execute(select(ErasedFile.sha256)).scalars())


def _due(context: Context, before: datetime) -> list[int]:
    is_busy = exists().where(
        Job.kind.in_(("transcribe_recording", "learn_voice")),
        Job.state.in_(("queued", "running")),
        Job.args["recording_id"].as_integer() == Recording.id,
    )
    query = select(Recording.id).where(
        Recording.state == "transcribed",
        Recording.media_expired_at.is_(None),
        Recording.created_at < before,
        or_(Recording.transcript_url.is_(None), Recording.blob_url != Recording.transcript_url),
        ~is_busy,
    )
    with context.factory() as session:
        return list(session.execute(query.order_by(Recording.id).limit(BATCH)).scalars())


def _expire(context: Context, recording_id: int) -> bool:
    """The blobs go before the row says so: a crash in between is repaired by the next sweep."""
    with context.factory.begin() as session:
        recording = session.get(Recording, recording_id, with_for_update=True)
        if recording is None or recording.media_expired_at is not None or recording.state != "transcribed":
            return False
        for url in media_urls(session, recording):
            context.blobs.remove(url)
        recording.media_expired_at = datetime.now(UTC)
    return True
