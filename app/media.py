"""A blob over HTTP in byte ranges (RFC 9110, section 14), so that a player can jump to a second."""

import re
from collections.abc import Iterator

from fastapi import HTTPException
from fastapi.responses import StreamingResponse

from core.blobs import Blobs

BLOCK = 256 * 1024
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def ranged_response(
    blobs: Blobs, url: str, size_bytes: int, media_type: str, asked: str | None
) -> StreamingResponse:
    """206 with the asked range, or 200 with all; several ranges at once are answered with all.

    Raises:
        HTTPException: 416 for a range outside the file.
    """
    first, last, status = 0, size_bytes - 1, 200
    match = RANGE.fullmatch(asked.strip()) if asked else None
    if match is not None and any(match.groups()):
        first, last = _bounds(match[1], match[2], size_bytes)
        status = 206
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(last - first + 1)}
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{last}/{size_bytes}"
    return StreamingResponse(_read(blobs, url, first, last), status, headers, media_type)


def _bounds(start: str, end: str, size_bytes: int) -> tuple[int, int]:
    if start:
        first, last = int(start), min(int(end) if end else size_bytes - 1, size_bytes - 1)
    else:
        first, last = max(0, size_bytes - int(end)), size_bytes - 1
    if first > last:
        raise HTTPException(416, "range outside the file", headers={"Content-Range": f"bytes */{size_bytes}"})
    return first, last


def _read(blobs: Blobs, url: str, first: int, last: int) -> Iterator[bytes]:
    with blobs.open(url) as stream:
        stream.seek(first)
        left = last - first + 1
        while left > 0 and (block := stream.read(min(BLOCK, left))):
            left -= len(block)
            yield block
