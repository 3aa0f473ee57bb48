"""`/imp settings`: the modal with a channel's settings opens for admins, and what they send is kept or refused by field."""

import logging
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from connectors.slack import channel_modal
from connectors.slack.inbox import Inbox
from core.errors import Denied, ImpError

logger = logging.getLogger(__name__)

NOT_SAVED = "This could not be saved right now. Please try again in a minute."
Body = dict[str, Any]


def add_channel_settings(app: App, inbox: Inbox) -> None:
    """Register the modal, and the button under the settings shown as a message."""

    def on_saved(ack: Ack, body: Body, view: Body) -> None:
        form = channel_modal.form_of(view)
        try:
            wrong = inbox.save_channel(form, body["user"]["id"]) if form else {}
        except Exception as exc:  # the listener's edge: a modal says nothing helpful by itself
            logger.error("channel_settings_not_saved", extra={"why": type(exc).__name__})
            wrong = {"spaces": str(exc) if isinstance(exc, ImpError) else NOT_SAVED}
        if wrong:
            ack(response_action="errors", errors=wrong)
        else:
            ack()

    def on_change(ack: Ack, body: Body, client: WebClient) -> None:
        channel = str(body["actions"][0].get("value") or "")
        team = (body.get("team") or {}).get("id")
        open_settings(inbox, client, body["trigger_id"], body["user"]["id"], team, channel)
        ack()

    app.view(channel_modal.CALLBACK_ID)(on_saved)
    app.action(channel_modal.CHANGE_ACTION)(on_change)


def open_settings(
    inbox: Inbox, client: WebClient, trigger_id: str, user: str, team: str | None, channel: str
) -> bool:
    """Open the modal; False for who is not known as an admin, or when Slack's three seconds are over."""
    if not team or not channel.startswith(("C", "G")):
        return False
    try:
        form, sources = inbox.channel_form(channel, user, team)
        client.views_open(trigger_id=trigger_id, view=channel_modal.modal(form, sources))
    except Denied:
        return False
    except (SlackApiError, OSError) as exc:
        logger.info("modal_not_opened", extra={"why": type(exc).__name__})
        return False
    return True
