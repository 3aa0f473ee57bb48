"""A blob over HTTP in byte ranges (RFC 9110, section 14), so that a player can jump to a second."""

import re
from collections.abc import Iterator
from typing import IO

from fastapi import HTTPException
from fastapi.responses import StreamingResponse

from core.blobs import Blobs

BLOCK = 256 * 1024
RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def ranged_response(
    blobs: Blobs, url: str, size_bytes: int, media_type: str, asked: str | None
) -> StreamingResponse:
    """206 with the asked range, or 200 with all; several ranges at once are answered with all.

    Raises:
        HTTPException: 416 for a range outside the file.
        NotFound: the blob is gone.
    """
    first, last, status = 0, size_bytes - 1, 200
    match = RANGE.fullmatch(asked.strip()) if asked else None
    if match is not None and any(match.groups()):
        first, last = _bounds(match[1], match[2], size_bytes)
        status = 206
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(last - first + 1),
        "Cache-Control": "private, max-age=3600",
        "X-Content-Type-Options": "nosniff",
    }
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{last}/{size_bytes}"
    # Opened before the headers go out, so that a blob that is gone is a 404 and not a cut-off answer.
    return StreamingResponse(_read(blobs.open(url), first, last), status, headers, media_type)


def _bounds(start: str, end: str, size_bytes: int) -> tuple[int, int]:
    if start:
        first, last = int(start), min(int(end) if end else size_bytes - 1, size_bytes - 1)
    else:
        first, last = max(0, size_bytes - int(end)), size_bytes - 1
    if first > last:
        raise HTTPException(416, "range outside the file", headers={"Content-Range": f"bytes */{size_bytes}"})
    return first, last


def _read(stream: IO[bytes], first: int, last: int) -> Iterator[bytes]:
    with stream:
        stream.seek(first)
        left = last - first + 1
        while left > 0 and (block := stream.read(min(BLOCK, left))):
            left -= len(block)
            yield block
