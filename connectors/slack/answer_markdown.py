"""An answer as the Markdown that Slack streams: pieces that join to one text, in which nothing pings or forges a link."""

import re
from collections.abc import Iterator

from connectors.slack.answer_message import AnswerMessage
from connectors.slack.mrkdwn import MAX_URL_CHARS, clean, shorten

MAX_CHARS = 11_000
"""Slack takes 12,000 characters of Markdown a message."""
MAX_PIECES = 12
_LINK = re.compile(r"!?\[([^\[\]\n]{1,300})\]\([^()\s]{0,2000}\)")
_CITED = re.compile(r"\[(\d{1,3})\]")


def stream_pieces(message: AnswerMessage) -> list[str]:
    """At most `MAX_PIECES`, cut behind sentences and lines; joined they are the whole text."""
    urls = {source.number: source.url for source in message.sources} if message.is_answered else {}
    # Every second part stands between fences, where nothing is a link.
    said = message.text.strip().split("```")
    text = "```".join(
        _cited(_escaped(part), urls) if at % 2 == 0 else _literal(part) for at, part in enumerate(said)
    )
    if message.understood:
        understood = _escaped(shorten(message.understood, 280)).replace("_", " ")
        text = f"_Understood as: {understood}_\n\n{text}"
    parts = list(_parts(text))
    per_piece = -(-len(parts) // MAX_PIECES)
    return ["".join(parts[at : at + per_piece]) for at in range(0, len(parts), per_piece or 1)]


def _parts(text: str) -> Iterator[str]:
    """Sentences and lines, with the blanks behind them."""
    yield from (part for part in re.split(r"(?<=[.!?\]\)]\s)|(?<=\n)", text) if part)


def _escaped(text: str) -> str:
    """Without links: neither `[label](address)`, also with brackets inside, nor `[label]: address`."""
    plain = _LINK.sub(r"\1", text).replace("](", "] (").replace("]:", "] :").replace("][", "] [")
    return _literal(plain)


def _literal(text: str) -> str:
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cited(text: str, urls: dict[int, str]) -> str:
    def mark(match: re.Match[str]) -> str:
        url = _target(urls.get(int(match[1]), ""))
        return f"[[{match[1]}]({url})]" if url else match[0]

    return _CITED.sub(mark, text)


def _target(url: str) -> str:
    """`url` as a link's target; "" when it is none people should follow."""
    plain = "".join(clean(url).split())
    if not re.match(r"https?://", plain) or len(plain) > MAX_URL_CHARS:
        return ""
    for character, code in (
        ("(", "%28"),
        (")", "%29"),
        ("<", "%3C"),
        (">", "%3E"),
        ("|", "%7C"),
        ("\\", "%5C"),
    ):
        plain = plain.replace(character, code)
    return plain
