"""What people did to a page of minutes: the tasks as they stand there now, and the lines they wrote themselves.

Knows neither HTTP nor tables.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from connectors.confluence.page_pieces import Piece, pieces_of
from connectors.confluence.storage_format.convert import to_markdown
from connectors.confluence.storage_format.parse import parse
from connectors.confluence.storage_format.tree import Element, text_of, walk


@dataclass(frozen=True, slots=True)
class PageTask:
    """A task in reading order. `id` is its uuid, or its number where Confluence dropped that."""

    id: str
    text: str
    account_id: str | None
    due: date | None
    is_done: bool


def tasks_of(storage: str) -> tuple[PageTask, ...]:
    """The tasks of a page; those without an id or without words are none."""
    numbered = {
        text_of(node.first("ac:task-id")).strip(): text_of(node.first("ac:task-uuid")).strip()
        for node in walk(parse(storage).root)
        if isinstance(node, Element) and node.name == "ac:task"
    }
    found = {
        (numbered.get(task.id) or task.id): PageTask(
            numbered.get(task.id) or task.id,
            " ".join(task.text.split()),
            task.assignee,
            task.due,
            task.is_done,
        )
        for task in to_markdown(storage).tasks
    }
    return tuple(task for key, task in found.items() if key and task.text)


def added_by_people(storage: str, rendered: Iterable[str]) -> str:
    """The lines of a page that say what none of our renderings said, under their headings, in storage format.

    Args:
        rendered: everything this product ever wrote as that page. Without any, nothing can be told apart and
            nothing is given: our own words must not become evidence for themselves.
    """
    page = pieces_of(storage)
    cut = [pieces for one in rendered if (pieces := pieces_of(one)) is not None]
    if page is None or not cut:
        return ""
    own = {piece.says for pieces in cut for piece in _flat(pieces)}
    written: list[str] = []
    section = ""
    for piece in page:
        source = _new_source(piece, own)
        if not source:
            continue
        if piece.section != section and not piece.kind.startswith("h"):
            written.append(f"<h2>{_escaped(piece.section)}</h2>")
        section = piece.section
        written.append(source)
    return "".join(written)


def _new_source(piece: Piece, own: set[str]) -> str:
    """What of a piece is new; a list keeps its frame around its new items."""
    if piece.kind in ("open", "close") or piece.says in own or not piece.text.strip():
        return ""
    if not piece.is_list:
        return piece.source
    items = "".join(item.source for item in piece.items if item.says not in own and item.text.strip())
    if not items:
        return ""
    # The fallback of a decision list tells every item again, ours too, so its items stand in a plain list.
    return f"<p>{items}</p>" if piece.kind == "ac:adf-extension" else piece.head + items + piece.tail


def _flat(pieces: Sequence[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        yield piece
        yield from _flat(piece.items)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
