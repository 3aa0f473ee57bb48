"""`POST /slack/events`: Bolt takes everything Slack sends over HTTP; Socket Mode when an app token is set."""

import logging
from collections.abc import Callable
from threading import Thread
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from slack_bolt import App
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response

from connectors.slack.listeners import make_bolt
from connectors.slack.web import make_client
from workers.context import Context
from workers.slack_inbox import SlackInbox

logger = logging.getLogger(__name__)
MAX_BODY_BYTES = 1024 * 1024


def make_router(context: Context) -> APIRouter:
    """The route; without SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET it answers 404."""
    router = APIRouter(tags=["slack"])
    settings = context.settings
    bolt = _bolt(context) if settings.slack_bot_token and settings.slack_signing_secret else None

    @router.post("/slack/events", responses={401: {}, 404: {}, 413: {}})
    async def slack_events(request: Request) -> Response:
        """Events, slash commands and interactions, verified on the raw body."""
        if bolt is None:
            return Response("Slack over HTTP is not configured", status_code=404)
        body = bytearray()
        async for block in request.stream():
            body += block
            if len(body) > MAX_BODY_BYTES:
                return Response(status_code=413)
        reply = await run_in_threadpool(bolt.dispatch, to_bolt_request(request, bytes(body)))
        return to_starlette_response(reply)

    return router


def start_socket_mode(context: Context) -> Callable[[], None]:
    """Connect when SLACK_APP_TOKEN is set; returns what ends the connection."""
    settings = context.settings
    if settings.slack_app_token is None or settings.slack_bot_token is None:
        return lambda: None
    from slack_bolt.adapter.socket_mode import SocketModeHandler

    handler: Any = SocketModeHandler(_bolt(context), settings.slack_app_token.get_secret_value())
    handler.client.web_client.base_url = settings.slack_api_url.rstrip("/") + "/"
    Thread(target=handler.connect, name="slack-socket", daemon=True).start()
    logger.info("slack_socket_mode")
    return handler.close  # type: ignore[no-any-return]


def _bolt(context: Context) -> App:
    secret = context.settings.slack_signing_secret
    return make_bolt(
        make_client(context.settings),
        secret.get_secret_value() if secret else None,
        SlackInbox(context),
        context.settings.slack_command,
    )
