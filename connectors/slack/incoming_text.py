"""What people wrote in Slack as plain words: entities undone, links and mentions as they read."""

import re

_MARK = re.compile(r"<([^<>]{1,3000})>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


def plain_words(text: str, *, without_user: str | None = None) -> str:
    """`text` as a person reads it, in one piece.

    Links become their label or address, channels `#name`, people `@U…`; a leading mention (that is how one
    talks to a bot) and every mention of `without_user` disappear.
    """
    words = re.sub(r"^\s*<@[A-Z0-9]+(?:\|[^<>]*)?>[\s,:]*", "", text)
    words = _MARK.sub(lambda mark: _read(mark[1], without_user), words)
    words = re.sub(r"&(?:lt|gt|amp);", lambda entity: _ENTITIES[entity[0]], words)
    return words.strip()


def _read(inside: str, without_user: str | None) -> str:
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return "" if target[1:] == without_user else f"@{target[1:]}"
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        return label or target[1:].split("^")[0]
    return label or target
