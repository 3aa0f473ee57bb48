"""A folder or bucket of recordings as a source: what lies there, with what belongs to it, and what is finished.

Reads listings only: no file is opened, no row written, nothing is kept between looks but what the caller keeps.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import fsspec

from connectors.recordings.transcript_files.beside import ZOOM, choose_beside, is_transcript_name
from core.errors import BadInput, Denied, NotConfigured, NotFound, Unavailable

logger = logging.getLogger(__name__)

# fmt: off
MEDIA_ENDINGS = frozenset({
    ".3gp", ".aac", ".aif", ".aiff", ".amr", ".asf", ".avi", ".caf", ".flac", ".flv", ".m4a", ".m4v", ".mka", ".mkv",
    ".mov", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".oga", ".ogg", ".opus", ".ts", ".wav", ".weba", ".webm",
    ".wma", ".wmv",
})
# fmt: on
MOST_FILES = 200_000


@dataclass(frozen=True, slots=True)
class FoundRecording:
    """One media file in a listing.

    `path` is the file system's own path, to be opened with fsspec under `scan`'s URL scheme; `modified_at` is aware
    UTC, None where the store keeps none; `etag` is the store's content mark. `transcript_path` and `ics_path` are
    the transcript and the calendar event beside it.
    """

    path: str
    size_bytes: int
    modified_at: datetime | None = None
    etag: str | None = None
    transcript_path: str | None = None
    ics_path: str | None = None

    @property
    def fingerprint(self) -> str:
        """Changes when the file does: etag, else size and time."""
        moment = self.modified_at.isoformat() if self.modified_at else ""
        return f"{self.size_bytes}:{self.etag or moment}"


def scan(url: str, **storage_options: Any) -> tuple[FoundRecording, ...]:
    """All recordings below an fsspec URL (`/folder`, `file://…`, `s3://bucket/prefix`), ordered by path.

    Hidden and half-downloaded files (`.part`, `.tmp`, …) are no media files. Of one Zoom meeting saved as film and as
    sound alone, the film is taken. A transcript that belongs to no recording here is one of its own.

    Raises:
        NotFound: there is no such folder.
        Denied: the store refused the credentials.
        NotConfigured: the URL's scheme is unknown or its package is missing.
        Unavailable: the store did not answer.
    """
    listing = _list(url, storage_options)
    if len(listing) > MOST_FILES:
        raise BadInput(
            f"{url}: {len(listing)} files are over the limit of {MOST_FILES}; name a narrower folder"
        )
    folders: dict[str, dict[str, dict[str, Any]]] = {}
    for path, info in listing.items():
        pure = PurePosixPath(path)
        folders.setdefault(str(pure.parent), {})[pure.name] = info
    found = [one for files in folders.values() for one in _in_folder(files)]
    logger.info("recordings_scanned", extra={"n_files": len(listing), "n_recordings": len(found)})
    return tuple(sorted(found, key=lambda one: one.path))


def settled(found: Iterable[FoundRecording], seen: Mapping[str, str]) -> tuple[FoundRecording, ...]:
    """Recordings that did not change since an earlier look, and so are not being written any more.

    `seen` is `fingerprints` of that look, taken at least some tens of seconds ago. Empty files never settle.
    """
    return tuple(one for one in found if one.size_bytes > 0 and seen.get(one.path) == one.fingerprint)


def fingerprints(found: Iterable[FoundRecording]) -> dict[str, str]:
    """Path to fingerprint: what to keep, as the source's cursor, for the next look."""
    return {one.path: one.fingerprint for one in found}


def _list(url: str, storage_options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    try:
        store, root = fsspec.core.url_to_fs(url, **storage_options)
        if not store.exists(root):
            raise FileNotFoundError(root)
        listing: dict[str, dict[str, Any]] = store.find(root, detail=True)
    except (ValueError, ImportError) as exc:
        raise NotConfigured(f"{url} is no address of a recordings folder: {exc}") from exc
    except PermissionError as exc:
        raise Denied(f"{url}: not allowed to list it") from exc
    except FileNotFoundError as exc:
        raise NotFound(f"there is no folder {url}") from exc
    except OSError as exc:
        raise Unavailable(f"{url}: could not be listed: {type(exc).__name__}") from exc
    except Exception as exc:
        # Each store's package has an error tree of its own, not all of it below OSError (botocore's is not).
        if "Credential" in type(exc).__name__:
            raise Denied(f"{url}: no credentials for this store are configured") from exc
        raise Unavailable(f"{url}: could not be listed: {type(exc).__name__}") from exc
    return listing


def _in_folder(files: Mapping[str, Mapping[str, Any]]) -> Iterable[FoundRecording]:
    media = [name for name in files if _is_media(name)]
    for name in sorted(set(media) - _sound_doubles(media)):
        yield _found(files[name], _calendar_beside(name, files), files, choose_beside(name, files))
    beside = {choose_beside(name, files) for name in media}
    for name in sorted(name for name in files if is_transcript_name(name) and name not in beside):
        yield _found(files[name], _calendar_beside(name, files), files)


def _found(
    info: Mapping[str, Any],
    calendar: str | None,
    files: Mapping[str, Mapping[str, Any]],
    transcript: str | None = None,
) -> FoundRecording:
    return FoundRecording(
        path=str(info["name"]),
        size_bytes=int(info.get("size") or 0),
        modified_at=_modified_at(info),
        etag=str(info["ETag"]).strip('"') if info.get("ETag") else None,
        transcript_path=str(files[transcript]["name"]) if transcript else None,
        ics_path=str(files[calendar]["name"]) if calendar else None,
    )


def _is_media(name: str) -> bool:
    return not name.startswith((".", "~")) and PurePosixPath(name.lower()).suffix in MEDIA_ENDINGS


def _sound_doubles(names: Iterable[str]) -> set[str]:
    """Zoom's further files of a meeting: its sound alone and other views, beside the film with the shortest name."""
    meetings: dict[str, list[str]] = {}
    for name in names:
        if match := ZOOM.match(PurePosixPath(name.lower()).stem):
            meetings.setdefault(match[1], []).append(name)
    doubles: set[str] = set()
    for saved in meetings.values():
        ranked = sorted(saved, key=lambda name: (not name.lower().endswith(".mp4"), len(name), name))
        doubles.update(ranked[1:])
    return doubles


def _calendar_beside(name: str, names: Iterable[str]) -> str | None:
    """`meeting.ics` beside `meeting.mp4`, case ignored."""
    wanted = PurePosixPath(name).stem.lower() + ".ics"
    return next((one for one in sorted(names) if one.lower() == wanted), None)


def _modified_at(info: Mapping[str, Any]) -> datetime | None:
    """Local files say seconds, object stores a datetime."""
    raw = info.get("mtime") or info.get("LastModified") or info.get("last_modified") or info.get("updated")
    if isinstance(raw, (int, float)):
        return datetime.fromtimestamp(raw, UTC)
    if isinstance(raw, str):
        try:
            raw = datetime.fromisoformat(raw)
        except ValueError:
            return None
    if not isinstance(raw, datetime):
        return None
    return raw.replace(tzinfo=UTC) if raw.tzinfo is None else raw.astimezone(UTC)
