"""What stands within a line: marks, links, mentions, images, dates, emoji. Total: any element gives its text."""

import re
from collections.abc import Callable, Sequence

from connectors.confluence.storage_format import inline_macros, references
from connectors.confluence.storage_format.context import Context
from connectors.confluence.storage_format.emoji import emoticon
from connectors.confluence.storage_format.escape import BREAK, escape, one_line
from connectors.confluence.storage_format.includes import INCLUDED
from connectors.confluence.storage_format.kinds import words
from connectors.confluence.storage_format.tree import Element, Node, Text, text_of, walk

_EDGES = re.compile(rf"^([\s{BREAK}]*)(.*?)([\s{BREAK}]*)$", re.DOTALL)
_MARK_OF = {
    **dict.fromkeys(("strong", "b"), "**"),
    **dict.fromkeys(("em", "i", "cite", "dfn", "var"), "*"),
    **dict.fromkeys(("del", "s", "strike"), "~~"),
}
SILENT = words(
    "ac:parameter ac:adf-attribute ac:adf-mark ac:task-id ac:task-uuid ac:task-status col "
    "colgroup ri:page ri:url ri:user ri:space ri:attachment ri:blog-post ri:content-entity "
    "ri:shortcut"
)


def write_inline(ctx: Context, nodes: Sequence[Node]) -> str:
    """Inline Markdown of `nodes`, white space as it came, breaks as `BREAK`."""
    pieces: list[str] = []
    last_mark, was_macro = "", False
    for node in nodes:
        if isinstance(node, Text):
            piece, mark, is_macro = escape(node.value), "", False
        else:
            piece, mark = _element(ctx, node), _MARK_OF.get(node.name, "")
            is_macro = node.name == "ac:structured-macro"
        if not piece:
            continue
        if mark and mark == last_mark and pieces[-1].endswith(mark) and piece.startswith(mark):
            pieces[-1], piece = pieces[-1][: -len(mark)], piece[len(mark) :]
        elif piece.startswith("[") and pieces and pieces[-1].endswith("!"):
            pieces[-1] = pieces[-1][:-1] + "\\!"
        elif is_macro and was_macro and pieces:
            pieces.append(" ")
        pieces.append(piece)
        was_macro = is_macro
        last_mark = mark
    return "".join(pieces)


def _element(ctx: Context, element: Element) -> str:
    writer = _WRITERS.get(element.name)
    if writer is not None:
        return writer(ctx, element)
    if element.name in SILENT:
        return _inside_silent(ctx, element)
    inner = ctx.inline(element.children)
    return f" {inner} " if element.is_block or element.holds_block else inner


def _inside_silent(ctx: Context, element: Element) -> str:
    """A reference has no text, so text in one is broken markup (a tag that never closed): it is kept."""
    return ctx.inline(element.children) if element.name.startswith("ri:") and element.children else ""


def _marked(ctx: Context, element: Element) -> str:
    mark = _MARK_OF[element.name]
    if mark in ctx.marks:
        return ctx.inline(element.children)
    edges = _EDGES.match(ctx.marked(mark).inline(element.children))
    assert edges is not None, "the pattern matches any text"
    before, inner, after = edges.groups()
    return f"{before}{mark}{inner}{mark}{after}" if inner else before + after


def _raised(ctx: Context, element: Element) -> str:
    inner = ctx.inline(element.children)
    return f"<{element.name}>{inner}</{element.name}>" if inner.strip() and not ctx.in_link else inner


def _code(ctx: Context, element: Element) -> str:
    text = text_of(element)
    has_references = any(isinstance(n, Element) and n.name not in ("span", "br") for n in walk(element))
    if has_references or (ctx.in_cell and "\\|" in text):
        return ctx.inline(element.children)
    breaks_spaced = "".join(n.value if isinstance(n, Text) else " " * (n.name == "br") for n in walk(element))
    return inline_macros.code(ctx, breaks_spaced)


def _time(ctx: Context, element: Element) -> str:
    moment, text = escape(element.get("datetime")), ctx.inline(element.children)
    if not moment or moment in text:
        return text
    return f"{text} ({moment})" if text.strip() else moment


def _placeholder(ctx: Context, element: Element) -> str:
    """A placeholder tells the next editor what to write; no reader of the page ever sees it."""
    ctx.findings.n_placeholders += 1
    return ""


def _image_tag(ctx: Context, element: Element) -> str:
    return references.image_tag(ctx, element) + ctx.inline(element.children)


def _break(ctx: Context, element: Element) -> str:
    return BREAK + ctx.inline(element.children)


def _adf(ctx: Context, element: Element) -> str:
    return f" {one_line(references.adf_telling(ctx, element).inline(element.children))} "


def _adf_fallback(ctx: Context, element: Element) -> str:
    return "" if ctx.skips_fallback else ctx.inline(element.children)


def _included(ctx: Context, element: Element) -> str:
    return f" {ctx.aside().inline(element.children)} "


_WRITERS: dict[str, Callable[[Context, Element], str]] = {
    **dict.fromkeys(_MARK_OF, _marked),
    **dict.fromkeys(("sup", "sub"), _raised),
    **dict.fromkeys(("code", "tt", "kbd", "samp"), _code),
    **dict.fromkeys(("ac:structured-macro", "ac:macro"), inline_macros.macro),
    INCLUDED: _included,
    "a": references.anchor_tag,
    "ac:link": references.link,
    "ac:image": references.image,
    "ac:emoticon": emoticon,
    "ac:placeholder": _placeholder,
    "ac:adf-extension": _adf,
    "ac:adf-fallback": _adf_fallback,
    "time": _time,
    "img": _image_tag,
    "br": _break,
}
