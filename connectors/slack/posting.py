"""Saying things in Slack: where an answer goes for each place a question came from.

Edits what was already said where that is possible, so that a second run says nothing twice.
"""

import logging
from typing import Any

from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from connectors.slack.answer_message import (
    AnswerMessage,
    Block,
    fallback_text,
    private_blocks,
    public_blocks,
)
from connectors.slack.listeners import LOOKING
from connectors.slack.mrkdwn import escape
from connectors.slack.web import translated
from core.errors import ImpError

logger = logging.getLogger(__name__)

EVENT_TYPE = "imp_answer"
Place = dict[str, Any]


def answer_privately(client: WebClient, place: Place, message: AnswerMessage) -> None:
    """For the asker alone: replaces "looking…" of a slash command, or answers in the direct message."""
    text, blocks = fallback_text(message), private_blocks(message)
    if place["kind"] == "dm":
        with translated("the answer in a direct message"):
            client.chat_postMessage(
                channel=place["channel"], text=text, blocks=blocks, thread_ts=place.get("thread_ts"),
                unfurl_links=False, unfurl_media=False,
            )  # fmt: skip
        return
    if not _replace(place.get("response_url"), text, blocks):
        _direct_message(client, place["user"], text, blocks)


def find_or_post_looking(client: WebClient, place: Place, question_id: int, *, is_retry: bool) -> str:
    """The timestamp of our message in the thread, posted now unless an earlier run did."""
    thread_ts = place.get("thread_ts") or place["ts"]
    if is_retry and (ts := _posted_before(client, place["channel"], thread_ts, question_id)):
        return ts
    with translated("the answer in the channel"):
        reply = client.chat_postMessage(
            channel=place["channel"],
            thread_ts=thread_ts,
            text=LOOKING,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"question_id": question_id}},
        )
    return str(reply["ts"])


def answer_publicly(client: WebClient, place: Place, ts: str, message: AnswerMessage) -> None:
    """Put the answer where "looking…" stands."""
    _update(client, place, ts, fallback_text(message), public_blocks(message))


def say_publicly(client: WebClient, place: Place, ts: str, text: str) -> None:
    """Put plain words of ours where "looking…" stands."""
    _update(client, place, ts, text, [_section(text)])


def answer_ephemerally(client: WebClient, place: Place, message: AnswerMessage) -> None:
    """Into the channel's thread, visible to the asker alone."""
    with translated("the private answer"):
        client.chat_postEphemeral(
            channel=place["channel"],
            user=place["user"],
            thread_ts=place.get("thread_ts") or place.get("ts"),
            text=fallback_text(message),
            blocks=private_blocks(message),
        )


def share(client: WebClient, place: Place, message: AnswerMessage) -> None:
    """A new message in the channel, naming who shared it."""
    blocks = [_section(f"<@{place['user']}> asked and shared:"), *public_blocks(message)]
    with translated("the shared answer"):
        client.chat_postMessage(
            channel=place["channel"], text=fallback_text(message), blocks=blocks,
            unfurl_links=False, unfurl_media=False,
        )  # fmt: skip


def respond(client: WebClient, response_url: str | None, place: Place, text: str) -> None:
    """A sentence for the asker alone, beside what stands already."""
    if not _send(response_url, {"text": text, "response_type": "ephemeral", "replace_original": False}):
        _direct_message(client, place["user"], text, [_section(text)])


def tell_asker(client: WebClient, place: Place, text: str) -> None:
    """Bad news, for the asker alone; a failure to tell is logged, the job's own error counts."""
    words = escape(text)
    try:
        if place["kind"] == "mention":
            with translated("a note to the asker"):
                client.chat_postEphemeral(
                    channel=place["channel"], user=place["user"], text=words,
                    thread_ts=place.get("thread_ts") or place.get("ts"),
                )  # fmt: skip
        elif not _replace(place.get("response_url"), words, [_section(words)]):
            _direct_message(client, place["user"], words, [_section(words)])
    except ImpError as exc:
        logger.warning("asker_not_told", extra={"why": type(exc).__name__})


def _update(client: WebClient, place: Place, ts: str, text: str, blocks: list[Block]) -> None:
    with translated("the answer in the channel"):
        client.chat_update(channel=place["channel"], ts=ts, text=text, blocks=blocks)


def _posted_before(client: WebClient, channel: str, thread_ts: str, question_id: int) -> str | None:
    with translated("the thread of the question"):
        replies = client.conversations_replies(
            channel=channel, ts=thread_ts, include_all_metadata=True, limit=200
        )
    for message in replies["messages"]:
        payload = (message.get("metadata") or {}).get("event_payload") or {}
        if payload.get("question_id") == question_id:
            return str(message["ts"])
    return None


def _replace(response_url: str | None, text: str, blocks: list[Block]) -> bool:
    return _send(
        response_url,
        {"text": text, "blocks": blocks, "response_type": "ephemeral", "replace_original": True},
    )


def _send(response_url: str | None, body: dict[str, Any]) -> bool:
    """False when the URL is missing, expired (30 minutes) or used up (5 times)."""
    if not response_url:
        return False
    with translated("the reply to a slash command"):
        reply = WebhookClient(response_url, timeout=15).send_dict(body)
    if reply.status_code >= 400:
        logger.info("response_url_refused", extra={"status": reply.status_code})
    return reply.status_code < 400


def _direct_message(client: WebClient, user: str, text: str, blocks: list[Block]) -> None:
    with translated("a direct message"):
        channel = client.conversations_open(users=user)["channel"]["id"]
        client.chat_postMessage(channel=channel, text=text, blocks=blocks, unfurl_links=False)


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}
