"""The ASGI app around a set of routes: limits on what comes in, and every failure as JSON that says what is wrong.

Knows no route.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from app.body_limit import BodyLimit
from core.db import is_disconnect
from core.errors import BadInput, Conflict, Denied, ImpError, NotConfigured, NotFound, TryAgain
from workers.context import Context

logger = logging.getLogger(__name__)

DESCRIPTION = "Answers with citations from Confluence and meeting recordings; recordings in, minutes out."
STATUS = (
    (NotFound, 404),
    (Denied, 403),
    (Conflict, 409),
    (BadInput, 400),
    (NotConfigured, 503),
    (TryAgain, 503),
)
MAX_BODY_BYTES = 1024 * 1024


def make_app(
    context: Context,
    routers: Iterable[APIRouter],
    *,
    max_body_bytes: Mapping[str, int] | None = None,
    start: Callable[[], Callable[[], None]] | None = None,
) -> FastAPI:
    """An app of these routes on a context.

    Args:
        max_body_bytes: path -> most bytes of a request's body, where it is not `MAX_BODY_BYTES`.
        start: called when the server starts; what it returns is called when it stops.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        stop = start() if start else None
        yield
        if stop is not None:
            stop()

    app = FastAPI(title="IMP", version="0.1.0", description=DESCRIPTION, lifespan=lifespan)
    app.state.context = context
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES, by_path=max_body_bytes or {})
    app.add_exception_handler(ImpError, _explain)
    app.add_exception_handler(RequestValidationError, _explain_refusal)
    app.add_exception_handler(SQLAlchemyError, _explain_database)
    for router in routers:
        app.include_router(router)
    return app


def _explain(_: Request, exc: Exception) -> JSONResponse:
    """Expected failures: the message says what is wrong, never a secret."""
    status = next((code for kind, code in STATUS if isinstance(exc, kind)), 500)
    headers = {}
    if isinstance(exc, TryAgain) and exc.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, round(exc.retry_after_s)))
    return JSONResponse({"detail": str(exc)}, status_code=status, headers=headers)


def _explain_refusal(_: Request, exc: Exception) -> JSONResponse:
    """What of a request is wrong and where; what was sent is not repeated (it may be no JSON, or a secret)."""
    assert isinstance(exc, RequestValidationError)
    problems: list[dict[str, Any]] = [
        {"loc": [_plain(part) for part in error["loc"]], "msg": _plain(error["msg"]), "type": error["type"]}
        for error in exc.errors()
    ]
    return JSONResponse({"detail": problems}, status_code=422)


def _explain_database(_: Request, exc: Exception) -> JSONResponse:
    """Postgres away is a pause; anything else is a mistake of ours, and its text may hold data."""
    logger.error("database_error", exc_info=exc)
    if is_disconnect(exc):
        return JSONResponse(
            {"detail": "the database does not answer"}, status_code=503, headers={"Retry-After": "5"}
        )
    return JSONResponse({"detail": "internal error; the server's log has it"}, status_code=500)


def _plain(part: Any) -> Any:
    return part.encode("utf-8", "replace").decode() if isinstance(part, str) else part
