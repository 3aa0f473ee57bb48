"""Saying things in Slack: where an answer goes for each place a question came from.

Edits what was already said where Slack allows that, so that a second run says nothing twice; messages of
ours carry a mark in their metadata by which a second run finds them again.
"""

import logging
from typing import Any

from slack_sdk import WebClient

from connectors.slack.answer_message import (
    AnswerMessage,
    Block,
    fallback_text,
    private_blocks,
    public_blocks,
    section,
)
from connectors.slack.mrkdwn import escape
from connectors.slack.response_url import send
from connectors.slack.web import translated
from core.errors import Denied, ImpError, NotFound

logger = logging.getLogger(__name__)

LOOKING = "🔎 Looking…"
EVENT_TYPE = "imp_answer"
N_LOOKED_BACK = 200
QUIET: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}
Place = dict[str, Any]


def find_or_post_looking(client: WebClient, place: Place, mark: str, *, is_retry: bool) -> str:
    """The timestamp of our message that will become the answer, posted now unless an earlier run did."""
    thread = _thread(place)
    if is_retry and (ts := posted_before(client, place["channel"], thread, mark)):
        return ts
    with translated("the answer"):
        reply = client.chat_postMessage(
            channel=place["channel"], thread_ts=thread, text=LOOKING, metadata=marked(mark)
        )
    return str(reply["ts"])


def edit_private(client: WebClient, place: Place, ts: str, message: AnswerMessage) -> None:
    """Put the answer where "looking…" stands in a direct message."""
    _update(client, place, ts, fallback_text(message), private_blocks(message, can_share=False))


def edit_public(client: WebClient, place: Place, ts: str, message: AnswerMessage) -> None:
    """Put the answer where "looking…" stands for everyone."""
    _update(client, place, ts, fallback_text(message), public_blocks(message))


def edit_words(client: WebClient, place: Place, ts: str, text: str) -> None:
    """Put plain words of ours where "looking…" stands."""
    _update(client, place, ts, text, [section(text)])


def answer_alone(client: WebClient, place: Place, message: AnswerMessage, mark: str) -> None:
    """For the asker alone, below their slash command or in the channel's thread; else a direct message.

    An ephemeral message cannot be edited by a command's response_url (bolt-python issue 1268), so the
    answer of a slash command follows "looking…".
    """
    text, blocks = fallback_text(message), private_blocks(message)
    say_alone(client, place, text, blocks, mark)


def say_alone(client: WebClient, place: Place, text: str, blocks: list[Block], mark: str) -> None:
    """Whatever way reaches the asker and nobody else."""
    body = {"text": text, "blocks": blocks, "response_type": "ephemeral", "replace_original": False}
    if send(place.get("response_url"), body):
        return
    if place["kind"] != "command" and _said_ephemerally(client, place, text, blocks):
        return
    direct_message(client, place["user"], text, blocks, mark)


def share(client: WebClient, place: Place, message: AnswerMessage, mark: str, *, is_retry: bool) -> str:
    """A new message in the channel or thread of the question, naming who shared it; its timestamp."""
    thread = place.get("thread_ts") or place.get("ts")
    if is_retry and (ts := posted_before(client, place["channel"], thread, mark)):
        return ts
    blocks = [section(f"<@{place['user']}> asked and shared:"), *public_blocks(message)]
    with translated("the shared answer"):
        reply = client.chat_postMessage(
            channel=place["channel"], thread_ts=thread, text=fallback_text(message), blocks=blocks,
            metadata=marked(mark), **QUIET,
        )  # fmt: skip
    return str(reply["ts"])


def post_once(client: WebClient, place: Place, text: str, mark: str, *, is_retry: bool) -> str:
    """Words of ours for everyone, in the question's thread or its channel; the message's timestamp."""
    thread = place.get("thread_ts") or place.get("ts")
    if is_retry and (ts := posted_before(client, place["channel"], thread, mark)):
        return ts
    with translated("a message in the channel"):
        reply = client.chat_postMessage(
            channel=place["channel"], thread_ts=thread, text=text, blocks=[section(text)],
            metadata=marked(mark), **QUIET,
        )  # fmt: skip
    return str(reply["ts"])


def tell_asker(client: WebClient, place: Place, text: str, mark: str) -> None:
    """News for the asker alone; a failure to tell is logged, the job's own error counts."""
    try:
        say_to_asker(client, place, text, mark)
    except ImpError as exc:
        logger.warning("asker_not_told", extra={"why": type(exc).__name__})


def say_to_asker(client: WebClient, place: Place, text: str, mark: str) -> None:
    """Plain words for the asker alone, wherever that is possible."""
    words = escape(text)
    if place["kind"] == "dm":
        direct_message(client, place["user"], words, [section(words)], mark)
    else:
        say_alone(client, place, words, [section(words)], mark)


def direct_message(client: WebClient, user: str, text: str, blocks: list[Block], mark: str) -> None:
    """Into the person's conversation with us, unless it is there already."""
    with translated("a direct message"):
        channel = client.conversations_open(users=user)["channel"]["id"]
    if posted_before(client, channel, None, mark):
        return
    with translated("a direct message"):
        client.chat_postMessage(channel=channel, text=text, blocks=blocks, metadata=marked(mark), **QUIET)


def _said_ephemerally(client: WebClient, place: Place, text: str, blocks: list[Block]) -> bool:
    """False when the asker is not in the channel (any more), or we are not."""
    try:
        with translated("the private answer"):
            client.chat_postEphemeral(
                channel=place["channel"], user=place["user"], thread_ts=place.get("thread_ts") or place.get("ts"),
                text=text, blocks=blocks,
            )  # fmt: skip
    except (Denied, NotFound) as exc:
        logger.info("ephemeral_refused", extra={"why": type(exc).__name__})
        return False
    return True


def _thread(place: Place) -> str | None:
    """Direct messages are answered beside the question, everything else in its thread.

    Where the channel wants answers beside the question (`reply`), only what was asked in a thread stays there.
    """
    thread_ts: str | None = place.get("thread_ts")
    return thread_ts if place["kind"] == "dm" or place.get("reply") == "channel" else thread_ts or place["ts"]


def _update(client: WebClient, place: Place, ts: str, text: str, blocks: list[Block]) -> None:
    with translated("the answer"):
        client.chat_update(channel=place["channel"], ts=ts, text=text, blocks=blocks)


def marked(mark: str) -> dict[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": {"mark": mark}}


def posted_before(client: WebClient, channel: str, thread: str | None, mark: str) -> str | None:
    """The message an earlier run posted, among the newest of the thread or channel."""
    with translated("the messages before"):
        if thread:
            found = client.conversations_replies(
                channel=channel, ts=thread, include_all_metadata=True, limit=N_LOOKED_BACK
            )
        else:
            found = client.conversations_history(
                channel=channel, include_all_metadata=True, limit=N_LOOKED_BACK
            )
    for message in found["messages"]:
        if ((message.get("metadata") or {}).get("event_payload") or {}).get("mark") == mark:
            return str(message["ts"])
    return None
