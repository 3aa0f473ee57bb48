"""Answering at a response_url: thirty minutes and five uses, after that Slack takes nothing more."""

import logging
from typing import Any

from slack_sdk.webhook import WebhookClient

from connectors.slack.web import TIMEOUT_S, translated
from core.errors import RateLimited, Unavailable

logger = logging.getLogger(__name__)


def send(url: str | None, body: dict[str, Any]) -> bool:
    """False when there is no URL, or it is expired, used up or refused.

    Raises:
        TryAgain: Slack is away or asks to wait.
    """
    if not url:
        return False
    with translated("the reply to a command or button"):
        reply = WebhookClient(url, timeout=TIMEOUT_S).send_dict(body)
    if reply.status_code == 429:
        wait = str(reply.headers.get("Retry-After", "30"))
        raise RateLimited("Slack asks to wait", retry_after_s=float(wait) if wait.isdigit() else 30.0)
    if reply.status_code >= 500:
        raise Unavailable(f"Slack failed for the reply to a command or button (HTTP {reply.status_code})")
    if reply.status_code >= 400:
        logger.info("response_url_refused", extra={"status": reply.status_code})
    return reply.status_code < 400
