"""The assistant's side panel: what it offers to ask, and where what is typed there goes.

What people write in it arrives as a direct message in a thread and is answered like one.
"""

import logging
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

logger = logging.getLogger(__name__)

TITLE = "Ask what is written in Confluence or was said in a meeting"
PROMPTS = (
    ("What was decided lately?", "What did we decide in the last meetings?"),
    ("Open action items", "Which action items are still open, and who has them?"),
    ("How do we do this?", "How do I get started as somebody new here?"),
)


def add_assistant(app: App) -> None:
    """Offer questions when somebody opens the panel; a failure to do so only costs the offer."""

    def on_started(ack: Ack, event: dict[str, Any], client: WebClient) -> None:
        ack()
        thread = event.get("assistant_thread") or {}
        if not (thread.get("channel_id") and thread.get("thread_ts")):
            return
        try:
            client.assistant_threads_setSuggestedPrompts(
                channel_id=thread["channel_id"],
                thread_ts=thread["thread_ts"],
                title=TITLE,
                prompts=[{"title": title, "message": message} for title, message in PROMPTS],
            )
        except (SlackApiError, OSError) as exc:
            logger.info("prompts_not_offered", extra={"why": type(exc).__name__})

    app.event("assistant_thread_started")(on_started)
