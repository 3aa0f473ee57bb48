"""Verify in the menu under an answer: the modal that opens, and what it sends."""

import logging
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from connectors.slack import verification
from connectors.slack.inbox import Inbox
from connectors.slack.mrkdwn import escape
from core.errors import ImpError

logger = logging.getLogger(__name__)

TOO_LATE = "That took too long for Slack. Please try again."
Body = dict[str, Any]


def add_verifying(app: App, inbox: Inbox) -> None:
    """Register the menu and the modal."""

    def on_more(
        ack: Ack, body: Body, client: WebClient, respond: Callable[..., Any], context: BoltContext
    ) -> None:
        said = _open(inbox, client, body, context.team_id)
        ack()
        if said and body.get("response_url"):
            respond(text=escape(said), response_type="ephemeral", replace_original=False)

    def on_confirmed(ack: Ack, body: Body, view: Body, context: BoltContext) -> None:
        confirmed = verification.confirmation_of(view)
        try:
            if confirmed is not None:
                inbox.confirm(confirmed, body["user"]["id"], f"view:{view['id']}", context.team_id)
        except ImpError as exc:
            ack(response_action="errors", errors={"answer": str(exc)})
            return
        ack()

    app.action("more")(on_more)
    app.view(verification.CALLBACK_ID)(on_confirmed)


def _open(inbox: Inbox, client: WebClient, body: Body, team: str | None) -> str | None:
    """Open the modal; what to tell the person instead."""
    value = str((body["actions"][0].get("selected_option") or {}).get("value") or "")
    wish, _, number = value.partition(":")
    if wish != "verify" or not number.isdecimal() or len(number) > 18:
        return None
    channel = (body.get("channel") or {}).get("id", "")
    try:
        found = inbox.verification(int(number), body["user"]["id"], channel, team)
    except ImpError as exc:
        return f"{exc}"
    try:
        client.views_open(trigger_id=body["trigger_id"], view=verification.modal(found))
    except (SlackApiError, OSError) as exc:
        logger.info("modal_not_opened", extra={"why": type(exc).__name__})
        return TOO_LATE
    return None
