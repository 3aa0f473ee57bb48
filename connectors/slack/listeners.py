"""What Slack sends us, as Bolt listeners: each keeps the request, acknowledges, and returns.

Three seconds is Slack's patience, so nothing here answers; `Inbox` writes the question down and rings a
worker. Signatures are Bolt's to verify. Knows no table and no answer.
"""

import logging
import re
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from connectors.slack import feedback
from connectors.slack.assistant import add_assistant
from connectors.slack.files import DRAFT_ACTION
from connectors.slack.inbox import AdminWord, Asked, Clicked, FileShared, Inbox, Reviewed
from connectors.slack.incoming_text import plain_words
from connectors.slack.mrkdwn import escape
from core.errors import BadInput, ImpError

logger = logging.getLogger(__name__)

LOOKING = "🔎 Looking…"
NOT_NOW = "I cannot take questions right now. Please ask again in a minute."
PEOPLE_WRITE = (None, "thread_broadcast", "file_share")
FORGET_ME = ("forget me", "vergiss mich")
ADMIN_COMMAND = re.compile(r"^/imp$")
REVIEW_BUTTONS = re.compile(r"^minutes_(approve|discard)$")
ANSWER_BUTTONS = re.compile(r"^(share|sources|feedback_up|feedback_down)$")
Body = dict[str, Any]


def make_bolt(client: WebClient, signing_secret: str | None, inbox: Inbox) -> App:
    """The Bolt app; verifies signatures with the replay window, answers from its own thread pool.

    It never asks Slack who it is: a question must be kept also while Slack's API is down.
    """
    token = client.token
    nameless = WebClient(
        base_url=client.base_url, timeout=client.timeout, retry_handlers=client.retry_handlers
    )

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    app = App(
        client=nameless,
        authorize=authorize,
        signing_secret=signing_secret or "",
        raise_error_for_unhandled_request=False,
        logger=logging.getLogger("connectors.slack.bolt"),
    )
    app.error(_log_error)
    add_listeners(app, inbox)
    return app


def add_listeners(app: App, inbox: Inbox) -> None:
    """Register everything; any slash command that is routed to us is a question."""

    def on_command(ack: Ack, command: Body) -> None:
        asked = Asked(
            delivery_id=f"command:{command['trigger_id']}",
            text=plain_words(command.get("text") or ""),
            user=command["user_id"],
            channel=command["channel_id"],
            place="command",
            response_url=command.get("response_url"),
        )
        words = asked.text.lower()
        if words in ("", "help"):
            said: str | None = _usage(command["command"])
        elif words in FORGET_ME:
            said = inbox.forget(asked.user)
        else:
            said = _kept(inbox, asked)
        ack(text=said or LOOKING, response_type="ephemeral")

    def on_admin_word(ack: Ack, command: Body) -> None:
        inbox.admin(
            AdminWord(
                delivery_id=f"command:{command['trigger_id']}",
                text=plain_words(command.get("text") or "").lower(),
                user=command["user_id"],
                channel=command["channel_id"],
                response_url=command.get("response_url"),
            )
        )
        ack(text="Working on it…", response_type="ephemeral")

    def on_message(ack: Ack, event: Body, body: Body, client: WebClient) -> None:
        asked = question_of(event, bot_user_id=own_user_id(body))
        refusal = None
        if asked is not None:
            try:
                refusal = inbox.ask(asked)
            except BadInput as exc:
                refusal = _sentence(exc)
        ack()
        if asked is not None and refusal:
            client.chat_postMessage(
                channel=asked.channel, thread_ts=asked.thread_ts or asked.ts, text=escape(refusal)
            )

    def on_button(ack: Ack, body: Body, client: WebClient, respond: Callable[..., Any]) -> None:
        clicked = click_of(body)
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

    def on_review(ack: Ack, body: Body) -> None:
        if clicked := click_of(body):
            inbox.review(
                Reviewed(
                    minutes_id=clicked.question_id,
                    is_approved=clicked.action == "minutes_approve",
                    user=clicked.user,
                    channel=clicked.channel,
                    response_url=clicked.response_url,
                    delivery_id=clicked.delivery_id,
                )
            )
        ack()

    def on_home(ack: Ack, event: Body) -> None:
        if event.get("tab", "home") == "home" and event.get("user"):
            inbox.open_home(event["user"])
        ack()

    def on_file(ack: Ack, event: Body) -> None:
        if event.get("file_id") and event.get("user_id") and event.get("channel_id"):
            inbox.file(FileShared(event["file_id"], event["user_id"], event["channel_id"]))
        ack()

    def on_file_wanted(ack: Ack, body: Body) -> None:
        file_id, channel = str(body["actions"][0].get("value") or ""), (body.get("channel") or {}).get("id")
        if re.fullmatch(r"F[A-Z0-9]{1,30}", file_id) and channel:
            user, url = body["user"]["id"], body.get("response_url")
            inbox.file(FileShared(file_id, user, channel, is_wanted=True, response_url=url))
        ack()

    add_assistant(app)
    app.event("file_shared")(on_file)
    app.action(DRAFT_ACTION)(on_file_wanted)
    app.command(ADMIN_COMMAND)(on_admin_word)
    app.command(re.compile(r".*"))(on_command)
    app.event("app_home_opened")(on_home)
    app.action(REVIEW_BUTTONS)(on_review)
    app.view(feedback.CALLBACK_ID)(on_reason)
    app.event("app_mention")(on_message)
    app.event("message")(on_message)
    app.action(ANSWER_BUTTONS)(on_button)


