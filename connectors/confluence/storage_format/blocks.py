"""What stands on its own lines: paragraphs, headings, lists, tasks, quotes, code. Total, like the inline side."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from connectors.confluence.storage_format import macros, references, tables
from connectors.confluence.storage_format.context import Context
from connectors.confluence.storage_format.escape import (
    BREAK,
    code_block,
    one_line,
    paragraph,
    plain_text,
)
from connectors.confluence.storage_format.frames import indent, prefix
from connectors.confluence.storage_format.includes import INCLUDED
from connectors.confluence.storage_format.inline_macros import code_lines
from connectors.confluence.storage_format.kinds import HEADINGS
from connectors.confluence.storage_format.tree import Element, Node, Text, find, parameter_text, text_of, walk
from connectors.confluence.storage_format.values import Heading, Task


def write_blocks(ctx: Context, nodes: Sequence[Node]) -> list[str]:
    """Blocks of mixed content: runs of inline nodes become paragraphs between the blocks."""
    written: list[str] = []
    run: list[Node] = []
    for node in nodes:
        if isinstance(node, Text) or not (node.is_block or node.holds_block):
            run.append(node)
            continue
        written += _paragraph(ctx, run)
        run = []
        written += _block(ctx, node)
    return written + _paragraph(ctx, run)


def _paragraph(ctx: Context, run: Sequence[Node]) -> list[str]:
    text = paragraph(ctx.inline(run)) if run else ""
    return [text] if text else []


def _block(ctx: Context, element: Element) -> list[str]:
    writer = _WRITERS.get(element.name)
    return writer(ctx, element) if writer is not None else ctx.blocks(element.children)


def _heading(ctx: Context, element: Element) -> list[str]:
    level = int(element.name[1])
    text = one_line(ctx.inline(element.children))
    if not text:
        return []
    if ctx.in_cell:
        return [text]
    shown = plain_text(text)
    named = next((_anchor_name(m) for m in walk(element) if isinstance(m, Element) and _anchor_name(m)), "")
    ctx.findings.headings.append(Heading(level, shown, named or re.sub(r"\s+", "-", shown)))
    n_closing = len(text) - len(text.rstrip("#"))  # a closing run of # would be read as decoration
    return ["#" * level + " " + text.rstrip("#") + "\\#" * n_closing]


def _anchor_name(element: Element) -> str:
    return parameter_text(element, "", "name") if element.get("ac:name") == "anchor" else ""


def _rule(ctx: Context, element: Element) -> list[str]:
    return ([] if ctx.in_cell else ["---"]) + ctx.blocks(element.children)


def _quote(ctx: Context, element: Element) -> list[str]:
    return prefix(ctx, ctx.indented().blocks(element.children))


def _preformatted(ctx: Context, element: Element) -> list[str]:
    text = text_of(element).strip("\n")
    if any(isinstance(n, Element) and ":" in n.name for n in walk(element)):
        return ctx.blocks(element.children) if element.holds_block else _paragraph(ctx, element.children)
    if not text.strip():
        return []
    return [code_lines(ctx, text).replace(BREAK, "\n")] if ctx.in_cell else [code_block(text)]


def _list(ctx: Context, element: Element) -> list[str]:
    """A list; text and lists that stand directly in it, outside of any item, are items of their own."""
    start = element.get("start")
    number = int(start) if start.isascii() and start.isdigit() and len(start) < 8 else 1
    items: list[str] = []
    for node in element.children:
        is_item = isinstance(node, Element) and node.name == "li"
        inside = node.children if isinstance(node, Element) and is_item else [node]
        blocks = ctx.indented().blocks(inside)
        if not blocks:
            continue
        if not is_item and items and isinstance(node, Element) and node.name in ("ul", "ol"):
            items.append(indent(ctx, "\n".join(blocks), 2 if element.name == "ul" else 3))
            continue
        marker = f"{number}. " if element.name == "ol" else "- "
        items.append(marker + indent(ctx, _item(blocks), len(marker)).lstrip(" "))
        number += 1
    return ["\n".join(items)] if items else []


_LIST_LINE = re.compile(r"(?:- |\d{1,9}\. )")


def _item(blocks: list[str]) -> str:
    """The blocks of an item; a list follows its line tightly, everything else after a blank line."""
    parts = [blocks[0]]
    for block in blocks[1:]:
        parts += ["\n" if _LIST_LINE.match(block) else "\n\n", block]
    return "".join(parts)


def _definition(ctx: Context, element: Element) -> list[str]:
    if element.name == "dd":
        return [indent(ctx, block, 0) for block in ctx.blocks(element.children)]
    text = one_line(ctx.marked("**").inline(element.children))
    return [f"**{text}**"] if text else []


def _tasks(ctx: Context, element: Element) -> list[str]:
    items: list[str] = []
    for node in element.children:
        if isinstance(node, Element) and node.name == "ac:task":
            items += _task(ctx, node)
        else:
            blocks = ctx.indented().blocks([node])
            items += [indent(ctx, _item(blocks), 2) if items else _item(blocks)] if blocks else []
    return ["\n".join(items)] if items else []


def _task(ctx: Context, element: Element) -> list[str]:
    body = [c for c in element.children if not (isinstance(c, Element) and c.name in _TASK_FACTS)]
    n_before = len(ctx.findings.tasks)
    blocks = ctx.indented().blocks(body)
    if not blocks:
        return []
    is_done = text_of(element.first("ac:task-status")).strip().lower() == "complete"
    task_id = text_of(element.first("ac:task-id")).strip() or element.get("ac:local-id")
    own = [block for block in blocks if not _LIST_LINE.match(block)] or blocks
    user, moment = _own(element, "ri:user"), _own(element, "time")
    assignee = _account(user) if user is not None else None
    due = _date(moment.get("datetime")) if moment is not None else None
    task = Task(task_id, plain_text("\n".join(own)), is_done, assignee, due)
    ctx.findings.tasks.insert(n_before, task)  # before the tasks nested in it
    return [f"- [{'x' if is_done else ' '}] " + indent(ctx, _item(blocks), 2).lstrip(" ")]


_TASK_FACTS = ("ac:task-id", "ac:task-uuid", "ac:task-status")


def _own(task: Element, name: str) -> Element | None:
    """The first such element of a task's body, not of a task nested in it."""
    for part in task.elements("ac:task-body"):
        for child in part.elements():
            if child.name == "ac:task-list":
                continue
            found = child if child.name == name else find(child, name)
            if found is not None:
                return found
    return None


