"""Slash commands: any command routed to us is a question, `/imp` is an admin's word."""

import logging
import re
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from connectors.slack.inbox import AdminWord, Asked, Inbox
from connectors.slack.incoming_text import plain_words
from connectors.slack.listeners.channel_settings import open_settings
from connectors.slack.mrkdwn import escape
from connectors.slack.posting import LOOKING
from core.errors import BadInput, ImpError

logger = logging.getLogger(__name__)

NOT_NOW = "I cannot take questions right now. Please ask again in a minute."
FORGET_ME = ("forget me", "vergiss mich")
ADMIN_COMMAND = re.compile(r"^/imp$")
Body = dict[str, Any]


def add_commands(app: App, inbox: Inbox) -> None:
    """Register both; the admins' command first, since the other takes any."""

    def on_admin_word(ack: Ack, command: Body, client: WebClient) -> None:
        word, user, team = (
            plain_words(command.get("text") or "").lower(),
            command["user_id"],
            command.get("team_id"),
        )
        if word == "settings" and open_settings(
            inbox, client, command["trigger_id"], user, team, command["channel_id"]
        ):
            ack()
            return
        inbox.admin(
            AdminWord(
                delivery_id=f"command:{command['trigger_id']}",
                text=word,
                user=user,
                channel=command["channel_id"],
                response_url=command.get("response_url"),
                team=team,
            )
        )
        ack(text="Working on it…", response_type="ephemeral")

    def on_command(ack: Ack, command: Body) -> None:
        asked = Asked(
            delivery_id=f"command:{command['trigger_id']}",
            text=plain_words(command.get("text") or ""),
            user=command["user_id"],
            channel=command["channel_id"],
            place="command",
            team=command.get("team_id"),
            response_url=command.get("response_url"),
        )
        words = asked.text.lower()
        if words in ("", "help"):
            said: str | None = _usage(command["command"])
        elif words in FORGET_ME:
            said = inbox.forget(asked.user, asked.team)
        else:
            said = kept(inbox, asked)
        ack(text=said or LOOKING, response_type="ephemeral")

    app.command(ADMIN_COMMAND)(on_admin_word)
    app.command(re.compile(r".*"))(on_command)


def kept(inbox: Inbox, asked: Asked) -> str | None:
    """What to say at once to somebody who waits for it, whatever happened; None when the question is kept."""
    try:
        return inbox.ask(asked)
    except BadInput as exc:
        return sentence(exc)
    except Exception as exc:  # the listener's edge: Slack shows nothing helpful for a failed command
        logger.error("question_not_kept", extra={"why": type(exc).__name__})
        return NOT_NOW


def sentence(exc: ImpError) -> str:
    """An error of ours as a sentence."""
    words = str(exc)
    return f"{words[:1].upper()}{words[1:]}."


def _usage(command: str) -> str:
    return (
        f"Ask me anything that is written in Confluence or was said in a recorded meeting, for example\n"
        f"`{escape(command)} who decided to move the launch, and why?`\n"
        "The answer is shown to you alone, from what you may open; you can share it then.\n"
        f"`{escape(command)} forget me` deletes what you asked."
    )
