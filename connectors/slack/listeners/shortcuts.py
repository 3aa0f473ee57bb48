"""Shortcuts in a message's menu: ask about it, or draft minutes from the recording in it."""

import logging
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from connectors.slack import asking_about
from connectors.slack.inbox import FileShared, Inbox
from connectors.slack.listeners.commands import kept
from connectors.slack.mrkdwn import escape
from connectors.slack.posting import LOOKING
from connectors.slack.response_url import send
from core.errors import ImpError

logger = logging.getLogger(__name__)

MAX_FILES = 10
NO_RECORDING = "There is no recording in this message."
LOOKING_AT_IT = "I am looking at the recording."
TOO_LATE = "That took too long for Slack. Please try again."
Body = dict[str, Any]


def add_shortcuts(app: App, inbox: Inbox) -> None:
    """Register both, and the modal of the first."""

    def on_ask(ack: Ack, body: Body, client: WebClient, respond: Callable[..., Any]) -> None:
        ack()
        try:
            client.views_open(trigger_id=body["trigger_id"], view=asking_about.modal(body))
        except (SlackApiError, OSError) as exc:
            logger.info("modal_not_opened", extra={"why": type(exc).__name__})
            respond(text=TOO_LATE, response_type="ephemeral")

    def on_asked(ack: Ack, body: Body, view: Body, context: BoltContext) -> None:
        asked = asking_about.asked_in(view, body["user"]["id"], context.team_id)
        said = kept(inbox, asked) if asked else None
        if said:
            ack(response_action="errors", errors={"question": said})
            return
        ack()
        if asked:
            _say(asked.response_url, LOOKING)

    def on_minutes(ack: Ack, body: Body, respond: Callable[..., Any], context: BoltContext) -> None:
        wanted = recordings_of(body, context.team_id)
        for one in wanted:
            inbox.file(one)
        ack()
        respond(text=LOOKING_AT_IT if wanted else NO_RECORDING, response_type="ephemeral")

    app.shortcut(asking_about.CALLBACK_ID)(on_ask)
    app.view(asking_about.CALLBACK_ID)(on_asked)
    app.shortcut("draft_minutes")(on_minutes)


def recordings_of(body: Body, team: str | None = None) -> list[FileShared]:
    """Audio and video in the message a shortcut was used on."""
    files = (body.get("message") or {}).get("files") or ()
    return [
        FileShared(
            one["id"], body["user"]["id"], (body.get("channel") or {}).get("id", ""), is_wanted=True,
            response_url=body.get("response_url"), team=team,
        )
        for one in files[:MAX_FILES]
        if one.get("id") and str(one.get("mimetype") or "").startswith(("audio/", "video/"))
    ]  # fmt: skip


def _say(response_url: str | None, text: str) -> None:
    """The question is kept; whether "looking…" can be said is a detail."""
    try:
        send(response_url, {"text": escape(text), "response_type": "ephemeral"})
    except ImpError as exc:
        logger.info("looking_not_said", extra={"why": type(exc).__name__})
