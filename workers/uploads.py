"""Uploads in pieces: begun, added to at their end, finished by a job, thrown away when nobody goes on.

Rows say what has arrived; a piece counts only once its row does, so any process may die at any moment.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import IO, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import jobs
from core.errors import BadInput, Conflict, NotFound, RateLimited
from core.settings import Settings
from core.tables.recording_files import Upload
from workers.context import Context
from workers.upload_parts import UploadParts

MOST_OPEN = 20
MOST_PIECES = 20_000


@dataclass(frozen=True, slots=True)
class UploadFacts:
    """An upload as its owner sees it."""

    id: str
    size_bytes: int
    received_bytes: int
    state: str
    error: str | None
    recording_id: int | None
    expires_at: datetime


def begin(
    session: Session, settings: Settings, person_id: int, size_bytes: int, facts: Mapping[str, Any]
) -> UploadFacts:
    """A new, empty upload.

    Raises:
        BadInput: empty, or larger than IMP_MAX_UPLOAD_BYTES.
        RateLimited: this person has too many open ones.
    """
    if not 0 < size_bytes <= settings.imp_max_upload_bytes:
        raise BadInput(f"an upload has 1 to {settings.imp_max_upload_bytes} bytes, not {size_bytes}")
    n_open = session.execute(
        select(func.count()).select_from(Upload).where(Upload.person_id == person_id, Upload.state == "open")
    ).scalar_one()
    if n_open >= MOST_OPEN:
        raise RateLimited(f"{MOST_OPEN} uploads are open already: finish or delete one", retry_after_s=60)
    row = Upload(
        id=secrets.token_urlsafe(18),
        person_id=person_id,
        size_bytes=size_bytes,
        facts=dict(facts),
        parts=[],
        received_bytes=0,
        state="open",
        expires_at=_expiry(settings),
    )
    session.add(row)
    session.flush()
    return _facts(row)


def find(session: Session, upload_id: str, person_id: int) -> UploadFacts:
    """Raises NotFound for what is not there, is somebody else's, or has expired."""
    return _facts(_own(session, upload_id, person_id))


def append(context: Context, upload_id: str, person_id: int, offset: int, piece: IO[bytes]) -> UploadFacts:
    """Add a piece at `offset`, which must be where the upload ends. The last piece enqueues the taking-in.

    Raises:
        NotFound: see `find`.
        Conflict: the upload ends elsewhere (`str` says where), or is finished.
        BadInput: more bytes than were announced.
    """
    size = piece.seek(0, 2)
    piece.seek(0)
    with context.factory() as session:
        _check(_own(session, upload_id, person_id), offset, size)
    parts = UploadParts(context.settings.blobs_url)
    name = parts.write(upload_id, piece) if size else ""
    try:
        with context.factory.begin() as session:
            row = _own(session, upload_id, person_id, lock=True)
            _check(row, offset, size)
            if size:
                row.parts = [*row.parts, {"name": name, "size": size}]
            row.received_bytes = offset + size
            row.expires_at = _expiry(context.settings)
            if row.received_bytes == row.size_bytes:
                row.state = "complete"
                jobs.enqueue(session, "take_upload", row.id, upload_id=row.id)
            session.flush()
            return _facts(row)
    except BaseException:
        if name:
            parts.remove(upload_id, name)
        raise


def discard(context: Context, upload_id: str, person_id: int) -> None:
    """Throw an unfinished upload away. Raises NotFound, and Conflict when it is being taken in."""
    with context.factory.begin() as session:
        row = _own(session, upload_id, person_id, lock=True)
        if row.state == "complete":
            raise Conflict("the upload is being taken in")
        session.delete(row)
    UploadParts(context.settings.blobs_url).remove(upload_id)


def sweep(context: Context) -> int:
    """Throw away what expired; a finished upload's row goes too, its recording stays. Returns how many."""
    with context.factory.begin() as session:
        rows = session.execute(
            select(Upload).where(Upload.expires_at < func.now(), Upload.state != "complete")
            .with_for_update(skip_locked=True)
        ).scalars().all()  # fmt: skip
        ids = [row.id for row in rows]
        for row in rows:
            session.delete(row)
    for upload_id in ids:
        UploadParts(context.settings.blobs_url).remove(upload_id)
    return len(ids)


def _check(row: Upload, offset: int, size: int) -> None:
    if row.state != "open":
        raise Conflict(f"the upload is {row.state}")
    if offset != row.received_bytes:
        raise Conflict(f"the upload ends at {row.received_bytes}, not at {offset}")
    if offset + size > row.size_bytes:
        raise BadInput(f"the upload has {row.size_bytes} bytes; more were sent")
    if len(row.parts) >= MOST_PIECES:
        raise BadInput(f"an upload has at most {MOST_PIECES} pieces; send larger ones")


def _own(session: Session, upload_id: str, person_id: int, *, lock: bool = False) -> Upload:
    row = session.get(Upload, upload_id, with_for_update=lock or None)
    if row is None or row.person_id != person_id or row.expires_at < datetime.now(UTC):
        raise NotFound("there is no such upload (any more)")
    return row


def _expiry(settings: Settings) -> datetime:
    return datetime.now(UTC) + timedelta(hours=settings.imp_upload_expires_h)


def _facts(row: Upload) -> UploadFacts:
    return UploadFacts(
        row.id, row.size_bytes, row.received_bytes, row.state, row.error, row.recording_id, row.expires_at
    )