def ignore_the_rest(app: App) -> None:
    """Acknowledge what nobody else took, so that Slack does not send it again. Call last."""

    def on_anything(ack: Ack) -> None:
        ack()

    anything = re.compile(r".*", re.DOTALL)
    app.event(anything)(on_anything)
    app.action(anything)(on_anything)
    app.shortcut(anything)(on_anything)
    app.view(anything)(on_anything)
    app.view_closed(anything)(on_anything)
    app.options(anything)(on_anything)


def question_of(event: Body, *, bot_user_id: str | None) -> Asked | None:
    """The question in an event; None when it is not one for us.

    A mention arrives as `app_mention` and as `message`: both give the same delivery id, so one is dropped.
    Edits, joins, bots and plain talk in channels are nobody's question.
    """
    user, channel, ts = event.get("user"), event.get("channel"), event.get("ts")
    if event.get("subtype") not in PEOPLE_WRITE or event.get("bot_id") or event.get("edited"):
        return None
    if not (user and channel and ts) or user in (bot_user_id, "USLACKBOT"):
        return None
    text = str(event.get("text") or "")
    is_mention = event.get("type") == "app_mention" or (
        bot_user_id is not None and f"<@{bot_user_id}" in text
    )
    is_direct = event.get("channel_type") == "im"
    thread_ts = event.get("thread_ts")
    if not (is_mention or is_direct or thread_ts):
        return None
    words = (
        plain_words(text, without_user=bot_user_id) if is_mention or is_direct else plain_words_of_talk(text)
    )
    if not words:
        return None
    return Asked(
        delivery_id=f"message:{channel}:{ts}",
        text=words,
        user=user,
        channel=channel,
        place="dm" if is_direct else "mention" if is_mention else "thread",
        ts=ts,
        thread_ts=thread_ts,
    )


def plain_words_of_talk(text: str) -> str:
    """Talk in a thread; nothing when it opens by addressing somebody else."""
    return "" if re.match(r"\s*<[@!]", text) else plain_words(text)


def click_of(body: Body) -> Clicked | None:
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
    )


def own_user_id(body: Body) -> str | None:
    """Our bot's user id as the delivery names it; None where it does not."""
    for one in body.get("authorizations") or ():
        if isinstance(one, dict) and one.get("is_bot"):
            return one.get("user_id")
    return None


def _ask_why(client: WebClient, body: Body, clicked: Clicked) -> bool:
    """Open the modal that asks for a reason; False when Slack's three seconds are over."""
    try:
        client.views_open(trigger_id=body["trigger_id"], view=feedback.modal(clicked.question_id))
    except (SlackApiError, OSError) as exc:
        logger.info("modal_not_opened", extra={"why": type(exc).__name__})
        return False
    return True


def _kept(inbox: Inbox, asked: Asked) -> str | None:
    """What to say at once to somebody who waits at a slash command, whatever happened."""
    try:
        return inbox.ask(asked)
    except BadInput as exc:
        return _sentence(exc)
    except Exception as exc:  # the listener's edge: Slack shows nothing helpful for a failed command
        logger.error("question_not_kept", extra={"why": type(exc).__name__})
        return NOT_NOW


def _sentence(exc: ImpError) -> str:
    words = str(exc)
    return f"{words[:1].upper()}{words[1:]}."


def _log_error(error: Exception, body: Body) -> BoltResponse | None:
    """Texts of foreign errors may carry what people wrote, so only their type is kept.

    A request that lacks what Slack always sends is refused; for anything else Slack shall try again.
    """
    logger.error("slack_listener_failed", extra={"why": type(error).__name__, "type": body.get("type")})
    return BoltResponse(status=400) if isinstance(error, KeyError) else None


def _usage(command: str) -> str:
    return (
        f"Ask me anything that is written in Confluence or was said in a recorded meeting, for example\n"
        f"`{escape(command)} who decided to move the launch, and why?`\n"
        "The answer is shown to you alone, from what you may open; you can share it then.\n"
        f"`{escape(command)} forget me` deletes what you asked."
    )