def _account(user: Element) -> str | None:
    return user.get("ri:account-id") or user.get("ri:userkey") or user.get("ri:username") or None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _adf(ctx: Context, element: Element) -> list[str]:
    return references.adf_telling(ctx, element).blocks(element.children)


def _adf_node(ctx: Context, element: Element) -> list[str]:
    """A node of the new editor: panels and decisions by name, the rest by its content."""
    kind = element.get("type")
    facts = {a.get("key"): text_of(a).strip() for a in element.elements("ac:adf-attribute")}
    if kind == "panel":
        return macros.panel(ctx, _ADF_PANELS.get(facts.get("panel-type", ""), ""), "", element.children)
    if kind == "decision-item":
        blocks = ctx.indented().blocks(element.children)
        label = "**Decision:**" if facts.get("state", "DECIDED") == "DECIDED" else "**To decide:**"
        return [f"- {label} " + indent(ctx, _item(blocks), 2).lstrip(" ")] if blocks else []
    if kind == "decision-list":
        blocks = ctx.blocks(element.children)
        return ["\n".join(blocks)] if blocks else []
    return ctx.blocks(element.children)


_ADF_PANELS = {"info": "Info", "note": "Note", "success": "Success", "warning": "Warning", "error": "Error"}


def _adf_fallback(ctx: Context, element: Element) -> list[str]:
    return [] if ctx.skips_fallback else replace(ctx, skips_fallback=False).blocks(element.children)


def _included(ctx: Context, element: Element) -> list[str]:
    return ctx.aside().blocks(element.children)


_WRITERS: dict[str, Callable[[Context, Element], list[str]]] = {
    **dict.fromkeys(HEADINGS, _heading),
    **dict.fromkeys(("ac:structured-macro", "ac:macro"), macros.macro),
    **dict.fromkeys(("ul", "ol"), _list),
    **dict.fromkeys(("dt", "dd"), _definition),
    INCLUDED: _included,
    "ac:task-list": _tasks,
    "ac:task": _task,
    "ac:adf-extension": _adf,
    "ac:adf-node": _adf_node,
    "ac:adf-fallback": _adf_fallback,
    "blockquote": _quote,
    "pre": _preformatted,
    "table": tables.table,
    "hr": _rule,
}
