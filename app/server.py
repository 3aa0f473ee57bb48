"""The web server: API, webhooks, Slack's events, health. One process, started by `python -m app.server`.

Only introduces routes to each other; each lives in its own file under `app.routes`.
"""

import uvicorn
from fastapi import FastAPI

from app.routes import (
    ask,
    confluence_webhooks,
    connect_atlassian,
    health,
    jobs,
    player,
    recordings,
    review,
    slack,
    slack_install,
    uploads,
    zoom_webhooks,
)
from app.web import make_app
from core.log import configure_logging
from core.settings import load_settings
from workers.context import Context, make_context


def create_app(context: Context) -> FastAPI:
    """The ASGI app on a context; models load at first use, so `/readyz` tells the truth."""
    routes = (
        health,
        ask,
        recordings,
        uploads,
        jobs,
        player,
        review,
        confluence_webhooks,
        connect_atlassian,
        zoom_webhooks,
    )
    return make_app(
        context,
        [
            uploads.tus,
            *(one.router for one in routes),
            slack.make_router(context),
            slack_install.make_router(context),
        ],
        max_body_bytes={
            **recordings.max_body_bytes(context.settings),
            **uploads.max_body_bytes(context.settings),
        },
        start=lambda: slack.start_socket_mode(context),
    )


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
