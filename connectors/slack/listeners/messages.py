"""Mentions, direct messages and talk in threads: which of them is a question for us.

A mention arrives as `app_mention` and as `message`; both give the same delivery id, so one is dropped.
"""

import re
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from connectors.slack.inbox import Asked, Inbox
from connectors.slack.incoming_text import plain_words
from connectors.slack.listeners.commands import sentence
from connectors.slack.mrkdwn import escape
from core.errors import BadInput

PEOPLE_WRITE = (None, "thread_broadcast", "file_share")
Body = dict[str, Any]


def add_messages(app: App, inbox: Inbox) -> None:
    """Register both events; a refusal is said where the question stands."""

    def on_message(ack: Ack, event: Body, body: Body, client: WebClient) -> None:
        asked = question_of(event, bot_user_id=own_user_id(body), team=body.get("team_id"))
        refusal = None
        if asked is not None:
            try:
                refusal = inbox.ask(asked)
            except BadInput as exc:
                refusal = sentence(exc)
        ack()
        if asked is not None and refusal:
            client.chat_postMessage(
                channel=asked.channel, thread_ts=asked.thread_ts or asked.ts, text=escape(refusal)
            )

    app.event("app_mention")(on_message)
    app.event("message")(on_message)


def question_of(event: Body, *, bot_user_id: str | None, team: str | None = None) -> Asked | None:
    """The question in an event; None when it is not one for us.

    Edits, joins, plain talk in channels and what bots say without a mention are nobody's question.
    """
    user, channel, ts = event.get("user"), event.get("channel"), event.get("ts")
    if event.get("subtype") not in PEOPLE_WRITE or event.get("edited"):
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
    bot_ids = _bot_ids(event)
    if bot_ids and (is_direct or not is_mention):
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
        team=team,
        bot_ids=bot_ids,
    )


def _bot_ids(event: Body) -> tuple[str, ...]:
    """What a bot that wrote this is called; empty for people."""
    if not event.get("bot_id"):
        return ()
    names = (event["bot_id"], event.get("app_id"), event.get("user"))
    return tuple(str(name) for name in names if name)


def plain_words_of_talk(text: str) -> str:
    """Talk in a thread; nothing when it opens by addressing somebody else."""
    return "" if re.match(r"\s*<[@!]", text) else plain_words(text)


def own_user_id(body: Body) -> str | None:
    """Our bot's user id as the delivery names it; None where it does not."""
    for one in body.get("authorizations") or ():
        if isinstance(one, dict) and one.get("is_bot"):
            return one.get("user_id")
    return None
