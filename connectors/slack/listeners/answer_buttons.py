"""The buttons under an answer: share, sources, thumbs, and the modal that asks why it was no good."""

import logging
import re
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from connectors.slack import feedback
from connectors.slack.inbox import Clicked, Inbox
from connectors.slack.mrkdwn import escape

logger = logging.getLogger(__name__)

ANSWER_BUTTONS = re.compile(r"^(share|sources|feedback_up|feedback_down|needs_human)$")
Body = dict[str, Any]


def add_answer_buttons(app: App, inbox: Inbox) -> None:
    """Register the buttons and the modal of the reason."""

    def on_button(
        ack: Ack, body: Body, client: WebClient, respond: Callable[..., Any], context: BoltContext
    ) -> None:
        clicked = click_of(body, context.team_id)
        said = inbox.click(clicked) if clicked else None
        ack()
        if clicked and said and clicked.action == "feedback_down" and _ask_why(client, body, clicked):
            return
        if said and body.get("response_url"):
            respond(text=escape(said), response_type="ephemeral", replace_original=False)

    def on_reason(ack: Ack, view: Body, body: Body) -> None:
        if found := feedback.reason_of(view):
            inbox.explain(found[0], body["user"]["id"], found[1])
        ack()

    app.view(feedback.CALLBACK_ID)(on_reason)
    app.action(ANSWER_BUTTONS)(on_button)


def click_of(body: Body, team: str | None = None) -> Clicked | None:
    """The click on a button under an answer; None when its value is not one of ours."""
    action = body["actions"][0]
    value = str(action.get("value") or "")
    if not re.fullmatch(r"[0-9]{1,18}", value):
        return None
    return Clicked(
        action=action["action_id"],
        question_id=int(value),
        user=body["user"]["id"],
        channel=(body.get("channel") or {}).get("id", ""),
        response_url=body.get("response_url"),
        delivery_id=f"click:{body.get('trigger_id') or action.get('action_ts')}",
        team=team,
    )


def _ask_why(client: WebClient, body: Body, clicked: Clicked) -> bool:
    """Open the modal that asks for a reason; False when Slack's three seconds are over."""
    try:
        client.views_open(trigger_id=body["trigger_id"], view=feedback.modal(clicked.question_id))
    except (SlackApiError, OSError) as exc:
        logger.info("modal_not_opened", extra={"why": type(exc).__name__})
        return False
    return True
