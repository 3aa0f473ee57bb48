"""`POST /webhooks/zoom`: verified on the raw body, Zoom's set-up question answered, recordings taken by a job."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from app.auth import context_of
from core.errors import BadInput, Denied
from core.metrics import WEBHOOKS
from workers.take_zoom_webhook import take_zoom_webhook

router = APIRouter(tags=["webhooks"])


@router.post("/webhooks/zoom", responses={400: {}, 403: {}, 413: {}})
async def zoom_webhook(request: Request) -> Response:
    """Answered at once; the same delivery twice changes nothing."""
    raw_body = await request.body()
    try:
        result, answer = await run_in_threadpool(
            take_zoom_webhook, context_of(request), dict(request.headers), raw_body
        )
    except (BadInput, Denied) as exc:
        WEBHOOKS.labels("zoom", type(exc).__name__).inc()
        raise
    WEBHOOKS.labels("zoom", result).inc()
    return JSONResponse(answer) if answer is not None else Response(status_code=200)
