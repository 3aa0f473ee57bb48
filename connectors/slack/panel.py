"""The assistant's side panel: questions to offer, the line that says what the bot does, the streamed answer.

A stream carries no mark until it ends, so whoever begins one remembers its timestamp.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from slack_sdk import WebClient

from connectors.slack.answer_markdown import MAX_CHARS, stream_pieces
from connectors.slack.answer_message import (
    AnswerMessage,
    closing_blocks,
    fallback_text,
    panel_blocks,
    section,
)
from connectors.slack.directory import workspace
from connectors.slack.mrkdwn import clean, shorten
from connectors.slack.posting import N_LOOKED_BACK, marked
from connectors.slack.web import translated
from core.errors import ImpError, NeverAgain, RateLimited

logger = logging.getLogger(__name__)

LOOKING = "is looking…"
WRITING = "is writing…"
TITLE = "Ask what is written in Confluence or was said in a meeting"
MAX_PROMPTS = 4
MAX_TITLE_CHARS = 60
MAX_PROMPT_CHARS = 75
Place = dict[str, Any]


def offer(client: WebClient, place: Place, prompts: Sequence[tuple[str, str]], *, title: str = TITLE) -> None:
    """Show questions as (title, message), at most four of them."""
    shown = [{"title": name[:MAX_PROMPT_CHARS], "message": said} for name, said in prompts[:MAX_PROMPTS]]
    with translated("the questions offered in the side panel"):
        client.assistant_threads_setSuggestedPrompts(
            channel_id=place["channel"], thread_ts=place["thread_ts"], title=title, prompts=shown
        )


def set_status(client: WebClient, place: Place, status: str) -> bool:
    """Say below the thread what the bot does, "" for nothing; False when Slack does not show it."""
    try:
        with translated("the status in the side panel"):
            client.assistant_threads_setStatus(
                channel_id=place["channel"], thread_ts=place["thread_ts"], status=status
            )
    except ImpError as exc:
        logger.info("status_not_shown", extra={"why": type(exc).__name__})
        return False
    return True


def set_title(client: WebClient, place: Place, title: str) -> None:
    """Name the chat; without a name it is found again by its date alone."""
    try:
        with translated("the title in the side panel"):
            client.assistant_threads_setTitle(
                channel_id=place["channel"],
                thread_ts=place["thread_ts"],
                title=shorten(clean(title), MAX_TITLE_CHARS),
            )
    except ImpError as exc:
        logger.info("title_not_shown", extra={"why": type(exc).__name__})


def stream(
    client: WebClient, place: Place, message: AnswerMessage, mark: str, *, on_begun: Callable[[str], None]
) -> str | None:
    """Write the answer piece by piece; its timestamp. None when Slack streams nothing here: nothing was said.

    Args:
        on_begun: told the timestamp before anything else is written.

    Raises:
        core.errors.ImpError: it broke off; `finish` completes what was begun.
    """
    pieces = stream_pieces(message)
    if sum(map(len, pieces)) > MAX_CHARS:
        return None
    try:
        with translated("the streamed answer"):
            begun = client.chat_startStream(
                channel=place["channel"], thread_ts=place["thread_ts"], recipient_user_id=place["user"],
                recipient_team_id=workspace(client).team_id,
            )  # fmt: skip
    except (NeverAgain, RateLimited) as exc:
        logger.info("stream_refused", extra={"why": type(exc).__name__})
        return None
    ts = str(begun["ts"])
    on_begun(ts)
    with translated("the streamed answer"):
        for piece in pieces:
            client.chat_appendStream(channel=place["channel"], ts=ts, markdown_text=piece)
        client.chat_stopStream(
            channel=place["channel"], ts=ts, blocks=closing_blocks(message), metadata=marked(mark)
        )
    return ts


def finish(client: WebClient, place: Place, ts: str, message: AnswerMessage, mark: str) -> None:
    """Put the whole answer where a stream broke off."""
    _end(client, place, ts)
    with translated("the answer"):
        client.chat_update(
            channel=place["channel"], ts=ts, text=fallback_text(message), blocks=panel_blocks(message),
            metadata=marked(mark),
        )  # fmt: skip


def say_instead(client: WebClient, place: Place, posted: str | None, words: str, mark: str) -> None:
    """Plain words of ours in the thread, in place of what was begun there, and no status any more."""
    set_status(client, place, "")
    if posted is None:
        with translated("a message in the side panel"):
            client.chat_postMessage(
                channel=place["channel"], thread_ts=place["thread_ts"], text=words, metadata=marked(mark)
            )
        return
    _end(client, place, posted)
    with translated("a message in the side panel"):
        client.chat_update(
            channel=place["channel"], ts=posted, text=words, blocks=[section(words)], metadata=marked(mark)
        )


def begun_before(client: WebClient, place: Place) -> str | None:
    """A message of ours that an earlier run began below the question and never marked."""
    with translated("the messages before"):
        found = client.conversations_replies(
            channel=place["channel"], ts=place["thread_ts"], oldest=place["ts"],
            include_all_metadata=True, limit=N_LOOKED_BACK,
        )  # fmt: skip
    ours = [
        one
        for one in found["messages"]
        if one.get("bot_id") and float(one["ts"]) > float(place["ts"]) and not one.get("metadata")
    ]
    return str(ours[-1]["ts"]) if ours else None


def _end(client: WebClient, place: Place, ts: str) -> None:
    """End a stream that broke off; one that was ended before stays so."""
    try:
        with translated("the streamed answer"):
            client.chat_stopStream(channel=place["channel"], ts=ts)
    except NeverAgain as exc:
        logger.info("stream_ended_before", extra={"why": type(exc).__name__})
