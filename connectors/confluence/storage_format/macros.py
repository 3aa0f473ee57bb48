"""Macros that stand on their own lines: panels, code, expands, excerpts, includes, and unknown ones."""

import re
from collections.abc import Callable, Sequence

from connectors.confluence.storage_format import includes, inline_macros
from connectors.confluence.storage_format.context import Context
from connectors.confluence.storage_format.escape import BREAK, code_block, escape, one_line
from connectors.confluence.storage_format.frames import prefix
from connectors.confluence.storage_format.kinds import words
from connectors.confluence.storage_format.tree import Element, Node, parameter_text, text_of

_LANGUAGE = re.compile(r"[A-Za-z0-9+#._-]{1,32}")
_NO_LANGUAGE = frozenset({"none", "text", "plain", "plaintext"})
_PANELS = {"info": "Info", "note": "Note", "warning": "Warning", "tip": "Tip", "panel": ""}
# Their body is all there is to say; the frame around it only arranges or marks it.
_FRAMES = words(
    "excerpt details section column div span ui-text-box sv-translation center align bgcolor "
    "highlight auitabs auitabspage multiexcerpt multiexcerpt-macro rw-tab tab tabs-group localtab "
    "deck card"
)
_CODE = frozenset({"code", "noformat", "paste-code-macro", "codeblock"})


def macro(ctx: Context, element: Element) -> list[str]:
    """Any macro that stands on its own lines; an unknown one by what its body says."""
    name = element.get("ac:name").lower()
    if name in _CODE:
        return [*_code(ctx, element), *ctx.blocks(_beside_plain_body(element))]
    if name in _PANELS:
        return panel(ctx, _PANELS[name], parameter_text(element, "title"), element.children)
    writer = _WRITERS.get(name)
    if writer is not None:
        return writer(ctx, element)
    if element.first("ac:plain-text-body") is not None:
        return [
            *_titled(ctx, element),
            *_plain_body(ctx, element, name),
            *ctx.blocks(_beside_plain_body(element)),
        ]
    if name not in _FRAMES and element.first("ac:rich-text-body") is not None:
        ctx.warn(f"the macro “{name[:80]}” is not known: its text was kept")
    return [*_titled(ctx, element), *ctx.blocks(element.children)]


def _beside_plain_body(element: Element) -> list[Node]:
    return [c for c in element.children if not (isinstance(c, Element) and c.name == "ac:plain-text-body")]


def panel(ctx: Context, label: str, title: str, body: Sequence[Node]) -> list[str]:
    """A coloured panel as a quote under its kind and title."""
    blocks = ctx.indented().blocks(body)
    head = ": ".join(part for part in (label, escape(title)) if part)
    mark = "**" if label or title else ""
    lead = [f"{mark}{head}{'' if title else ':'}{mark}"] if head and (blocks or title) else []
    return prefix(ctx, lead + blocks)


def _titled(ctx: Context, element: Element) -> list[str]:
    title = escape(one_line(parameter_text(element, "title")))
    return [f"**{title}**"] if title else []


def _expand(ctx: Context, element: Element) -> list[str]:
    return [*_titled(ctx, element), *ctx.blocks(element.children)]


def _code(ctx: Context, element: Element) -> list[str]:
    bodies = element.elements("ac:plain-text-body")
    text = "".join(text_of(body) for body in bodies)
    language = parameter_text(element, "language", "lang", "")
    return [*_titled(ctx, element), *write_code(ctx, text, language)]


def write_code(ctx: Context, text: str, language: str) -> list[str]:
    """Code as a fence, in a table cell as one span a line."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if not text.strip():
        return []
    if ctx.in_cell:
        return [inline_macros.code_lines(ctx, text).replace(BREAK, "\n")]
    language = language.strip().lower()
    is_named = _LANGUAGE.fullmatch(language) is not None and language not in _NO_LANGUAGE
    return [code_block(text, language if is_named else "")]


def _plain_body(ctx: Context, element: Element, name: str) -> list[str]:
    """Plain text of a macro that is not code: diagrams and formulas keep their lines under the macro's name."""
    text = "".join(text_of(body) for body in element.elements("ac:plain-text-body"))
    ctx.warn(f"the macro “{name[:80]}” is not known: its text was kept")
    return write_code(ctx, text, name)


def _included(ctx: Context, element: Element) -> list[str]:
    title = includes.wanted_page(element)[0]
    is_shown = element.first(includes.INCLUDED) is not None
    name = [f"*Shows the page “{escape(one_line(title))}”*"] if title and not is_shown else []
    return name + ctx.blocks(element.children)


_WRITERS: dict[str, Callable[[Context, Element], list[str]]] = {
    **dict.fromkeys(includes.NAMES, _included),
    **dict.fromkeys(("expand", "ui-expand"), _expand),
}
