"""What Slack sends us, as Bolt listeners: each keeps the request, acknowledges, and returns.

Three seconds is Slack's patience, so nothing here answers; `Inbox` writes the question down and rings a
worker. Signatures are Bolt's to verify. Knows no table and no answer.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from slack_bolt import Ack, App
from slack_sdk import WebClient

from core.errors import BadInput

logger = logging.getLogger(__name__)

LOOKING = "🔎 Looking…"
MENTION = re.compile(r"^\s*<@[A-Z0-9]+(?:\|[^>]*)?>\s*")
Place = Literal["command", "mention", "dm"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it arrived. `delivery_id` is the same when Slack sends the same request again."""

    delivery_id: str
    text: str
    user: str
    channel: str
    place: Place
    ts: str | None = None
    thread_ts: str | None = None
    response_url: str | None = None


@dataclass(frozen=True, slots=True)
class Clicked:
    """A button under an answer."""

    action: str
    question_id: int
    user: str
    channel: str
    response_url: str | None
    delivery_id: str


class Inbox(Protocol):
    """Where requests are kept; both methods return within milliseconds."""

    def ask(self, asked: Asked) -> bool:
        """Write the question down once. False when this delivery was already taken. Raises BadInput."""

    def click(self, clicked: Clicked) -> str | None:
        """Take the click; what to tell the person, None for nothing."""


def add_listeners(app: App, inbox: Inbox, command: str) -> None:
    """Register everything; any slash command that is routed to us is a question."""

    def on_command(ack: Ack, command: dict[str, Any]) -> None:
        asked = Asked(
            delivery_id=f"command:{command['trigger_id']}",
            text=command.get("text") or "",
            user=command["user_id"],
            channel=command["channel_id"],
            place="command",
            response_url=command.get("response_url"),
        )
        if not asked.text.strip() or asked.text.strip().lower() == "help":
            ack(_usage(command["command"]))
            return
        _keep(inbox, asked, say=lambda text: ack(text=text, response_type="ephemeral"))

    def on_message(ack: Ack, event: dict[str, Any], context: dict[str, Any]) -> None:
        asked = question_of(event, bot_user_id=context.get("bot_user_id"))
        if asked is not None:
            _keep(inbox, asked, say=lambda _: None)
        ack()

    def on_action(ack: Ack, body: dict[str, Any], respond: Callable[..., Any]) -> None:
        action = body["actions"][0]
        value = str(action.get("value") or "")
        said = None
        if value.isdecimal():
            said = inbox.click(
                Clicked(
                    action=action["action_id"],
                    question_id=int(value),
                    user=body["user"]["id"],
                    channel=(body.get("channel") or {}).get("id", ""),
                    response_url=body.get("response_url"),
                    delivery_id=f"click:{body.get('trigger_id') or action.get('action_ts')}",
                )
            )
        ack()
        if said and body.get("response_url"):
            respond(text=said, response_type="ephemeral", replace_original=False)

    app.command(re.compile(r".*"))(on_command)
    app.event("app_mention")(on_message)
    app.event("message")(on_message)
    app.action(re.compile(r"^(share|feedback_up|feedback_down)$"))(on_action)


def question_of(event: dict[str, Any], *, bot_user_id: str | None) -> Asked | None:
    """The question in an event; None when it is not one for us.

    A mention arrives as `app_mention` and as `message`: both give the same delivery id, so one is dropped.
    Edits, joins, bots and plain talk in channels are nobody's question.
    """
    if event.get("subtype") or event.get("bot_id") or not event.get("user") or event["user"] == bot_user_id:
        return None
    text = str(event.get("text") or "")
    is_mention = event["type"] == "app_mention" or (bot_user_id is not None and f"<@{bot_user_id}" in text)
    is_direct = event.get("channel_type") == "im"
    if not (is_mention or is_direct):
        return None
    plain = MENTION.sub("", text).strip()
    if not plain:
        return None
    return Asked(
        delivery_id=f"message:{event['channel']}:{event['ts']}",
        text=plain,
        user=event["user"],
        channel=event["channel"],
        place="dm" if is_direct else "mention",
        ts=event["ts"],
        thread_ts=event.get("thread_ts"),
    )


def make_bolt(client: WebClient, signing_secret: str | None, inbox: Inbox, command: str) -> App:
    """The Bolt app; verifies signatures with the replay window, answers from its own thread pool."""
    app = App(
        client=client,
        signing_secret=signing_secret or "",
        token_verification_enabled=False,
        ignoring_self_events_enabled=True,
        raise_error_for_unhandled_request=False,
        logger=logging.getLogger("connectors.slack.bolt"),
    )
    add_listeners(app, inbox, command)
    return app


def _keep(inbox: Inbox, asked: Asked, say: Callable[[str], Any]) -> None:
    try:
        inbox.ask(asked)
    except BadInput as exc:
        logger.info("question_refused", extra={"why": type(exc).__name__})
        say(str(exc)[:1].upper() + str(exc)[1:] + ".")
        return
    say(LOOKING)


def _usage(command: str) -> str:
    return (
        f"Ask me anything that is written in Confluence or was said in a recorded meeting, for example\n"
        f"`{command} who decided to move the launch, and why?`\n"
        "The answer is shown to you alone, from what you may open; you can share it then."
    )
