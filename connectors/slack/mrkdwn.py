"""Text that may safely stand in a Slack message: nothing in it can ping, link or break a block."""

import re
from urllib.parse import urlsplit

MAX_URL_CHARS = 1_000
# Control characters, marks that reverse or hide text, tag characters, lone surrogates. The joiners that emoji
# and Persian need and the plain left-to-right and right-to-left marks stay.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
# A heap of combining marks climbs over the lines above; no script needs more than a few on one letter.
_HEAP = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff\ufe20-\ufe2f]{3})[\u0300-\u036f\u20d0-\u20ff]+"
)
_CITATION = re.compile(r"\s*(?:<[^<>]+\|)?\[\d{1,3}\]")


def clean(text: str) -> str:
    """`text` without characters that hide, reverse or pile up; not escaped yet."""
    return _HEAP.sub(r"\1", _UNWANTED.sub("", text))


def escape(text: str) -> str:
    """`text` as literal words: `&`, `<`, `>` escaped, unwanted characters gone.

    Slack reads `<!channel>` and `<https://…|label>` only with raw angle brackets, so no text passed through
    here can ping or forge a link. (Escaping rules: Slack's "Formatting text for app surfaces".)
    """
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link(url: str, label: str) -> str:
    """A link whose target and label are ours; a URL that is not http(s) or very long leaves only the label."""
    words = " ".join(escape(label).replace("|", "¦").split()) or "link"
    target = "".join(clean(url).split()).replace("&", "&amp;")
    for character, code in (("<", "%3C"), (">", "%3E"), ("|", "%7C")):
        target = target.replace(character, code)
    return f"<{target}|{words}>" if _is_web(url) and len(target) <= MAX_URL_CHARS else words


def shorten(text: str, n_chars: int) -> str:
    """At most `n_chars`, cut at a space where there is one, with an ellipsis; never inside `&amp;`."""
    if len(text) <= n_chars:
        return text
    cut = re.sub(r"&[a-z]{0,4}$", "", text[: n_chars - 1])
    head, _, _ = cut.rpartition(" ")
    return (head if len(head) > n_chars // 2 else cut).rstrip() + "…"


def split(text: str, n_chars: int) -> list[str]:
    """Pieces of at most `n_chars` of escaped text, cut at paragraphs, else sentences, else spaces.

    A link, an entity and a citation mark stay whole, and a mark stays with the words it stands behind. Links
    are shorter than a piece (see `MAX_URL_CHARS`).
    """
    pieces, at = [], 0
    while len(text) - at > n_chars:
        near = text[at : at + n_chars + 2 * MAX_URL_CHARS]  # the cut, and a whole link behind it
        cut = _cut(near, n_chars)
        pieces.append(near[:cut].rstrip())
        at += cut + len(near[cut:]) - len(near[cut:].lstrip())
    return [piece for piece in (*pieces, text[at:].strip()) if piece]


def _cut(text: str, n_chars: int) -> int:
    window = text[:n_chars]
    for mark in ("\n\n", "\n", ". ", "。", " "):
        cut = _before_unbroken(text, window.rfind(mark) + len(mark.rstrip(" ")))
        if cut > n_chars // 2 and window.rfind(mark) > 0 and not _CITATION.match(text[cut:]):
            return cut
    space = window.rfind(" ", 0, max(1, len(window) - 1))
    while space > n_chars // 2 and _CITATION.match(text[space:]):
        space = window.rfind(" ", 0, space)
    return _before_unbroken(text, space if space > n_chars // 2 else n_chars) or n_chars


def _before_unbroken(text: str, cut: int) -> int:
    """`cut`, or the start of the link, entity or mark it would go through."""
    head = text[:cut]
    if head.rfind("<") > head.rfind(">"):
        return head.rfind("<")
    broken = re.search(r"&[a-z]{0,4}$|\[\d{0,3}$", head)
    return broken.start() if broken and broken.start() > 0 else cut


def _is_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:  # such as a bracket that is never closed
        return False
