"""`POST /webhooks/confluence/{source}/{event}`: verified on the raw body, taken once, applied by a job.

The event's name is in the URL because bodies do not carry it.
"""

import re

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.auth import context_of
from core.errors import BadInput, Denied, NotFound
from core.metrics import WEBHOOKS
from workers.apply_webhook import take_delivery

router = APIRouter(tags=["webhooks"])
MAX_BODY_BYTES = 1024 * 1024
NAME = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


@router.post(
    "/webhooks/confluence/{source}/{event}", status_code=202, responses={400: {}, 403: {}, 404: {}, 413: {}}
)
async def confluence_webhook(request: Request, source: str, event: str) -> Response:
    """Answered at once; the same delivery twice changes nothing."""
    if not (NAME.fullmatch(source) and NAME.fullmatch(event)):
        return Response(status_code=404)
    raw_body = await _read(request)
    if raw_body is None:
        WEBHOOKS.labels("confluence", "too_large").inc()
        return Response(status_code=413)
    target = str(request.url.path) + (f"?{request.url.query}" if request.url.query else "")
    try:
        result = await run_in_threadpool(
            take_delivery, context_of(request), source, event, dict(request.headers), raw_body, target
        )
    except (BadInput, Denied, NotFound) as exc:
        WEBHOOKS.labels("confluence", type(exc).__name__).inc()
        raise
    WEBHOOKS.labels("confluence", result).inc()
    return Response(status_code=202)


async def _read(request: Request) -> bytes | None:
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)
