"""`POST /slack/events`: Bolt takes everything Slack sends over HTTP; Socket Mode when an app token is set."""

import logging
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from slack_bolt import App
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response

from connectors.slack.listeners.app import ignore_the_rest, make_bolt
from connectors.slack.web import make_client, nameless_client
from workers.context import Context
from workers.slack_inbox import SlackInbox
from workers.slack_reviews import SlackReviews

logger = logging.getLogger(__name__)
MAX_BODY_BYTES = 1024 * 1024


def make_router(context: Context) -> APIRouter:
    """The route; without Slack and SLACK_SIGNING_SECRET it answers 404."""
    router = APIRouter(tags=["slack"])
    settings = context.settings
    bolt = _bolt(context) if settings.is_slack_on and settings.slack_signing_secret else None

    @router.post("/slack/events", responses={400: {}, 401: {}, 404: {}, 413: {}})
    async def slack_events(request: Request) -> Response:
        """Events, slash commands and interactions, verified on the raw body."""
        if bolt is None:
            return Response("Slack over HTTP is not configured", status_code=404)
        body = bytearray()
        async for block in request.stream():
            body += block
            if len(body) > MAX_BODY_BYTES:
                return Response(status_code=413)
        try:
            received = to_bolt_request(request, bytes(body))
            return to_starlette_response(await run_in_threadpool(bolt.dispatch, received))
        except Exception as exc:  # Bolt reads into a body before it checks its shape and its signature
            logger.info("slack_request_unreadable", extra={"why": type(exc).__name__})
            return Response("this is no request that Slack makes", status_code=400)

    return router


def start_socket_mode(context: Context) -> Callable[[], None]:
    """Connect when SLACK_APP_TOKEN is set; returns what ends the connection."""
    settings = context.settings
    if settings.slack_app_token is None or not settings.is_slack_on:
        return lambda: None
    from slack_bolt.adapter.socket_mode import SocketModeHandler

    handler: Any = SocketModeHandler(_bolt(context), settings.slack_app_token.get_secret_value())
    is_over = Event()
    Thread(target=_connect, args=(handler, is_over), name="slack-socket", daemon=True).start()

    def stop() -> None:
        is_over.set()
        handler.close()

    return stop


def _connect(handler: Any, is_over: Event) -> None:
    """Connect once Slack lets us; from then on the client reconnects by itself."""
    pause_s = 1.0
    while not is_over.is_set():
        try:
            handler.connect()
            logger.info("slack_socket_connected")
            return
        except Exception as exc:  # the thread's outer edge: whatever is wrong, it is tried again
            logger.warning("slack_socket_refused", extra={"why": type(exc).__name__})
        is_over.wait(pause_s)
        pause_s = min(60.0, pause_s * 2)


def _bolt(context: Context) -> App:
    settings = context.settings
    secret = settings.slack_signing_secret
    app = make_bolt(
        nameless_client(settings) if settings.slack_client_id else make_client(settings),
        secret.get_secret_value() if secret else None,
        SlackInbox(context),
        SlackReviews(context),
        bot_of=context.installations.bot_of if settings.slack_client_id else None,
    )
    ignore_the_rest(app)
    return app
