"""Emoticons and emoji of a page as characters."""

import re

from connectors.confluence.storage_format.context import Context
from connectors.confluence.storage_format.escape import escape
from connectors.confluence.storage_format.tree import Element

# The names of the old editor's emoticons, as the storage format documentation lists them.
_BY_NAME = {
    "smile": "🙂", "sad": "🙁", "cheeky": "😛", "laugh": "😃", "wink": "😉", "thumbs-up": "👍",
    "thumbs-down": "👎", "information": "ℹ️", "tick": "✅", "cross": "❌", "warning": "⚠️", "plus": "➕",
    "minus": "➖", "question": "❓", "light-on": "💡", "light-off": "💡", "yellow-star": "⭐", "red-star": "⭐",
    "green-star": "⭐", "blue-star": "⭐", "heart": "❤️", "broken-heart": "💔",
}  # fmt: skip
_CODE_POINTS = re.compile(r"[0-9a-fA-F]{2,6}(?:-[0-9a-fA-F]{2,6}){0,9}")


def emoticon(ctx: Context, element: Element) -> str:
    """The character of an emoji; its short name where the character is not known."""
    fallback, short_name, name = (
        element.get(f"ac:{key}") for key in ("emoji-fallback", "emoji-shortname", "name")
    )
    if fallback and not fallback.startswith(":"):
        text = fallback
    else:
        text = (
            _from_code_points(element.get("ac:emoji-id")) or _BY_NAME.get(name, "") or short_name or fallback
        )
    return escape(text or (f":{name}:" if name else "")) + ctx.inline(element.children)


def _from_code_points(emoji_id: str) -> str:
    if _CODE_POINTS.fullmatch(emoji_id) is None:
        return ""
    points = [int(part, 16) for part in emoji_id.split("-")]
    is_text = all(
        0x20 <= p <= 0x10FFFF and not 0x7F <= p <= 0x9F and not 0xD800 <= p <= 0xDFFF for p in points
    )
    return "".join(map(chr, points)) if is_text else ""
