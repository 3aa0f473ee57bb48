"""Text that may safely stand in a Slack message: nothing in it can ping, link or break a block."""

import re
from urllib.parse import urlsplit

# Control characters, and marks that reverse or hide text; plain left-to-right and right-to-left marks stay.
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def escape(text: str) -> str:
    """`text` as literal words: `&`, `<`, `>` escaped, control characters gone.

    Slack reads `<!channel>` and `<https://…|label>` only with raw angle brackets, so no text passed through
    here can ping or forge a link. (Escaping rules: Slack's "Formatting text for app surfaces".)
    """
    return _UNWANTED.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link(url: str, label: str) -> str:
    """A link whose target and label are ours; a URL that is not http(s) leaves only the label."""
    words = " ".join(escape(label).replace("|", "¦").split()) or "link"
    if urlsplit(url).scheme not in ("http", "https"):
        return words
    target = (
        _UNWANTED.sub("", url)
        .replace("&", "&amp;")
        .replace("<", "%3C")
        .replace(">", "%3E")
        .replace("|", "%7C")
    )
    return f"<{target.replace(' ', '%20')}|{words}>"


def shorten(text: str, n_chars: int) -> str:
    """At most `n_chars`, cut at a space where there is one, with an ellipsis; never inside `&amp;`."""
    if len(text) <= n_chars:
        return text
    cut = text[: n_chars - 1]
    cut = re.sub(r"&[a-z]{0,4}$", "", cut)
    head, _, _ = cut.rpartition(" ")
    return (head if len(head) > n_chars // 2 else cut).rstrip() + "…"


def split(text: str, n_chars: int) -> list[str]:
    """Pieces of at most `n_chars`, cut at paragraphs, else sentences, else spaces; a citation mark stays whole."""
    pieces = []
    while len(text) > n_chars:
        window = text[:n_chars]
        cut = max(window.rfind("\n\n"), -1)
        for mark in ("\n", ". ", " "):
            if cut < n_chars // 2:
                cut = window.rfind(mark) + len(mark.rstrip())
        if cut < n_chars // 2:
            cut = n_chars
        while (
            cut > 1 and re.match(r"\d*\]|\[", text[cut - 1 : cut + 4]) and "[" in text[max(0, cut - 5) : cut]
        ):
            cut -= 1
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*pieces, text] if text else pieces
