"""Edit, Rename speakers and Assign under drafted minutes: the modals that open, and what they send."""

import logging
import re
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from connectors.slack import review_forms
from connectors.slack.mrkdwn import escape
from connectors.slack.review_forms import CALLBACKS, Reviewer, Reviews, Shown
from core.errors import ImpError

logger = logging.getLogger(__name__)

TOO_LATE = "That took too long for Slack. Please try again."
FORM_BUTTONS = re.compile(rf"^({'|'.join(CALLBACKS)})$")
Body = dict[str, Any]


def add_review_forms(app: App, reviews: Reviews) -> None:
    """Register the buttons and the modals."""

    def on_button(
        ack: Ack, body: Body, client: WebClient, respond: Callable[..., Any], context: BoltContext
    ) -> None:
        ack()
        by = Reviewer(body["user"]["id"], context.team_id)
        said = _open(reviews, client, body, by)
        if said and body.get("response_url"):
            respond(text=escape(said), response_type="ephemeral", replace_original=False)

    def on_submitted(ack: Ack, body: Body, view: Body, context: BoltContext) -> None:
        filled = review_forms.filled_of(view)
        try:
            if filled is not None:
                reviews.submit(filled, Reviewer(body["user"]["id"], context.team_id))
        except ImpError as exc:
            ack(response_action="errors", errors={_first_input(view): str(exc)[:400]})
            return
        ack()

    app.action(FORM_BUTTONS)(on_button)
    app.view(FORM_BUTTONS)(on_submitted)


def _open(reviews: Reviews, client: WebClient, body: Body, by: Reviewer) -> str | None:
    """Open the modal; what to tell the person instead."""
    action = body["actions"][0]
    wish, value = CALLBACKS[action["action_id"]], str(action.get("value") or "")
    if not re.fullmatch(r"[0-9]{1,9}", value):
        return None
    container = body.get("container") or {}
    shown = Shown((body.get("channel") or {}).get("id", ""), str(container.get("message_ts") or ""))
    try:
        form = reviews.form(int(value), wish, by)
        client.views_open(trigger_id=body["trigger_id"], view=review_forms.view(form, wish, shown))
    except ImpError as exc:
        return f"{str(exc)[:1].upper()}{str(exc)[1:]}."
    except (SlackApiError, OSError) as exc:
        logger.info("modal_not_opened", extra={"why": type(exc).__name__})
        return TOO_LATE
    return None


def _first_input(view: Body) -> str:
    """The errors of a modal stand under an input; what concerns all of it stands under the first."""
    found = [block["block_id"] for block in view.get("blocks", []) if block.get("type") == "input"]
    return str(found[0]) if found else ""
