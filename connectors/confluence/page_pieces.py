"""A page cut into the pieces a merge works on: blocks, list items, tasks and decisions, with their source.

The sources of all pieces, put together again, are the page byte for byte. Knows nothing of merging.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.confluence.storage_format.parse import Parsed, parse
from connectors.confluence.storage_format.tree import Element, Node, Text, find, parameter_text, text_of, walk

_WRAPPERS = frozenset({"ac:layout", "ac:layout-section", "ac:layout-cell", "div", "section"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_ITEMS = {"ul": "li", "ol": "li", "ac:task-list": "ac:task", "table": "tr"}
# Attributes that say something a reader would miss; Confluence rewrites the others when it saves.
_TELLING = frozenset(
    {"href", "src", "datetime", "key", "type", "ac:name", "ac:anchor", "colspan", "rowspan", "start", "ri:account-id",
     "ri:userkey", "ri:username", "ri:content-title", "ri:space-key", "ri:filename", "ri:value", "ri:content-id",
     "ac:emoji-shortname", "ac:emoji-id"}
)  # fmt: skip
_UNSEEN = frozenset(
    {"colgroup", "ac:adf-fallback", "ac:task-id", "ac:task-uuid", "ac:task-status", "ac:placeholder"}
)
_TRANSPARENT = frozenset({"span", "tbody", "thead", "ac:inline-comment-marker", "ac:task-body"})


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a page.

    `kind` is an element's name, `open`/`close` for the two ends of what wraps other pieces, `text` for loose
    text. `id` is the local id Confluence keeps ("" without one). `says` is equal for pieces that say the same,
    however Confluence rewrote them. A list has `items`; then `head` and `tail` are its source around them.
    """

    kind: str
    section: str
    source: str
    says: str
    text: str
    id: str = ""
    items: tuple["Piece", ...] = ()
    head: str = ""
    tail: str = ""
    is_list: bool = False
    is_done: bool = False


def pieces_of(storage: str) -> list[Piece] | None:
    """The pieces of a page; None when its markup is broken, so that parts of it cannot be moved safely."""
    parsed = parse(storage)
    if parsed.n_repairs or parsed.n_dissolved:
        return None
    return _Cutter(parsed).cut()


def task_states(storage: str) -> dict[str, bool]:
    """Whether each task of a page is ticked, by its uuid (its number where Confluence dropped the uuid)."""
    tasks = (
        node for node in walk(parse(storage).root) if isinstance(node, Element) and node.name == "ac:task"
    )
    return {task_id: _is_done(task) for task in tasks if (task_id := _id_of(task))}


class _Cutter:
    """Walks a page once, keeping the heading it stands under."""

    def __init__(self, parsed: Parsed) -> None:
        self.source = parsed.source
        self.root = parsed.root
        self.section = ""

    def cut(self) -> list[Piece]:
        return list(self._flat(self.root.children, 0, len(self.source)))

    def _flat(self, nodes: Sequence[Node], start: int, end: int) -> Iterator[Piece]:
        for node, node_start, node_end in _spans(nodes, start, end):
            if isinstance(node, Element):
                yield from self._element(node, node_start, node_end)
            else:
                yield self._piece(node, node_start, node_end)

    def _element(self, element: Element, start: int, end: int) -> Iterator[Piece]:
        if element.name in _HEADINGS:
            self.section = _flat_text(element)
        body = _wrapped(element)
        if body is not None:
            yield from self._wrapper(element, body, start, end)
        elif (items := _list_items(element)) is not None:
            yield self._list(element, items, start, end)
        else:
            yield self._piece(element, start, end)

    def _wrapper(self, element: Element, body: Element, start: int, end: int) -> Iterator[Piece]:
        """What wraps a part of the page gives its two ends, so that people may wrap and unwrap lines."""
        name = f"{element.name} {element.get('ac:name')} {_shallow_print(element)}"
        yield Piece("open", self.section, self.source[start : body.inner_start], f"open {name}", "")
        yield from self._flat(body.children, body.inner_start, body.inner_end)
        yield Piece("close", self.section, self.source[body.inner_end : end], f"close {name}", "")

    def _list(self, element: Element, items: list[Element], start: int, end: int) -> Piece:
        holder_end = items[-1].end if items else element.inner_end
        first = items[0].start if items else holder_end
        cut = tuple(
            self._piece(item, item_start, item_end)
            for item, item_start, item_end in _spans(items, first, holder_end)
        )
        return Piece(
            kind=element.name,
            section=self.section,
            source=self.source[start:end],
            says=f"{element.name}({'|'.join(f'{p.says}={p.is_done}' for p in cut)})",
            text="\n".join(p.text for p in cut),
            items=cut,
            head=self.source[start:first],
            tail=self.source[holder_end:end],
            is_list=True,
        )

    def _piece(self, node: Node, start: int, end: int) -> Piece:
        source = self.source[start:end]
        if isinstance(node, Text):
            return Piece("text", self.section, source, _print(node), " ".join(node.value.split()))
        is_done = node.name == "ac:task" and _is_done(node)
        text, own_id = _flat_text(node), _id_of(node)
        return Piece(node.name, self.section, source, _print(node), text, own_id, is_done=is_done)


def _spans(nodes: Sequence[Node], start: int, end: int) -> Iterator[tuple[Node, int, int]]:
    """Each node that says something with the source up to the next one; white space belongs to what precedes it."""
    telling = [node for node in nodes if isinstance(node, Element) or node.value.strip()]
    if not telling:
        if end > start:
            yield Text("", start, end), start, end
        return
    starts = [start, *(node.start for node in telling[1:]), end]
    yield from zip(telling, starts, starts[1:], strict=False)


