"""Job: look into a folder or bucket of recordings and take in what is finished, with what lies beside it.

A file is finished when two looks found it alike. One bad file fails alone: an alert names it until it is mended
or gone, and the others go on. The source's cursor keeps what was seen, taken and refused, by path.
"""

import json
import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

import fsspec
from sqlalchemy import text
from sqlalchemy.orm import Session

from connectors.recordings.source import FoundRecording, fingerprints, scan, settled
from core.errors import BadInput, NeverAgain, NotFound, Unavailable
from core.running_job import RunningJob
from core.tables.documents import Source
from workers.add_recording import MAX_TRANSCRIPT_BYTES, LocalRecording, add_local
from workers.context import Context

logger = logging.getLogger(__name__)

SETTLE_S = 20.0
"""Least time between two looks that are compared: a recorder may write nothing for some seconds."""
SAVE_EVERY = 25
BLOCK = 1024 * 1024
MAX_ICS_BYTES = 1_000_000

ALERT = text("""
    INSERT INTO alerts (key, message, details) VALUES (:key, :message, CAST(:details AS jsonb))
    ON CONFLICT (key) WHERE closed_at IS NULL DO UPDATE SET message = excluded.message, details = excluded.details
""")
CLOSE_ALERTS = text("""
    UPDATE alerts SET closed_at = now()
    WHERE closed_at IS NULL AND starts_with(key, :prefix) AND NOT key = ANY(:kept)
""")


