"""Macros that stand within a line, and the one-line telling of every other macro."""

import re
from collections.abc import Callable

from connectors.confluence.storage_format import references
from connectors.confluence.storage_format.context import Context
from connectors.confluence.storage_format.escape import BREAK, code_span, escape, one_line
from connectors.confluence.storage_format.kinds import words
from connectors.confluence.storage_format.tree import Element, find, parameter, parameter_text, text_of
from connectors.confluence.storage_format.values import Link

_ISSUE_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,30}-[0-9]{1,9}")
NAVIGATION = words(
    "children toc toc-zone pagetree pagetreesearch livesearch recently-updated "
    "recently-updated-dashboard blog-posts popular-labels contentbylabel content-report-table "
    "detailssummary listlabels labels navmap space-details space-attachments attachments gallery "
    "create-from-template create-space-button contributors contributors-summary "
    "tasks-report-macro taskreport related-labels favpages global-reports index network "
    "recently-used-labels search spaces userlister change-history page-index"
)
_SHOWING = words("view-file viewfile viewpdf viewxls viewdoc viewppt multimedia widget video iframe")
"""Macros that show a file or an address and have no words of their own."""
READABLE = (
    "title",
    "body",
    "text",
    "caption",
    "label",
    "alt",
    "description",
    "filename",
    "diagramname",
    "name",
    "",
)
"""Parameters of an unknown macro without a body that people read on the page, by name."""


def macro(ctx: Context, element: Element) -> str:
    """Any macro within a line."""
    name = element.get("ac:name").lower()
    writer = _WRITERS.get(name)
    body = [c for c in element.children if not (isinstance(c, Element) and c.name == "ac:parameter")]
    if writer is not None:
        return writer(ctx, element) + ctx.inline(body)
    plain = element.first("ac:plain-text-body")
    title = parameter_text(element, "title")
    if plain is not None or element.first("ac:rich-text-body") is not None:
        others = [c for c in body if c is not plain]
        written = " ".join(
            part for part in (escape(title), ctx.inline(others).strip(), code(ctx, text_of(plain))) if part
        )
        return f" {written} " if element.is_block else written
    return without_body(ctx, element) + ctx.inline(body)


def without_body(ctx: Context, element: Element) -> str:
    """A macro that holds nothing: navigation is noted and left out, others tell what they would show."""
    name = element.get("ac:name").lower()
    if name in NAVIGATION:
        ctx.warn(f"left out the macro “{name}”: Confluence fills it when the page is shown")
        return ""
    shown = [_reference(ctx, p) for p in element.elements("ac:parameter") if p.elements()]
    shown += [escape(parameter_text(element, key)) for key in READABLE if _is_plain(parameter(element, key))]
    words = ", ".join(dict.fromkeys(word for word in shown if word))
    if name not in _SHOWING:
        ctx.warn(f"the macro “{name[:80]}” is not known: only what its parameters say was kept")
    label = escape(name)
    return f"*{label}:* {words}" if words and label else words or (f"*{label}*" if label else "")


def _is_plain(element: Element | None) -> bool:
    return element is not None and not element.elements()


def _reference(ctx: Context, element: Element) -> str:
    """What a macro's parameter refers to: a page, file, person or address."""
    target = find(
        element,
        "ri:user",
        "ri:attachment",
        "ri:page",
        "ri:blog-post",
        "ri:url",
        "ri:space",
        "ri:content-entity",
    )
    if target is None:
        return ""
    if target.name == "ri:user":
        return references.mention(ctx, target)
    link = references.refer(ctx, target)
    return references.write_link(ctx, link, "") if link is not None else ""


def code(ctx: Context, text: str) -> str:
    """Code within a line; in a table cell a pipe needs its own escape."""
    if ctx.in_cell and "\\|" in text:
        return escape(text)
    span = code_span(text)
    return span.replace("|", "\\|") if ctx.in_cell else span


def code_lines(ctx: Context, text: str) -> str:
    """Code of several lines where no fence can stand."""
    return BREAK.join(code(ctx, line) for line in text.split("\n") if line.strip())


def _status(ctx: Context, element: Element) -> str:
    title = escape(parameter_text(element, "title") or parameter_text(element, "colour", "color"))
    return f"**{title}**" if title and "**" not in ctx.marks else title


def _jira(ctx: Context, element: Element) -> str:
    key = parameter_text(element, "key", "issuekey")
    query = parameter_text(element, "jqlquery", "jql") or _text_in(element)
    server = parameter_text(element, "server")
    if not key and (issue := _ISSUE_KEY.fullmatch(query)):
        key = issue.group()
    if key:
        return references.write_link(ctx, Link("jira", key, key), escape(key))
    if not query:
        return f"*Jira:* {escape(server)}" if server else ""
    ctx.findings.links.setdefault(Link("jira", query, query))
    return f"*Jira issues:* {code(ctx, query)}"


def _text_in(element: Element) -> str:
    """The default parameter: a key or a query, in old pages a whole address."""
    target = parameter(element, "", "url")
    found = find(target, "ri:url") if target is not None else None
    return found.get("ri:value") if found is not None else one_line(text_of(target))


def _anchor(ctx: Context, element: Element) -> str:
    return "" if ctx.in_link else references.write_anchor(parameter_text(element, "", "name"))


def _profile(ctx: Context, element: Element) -> str:
    user = find(element, "ri:user")
    name = parameter_text(element, "user")
    return references.mention(ctx, user) if user is not None else (f"@{escape(name)}" if name else "")


def _math(ctx: Context, element: Element) -> str:
    return code(ctx, parameter_text(element, "body", "equation", "formula", ""))


def _pasted_image(ctx: Context, element: Element) -> str:
    source = parameter(element, "src")
    target = find(source, "ri:attachment", "ri:url") if source is not None else None
    return references.write_image(
        ctx, target, parameter_text(element, "alt") or parameter_text(element, "title")
    )


_WRITERS: dict[str, Callable[[Context, Element], str]] = {
    "status": _status,
    "jira": _jira,
    "jiraissues": _jira,
    "anchor": _anchor,
    "profile": _profile,
    "mathinline": _math,
    "eazy-math-inline": _math,
    "img": _pasted_image,
}
