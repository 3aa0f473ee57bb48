"""The message that says where new minutes are; names counts, never a line of what was said."""

from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient

from connectors.slack.answer_message import section, words
from connectors.slack.mrkdwn import escape, link, shorten
from connectors.slack.web import translated

EVENT_TYPE = "imp_minutes"
N_LOOKED_BACK = 50


@dataclass(frozen=True, slots=True)
class Announcement:
    """`key` is the same for the same minutes, so that a retry finds what an earlier run posted."""

    key: str
    title: str
    page_url: str
    n_decisions: int
    n_actions: int
    n_questions: int
    warnings: tuple[str, ...] = ()


def announce(client: WebClient, channel: str, what: Announcement, *, is_retry: bool) -> str:
    """Post once; a retry first looks whether it was posted. Returns the message's timestamp."""
    if is_retry and (ts := _posted_before(client, channel, what.key)):
        return ts
    counts = ", ".join(
        f"{n} {word}{'' if n == 1 else 's'}"
        for n, word in (
            (what.n_decisions, "decision"),
            (what.n_actions, "action item"),
            (what.n_questions, "open question"),
        )
        if n
    )
    text = f"📝 Minutes are ready: {link(what.page_url, shorten(what.title, 150))}" + (
        f" — {counts}" if counts else ""
    )
    blocks: list[dict[str, Any]] = [section(text)]
    if what.warnings:
        said = shorten(escape(" ".join(what.warnings)), 1_500)
        blocks.append({"type": "context", "elements": [words(f"⚠️ {said}")]})
    with translated("the announcement"):
        reply = client.chat_postMessage(
            channel=channel,
            text=text,
            blocks=blocks,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"key": what.key}},
            unfurl_links=False,
        )
    return str(reply["ts"])


def _posted_before(client: WebClient, channel: str, key: str) -> str | None:
    with translated("the history of the announcement channel"):
        found = client.conversations_history(channel=channel, limit=N_LOOKED_BACK, include_all_metadata=True)
    for message in found["messages"]:
        if ((message.get("metadata") or {}).get("event_payload") or {}).get("key") == key:
            return str(message["ts"])
    return None
