"""Turns what people type into Slack's escaped text and into a `rich_text` block; knows names, not messages."""

import re
from typing import Any

from sandbox.slack.store import Store

TOKEN = re.compile(r"<([^<>\n]+)>")
BARE_URL = re.compile(r"(?<![<|\w])https?://[^\s<>|]+[^\s<>|.,;:!?)\]'\"]")


def encode_typed(store: Store, typed: str) -> str:
    """Write `@name`, `#channel` and bare links the way Slack sends them; tokens already encoded stay."""
    people = {u.name.lower(): u.id for u in store.users.values()} | {
        store.bot.name.lower(): store.bot.user_id
    }
    channels = {c.name: c.id for c in store.channels.values() if c.name}
    text = typed.replace("&", "&amp;")
    text = re.sub(r"<(?![@#!]|https?://|mailto:)", "&lt;", text)
    text = BARE_URL.sub(lambda m: f"<{m.group(0)}>", text)

    def person(match: re.Match[str]) -> str:
        user_id = people.get(match.group(1).lower())
        return f"<@{user_id}>" if user_id else match.group(0)

    def place(match: re.Match[str]) -> str:
        channel_id = channels.get(match.group(1))
        return f"<#{channel_id}|{match.group(1)}>" if channel_id else match.group(0)

    text = re.sub(r"(?<![\w<])@([\w][\w.-]*\w|\w)", person, text)
    return re.sub(r"(?<![\w<])#([\w-]+)", place, text)


def rich_text_block(text: str) -> dict[str, Any]:
    """One `rich_text` block that says the same as the escaped `text`."""
    elements: list[dict[str, Any]] = []
    at = 0
    for match in TOKEN.finditer(text):
        _add_text(elements, text[at : match.start()])
        elements.append(_token_element(match.group(1)))
        at = match.end()
    _add_text(elements, text[at:])
    section = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "block_id": "txt", "elements": [section]}


def _add_text(elements: list[dict[str, Any]], escaped: str) -> None:
    if escaped:
        plain = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        elements.append({"type": "text", "text": plain})


def _token_element(token: str) -> dict[str, Any]:
    target, _, label = token.partition("|")
    if target.startswith("@"):
        return {"type": "user", "user_id": target[1:]}
    if target.startswith("#"):
        return {"type": "channel", "channel_id": target[1:]}
    if target.startswith("!subteam^"):
        return {"type": "usergroup", "usergroup_id": target.removeprefix("!subteam^")}
    if target.startswith("!"):
        return {"type": "broadcast", "range": target[1:]}
    link: dict[str, Any] = {"type": "link", "url": target}
    return {**link, "text": label} if label else link
