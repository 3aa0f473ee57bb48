"""`POST /webhooks/confluence/{source}/{event}`: verified on the raw body, taken once, applied by a job.

The event's name is in the URL because Cloud's bodies do not carry it; `source` is a source's name or number.
"""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.auth import context_of
from connectors.confluence.webhooks import MAX_BODY_BYTES
from core.errors import BadInput, Denied, NotFound
from core.metrics import WEBHOOKS
from workers.take_webhook import take_webhook

router = APIRouter(tags=["webhooks"])


@router.post(
    "/webhooks/confluence/{source}/{event}", status_code=202, responses={400: {}, 403: {}, 404: {}, 413: {}}
)
async def confluence_webhook(request: Request, source: str, event: str) -> Response:
    """Answered at once; the same delivery twice changes nothing."""
    raw_body = await _read(request)
    if raw_body is None:
        WEBHOOKS.labels("confluence", "too_large").inc()
        return Response(status_code=413)
    try:
        result = await run_in_threadpool(
            take_webhook,
            context_of(request),
            source,
            event,
            dict(request.headers),
            raw_body,
            path=request.url.path,
            query=request.url.query,
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