@dataclass
class _Cursor:
    """Paths with the marks they had: `seen` at the last look, `taken` and `refused` when they were handled."""

    looked_at: str | None = None
    seen: dict[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `source_id`. Outcome: how many recordings lie there, were taken in now, are refused, are unsettled."""
    source_id = int(job.args["source_id"])
    name, url, cursor = _read(context, source_id)
    if url is None:
        return {"skipped": "this source has no folder"}
    try:
        found = scan(url)
    except NeverAgain as exc:
        _keep(context, job, source_id, cursor, error=str(exc))
        raise
    ready = settled(found, cursor.seen)
    n_taken = n_handled = 0
    for one in ready:
        if _mark(one) in (cursor.taken.get(one.path), cursor.refused.get(one.path)):
            continue
        job.check()
        n_taken += _take(context, source_id, name, url, one, cursor)
        n_handled += 1
        if n_handled % SAVE_EVERY == 0:  # the cursor names every file, so it is not written for each of them
            _keep(context, job, source_id, cursor)
        job.progress(n_taken, len(ready), "recordings")
    n_refused = _finish(context, job, source_id, cursor, found)
    return {
        "n_found": len(found),
        "n_taken": n_taken,
        "n_refused": n_refused,
        "n_unsettled": len(found) - len(ready),
    }


def _read(context: Context, source_id: int) -> tuple[str, str | None, _Cursor]:
    with context.factory() as session:
        source = session.get(Source, source_id)
        if source is None or source.kind != "recordings" or source.state == "removed":
            raise NotFound(f"there is no recordings source {source_id} (any more)")
        known = {key: value for key, value in source.cursor.items() if key in _Cursor.__dataclass_fields__}
        return source.name, source.settings.get("url"), _Cursor(**known)


def _take(
    context: Context, source_id: int, source: str, url: str, one: FoundRecording, cursor: _Cursor
) -> bool:
    """Take one file in; True when it was. A refusal is written down and not repeated until the file changes."""
    try:
        with tempfile.TemporaryDirectory(prefix="imp-scan-") as folder:
            media, transcript = _fetch(url, one, Path(folder), context.settings.imp_max_upload_bytes)
            origin = {"door": "folder", "path": one.path}
            given = LocalRecording(media, transcript=transcript, origin=origin)
            added = add_local(context, given, source=source)
    except BadInput as exc:
        logger.warning("recording_refused", extra={"source_id": source_id, "why": str(exc)})
        cursor.refused[one.path] = _mark(one)
        cursor.taken.pop(one.path, None)
        details = {"source_id": source_id, "path": one.path}
        with context.factory.begin() as session:
            session.execute(
                ALERT,
                {
                    "key": _alert_key(source_id, one.path),
                    "message": str(exc)[:2000],
                    "details": json.dumps(details),
                },
            )
        return False
    logger.info("recording_taken", extra={"source_id": source_id, "recording_id": added.recording_id})
    cursor.taken[one.path] = _mark(one)
    cursor.refused.pop(one.path, None)
    return True


def _fetch(url: str, one: FoundRecording, folder: Path, max_bytes: int) -> tuple[Path, Path | None]:
    """Copies of the file and of what lies beside it, under their own names; (media, transcript)."""
    store, _ = fsspec.core.url_to_fs(url)
    media = folder / PurePosixPath(one.path).name
    transcript = folder / PurePosixPath(one.transcript_path).name if one.transcript_path else None
    wanted = [(one.path, media, max_bytes)]
    if transcript is not None and one.transcript_path is not None:
        wanted.append((one.transcript_path, transcript, MAX_TRANSCRIPT_BYTES))
    if one.ics_path is not None:
        wanted.append((one.ics_path, media.with_suffix(".ics"), MAX_ICS_BYTES))
    for path, target, limit in wanted:
        try:
            size = int(store.size(path) or 0)
            if size > limit:
                raise BadInput(f"{target.name}: larger than the limit of {limit / 1024**2:.0f} MiB")
            with ExitStack() as stack:
                source: IO[bytes] = stack.enter_context(store.open(path, "rb"))
                shutil.copyfileobj(source, stack.enter_context(target.open("wb")), BLOCK)
        except FileNotFoundError as exc:
            raise BadInput(f"{target.name}: it was taken away while it was read") from exc
        except PermissionError as exc:
            raise BadInput(f"{target.name}: not allowed to read it") from exc
        except OSError as exc:
            raise Unavailable(f"{target.name}: could not be read: {type(exc).__name__}") from exc
    return media, transcript


def _finish(
    context: Context, job: RunningJob, source_id: int, cursor: _Cursor, found: Sequence[FoundRecording]
) -> int:
    """Remember this look, forget files that are gone, close alerts that are settled. Returns how many are refused."""
    there = fingerprints(found)
    now = datetime.now(UTC)
    if _is_old(cursor.looked_at, now) or not cursor.seen:
        cursor.seen, cursor.looked_at = there, now.isoformat()
    cursor.taken = _only(cursor.taken, there)
    cursor.refused = _only(cursor.refused, there)
    _keep(context, job, source_id, cursor, is_whole=True)
    return len(cursor.refused)


def _keep(
    context: Context,
    job: RunningJob,
    source_id: int,
    cursor: _Cursor,
    *,
    error: str | None = None,
    is_whole: bool = False,
) -> None:
    with context.factory.begin() as session:
        job.fence(session)
        source = session.get_one(Source, source_id)
        source.cursor = {
            "looked_at": cursor.looked_at, "seen": dict(cursor.seen), "taken": dict(cursor.taken),
            "refused": dict(cursor.refused),
        }  # fmt: skip
        source.error = error
        if is_whole:
            source.state, source.synced_at = "ready", datetime.now(UTC)
            _close_alerts(session, source_id, cursor)


def _close_alerts(session: Session, source_id: int, cursor: _Cursor) -> None:
    kept = [_alert_key(source_id, path) for path in cursor.refused]
    session.execute(CLOSE_ALERTS, {"prefix": _alert_key(source_id, ""), "kept": kept})


def _alert_key(source_id: int, path: str) -> str:
    return f"recording:{source_id}:{path}"


def _mark(one: FoundRecording) -> str:
    """Changes when the file does, and when a transcript or an event comes to lie beside it."""
    return f"{one.fingerprint}|{one.transcript_path or ''}|{one.ics_path or ''}"


def _is_old(looked_at: str | None, now: datetime) -> bool:
    return looked_at is None or (now - datetime.fromisoformat(looked_at)).total_seconds() >= SETTLE_S


def _only(marks: Mapping[str, str], there: Mapping[str, str]) -> dict[str, str]:
    return {path: mark for path, mark in marks.items() if path in there}
