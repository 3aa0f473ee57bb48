"""The web server: API, webhooks, Slack's events, health. One process, started by `python -m app.server`.

Only introduces routes to each other; each lives in its own file under `app.routes`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from app.routes import ask, confluence_webhooks, health, jobs, player, recordings, slack
from core.errors import BadInput, Denied, ImpError, NotFound, TryAgain
from core.log import configure_logging
from core.settings import load_settings
from workers.context import Context, make_context

DESCRIPTION = "Answers with citations from Confluence and meeting recordings; recordings in, minutes out."
STATUS = ((NotFound, 404), (Denied, 403), (BadInput, 400), (TryAgain, 503))


def create_app(context: Context) -> FastAPI:
    """The ASGI app on a context; models load when the server starts, so `/readyz` tells the truth."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        stop = slack.start_socket_mode(context)
        yield
        stop()

    app = FastAPI(title="IMP", version="0.1.0", description=DESCRIPTION, lifespan=lifespan)
    app.state.context = context
    app.add_exception_handler(ImpError, _explain)
    for routes in (health, ask, recordings, jobs, player, confluence_webhooks):
        app.include_router(routes.router)
    app.include_router(slack.make_router(context))
    return app


def _explain(_: Request, exc: Exception) -> JSONResponse:
    """Expected failures as JSON: the message says what is wrong, never a secret."""
    status = next((code for kind, code in STATUS if isinstance(exc, kind)), 500)
    headers = {}
    if isinstance(exc, TryAgain) and exc.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, round(exc.retry_after_s)))
    return JSONResponse({"detail": str(exc)}, status_code=status, headers=headers)


def main() -> None:
    settings = load_settings()
    configure_logging(log_format=settings.imp_log_format, level=settings.imp_log_level)
    app = create_app(make_context(settings))
    uvicorn.run(
        app,
        host=settings.imp_host,
        port=settings.imp_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=64 * 1024,
    )


if __name__ == "__main__":
    main()