def _wrapped(element: Element) -> Element | None:
    """The element whose content stands on the page as if it were not wrapped; None for what is one piece."""
    if element.name in _WRAPPERS:
        return element
    if element.name == "ac:structured-macro" and element.is_block:
        return element.first("ac:rich-text-body")
    return None


def _list_items(element: Element) -> list[Element] | None:
    """The items of a list that holds nothing else; None for any other element."""
    if element.name == "ac:adf-extension":
        holder = element.first("ac:adf-node")
        if holder is None or holder.get("type") != "decision-list":
            return None
        items = [e for e in holder.elements("ac:adf-node") if e.get("type") == "decision-item"]
        return items if items and _is_run(holder, items) else None
    item_name = _ITEMS.get(element.name)
    if item_name is None:
        return None
    bodies = element.elements("tbody")
    holder = (
        bodies[0]
        if element.name == "table" and len(bodies) == 1 and not element.first("tr", "thead")
        else element
    )
    items = holder.elements(item_name)
    return items if _is_run(holder, items) else None


def _is_run(holder: Element, items: list[Element]) -> bool:
    """Whether nothing but white space stands between and after the items (anywhere, when there are none)."""
    if not items:
        return all(isinstance(c, Text) and not c.value.strip() for c in holder.children)
    after_first = holder.children[next(i for i, c in enumerate(holder.children) if c is items[0]) :]
    others = [c for c in after_first if not any(c is item for item in items[:1])]
    return sum(isinstance(c, Element) for c in others) == len(items) - 1 and not any(
        isinstance(c, Text) and c.value.strip() for c in others
    )


def _is_done(task: Element) -> bool:
    return text_of(task.first("ac:task-status")).strip().lower() == "complete"


def _id_of(element: Element) -> str:
    """The local id of a task, decision, paragraph or the paragraph an item begins with."""
    if element.name == "ac:task":
        return text_of(element.first("ac:task-uuid")).strip() or text_of(element.first("ac:task-id")).strip()
    if element.name == "ac:adf-node":
        keys = (a for a in element.elements("ac:adf-attribute") if a.get("key") == "local-id")
        return text_of(next(keys, None)).strip()
    own = element.get("local-id") or element.get("ac:local-id")
    first = element.first("p") if element.name == "li" else None
    return own or (_id_of(first) if first is not None else "")


def _flat_text(element: Element) -> str:
    return " ".join(" ".join(n.value for n in _seen(element) if isinstance(n, Text)).split())


def _seen(element: Element) -> Iterator[Node]:
    stack: list[Node] = list(reversed(element.children))
    while stack:
        node = stack.pop()
        if isinstance(node, Element):
            if node.name in _UNSEEN or node.name == "ac:adf-attribute":
                continue
            stack.extend(reversed(node.children))
        yield node


def _print(node: Node) -> str:
    """What a node says, without what Confluence rewrites: ids, spans, white space, a lone paragraph in an item."""
    if isinstance(node, Text):
        return re.sub(r"\s+", " ", node.value)
    parts: list[str] = []
    _add_print(node, parts, is_lone=False)
    return re.sub(r"\s+", " ", "".join(parts)).replace("> ", ">").replace(" <", "<")


def _add_print(node: Node, parts: list[str], *, is_lone: bool) -> None:
    if isinstance(node, Text):
        parts.append(node.value.replace("<", "&lt;").replace(">", "&gt;"))
        return
    if node.name in _UNSEEN or (node.name == "ac:adf-attribute" and node.get("key") == "local-id"):
        return
    children = [c for c in node.children if isinstance(c, Element) or c.value.strip() or not node.is_block]
    if node.name == "ac:structured-macro":  # Confluence sorts the parameters of a macro as it likes
        children.sort(
            key=lambda c: c.get("ac:name") if isinstance(c, Element) and c.name == "ac:parameter" else "~"
        )
    is_shown = not (node.name in _TRANSPARENT or (node.name == "p" and is_lone))
    holds_one = node.name in ("li", "td", "th", "ac:adf-content") and len(children) == 1
    if is_shown:
        parts.append(f"<{node.name}{_attributes(node)}>")
    for child in children:
        _add_print(child, parts, is_lone=holds_one)
    if is_shown:
        parts.append("</>")


def _attributes(element: Element) -> str:
    return "".join(f" {k}={v!r}" for k, v in sorted(element.attrs.items()) if k in _TELLING and v)


def _shallow_print(element: Element) -> str:
    """A wrapper's own settings, without what it wraps."""
    title = parameter_text(element, "title", "name")
    return f"{title} {_attributes(element)}"


def marks_done(source: str) -> str:
    """The source of a task, ticked; unchanged when it has no state of its own."""
    status = find(parse(source).root, "ac:task-status")
    if status is None:
        return source
    return f"{source[: status.inner_start]}complete{source[status.inner_end :]}"


def decision_list_tail(items: str) -> str:
    """What closes a decision list whose items have this source: its fallback tells the same items again."""
    contents = (n for n in walk(parse(items).root) if isinstance(n, Element) and n.name == "ac:adf-content")
    told = "".join(f"<li>{items[c.inner_start : c.inner_end]}</li>" for c in contents)
    return f'</ac:adf-node><ac:adf-fallback><ul class="decision-list">{told}</ul></ac:adf-fallback></ac:adf-extension>'
