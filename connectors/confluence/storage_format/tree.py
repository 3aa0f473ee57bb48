"""The tree of a storage-format fragment, each node with its span in the source; knows no Markdown.

The spans let a merge copy what a person wrote byte for byte instead of writing it anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(slots=True)
class Text:
    """A run of text, entities decoded (CDATA verbatim). `start`/`end` are offsets in the source."""

    value: str
    start: int
    end: int


@dataclass(slots=True)
class Element:
    """One element. Names and attribute names are lower case, with their prefix (`ac:name`).

    `start..end` spans the tags too, `inner_start..inner_end` only the content. `is_block` says that it
    stands on its own lines, `holds_block` that something below it does.
    """

    name: str
    attrs: dict[str, str]
    start: int
    inner_start: int
    inner_end: int = 0
    end: int = 0
    children: list["Node"] = field(default_factory=list)
    is_block: bool = False
    holds_block: bool = False

    def get(self, name: str) -> str:
        """The attribute's value, "" when it is missing."""
        return self.attrs.get(name, "")

    def elements(self, *names: str) -> list["Element"]:
        """The child elements, only those called one of `names` when any are given."""
        return [c for c in self.children if isinstance(c, Element) and (not names or c.name in names)]

    def first(self, *names: str) -> "Element | None":
        """The first child element called one of `names`."""
        return next(iter(self.elements(*names)), None)


Node: TypeAlias = Text | Element


def walk(node: Element) -> Iterator[Node]:
    """Every node below `node` in document order, without recursion."""
    stack: list[Node] = list(reversed(node.children))
    while stack:
        current = stack.pop()
        yield current
        if isinstance(current, Element):
            stack.extend(reversed(current.children))


def text_of(node: Element | None) -> str:
    """All text below `node` as it stands, white space included."""
    if node is None:
        return ""
    return "".join(n.value for n in walk(node) if isinstance(n, Text))


def find(node: Element, *names: str) -> Element | None:
    """The first element below `node`, at any depth, called one of `names`."""
    return next((n for n in walk(node) if isinstance(n, Element) and n.name in names), None)


def parameter(macro: Element, *names: str) -> Element | None:
    """The first `ac:parameter` of a macro with one of these names ("" is the default parameter)."""
    return next((p for p in macro.elements("ac:parameter") if p.get("ac:name").lower() in names), None)


def parameter_text(macro: Element, *names: str) -> str:
    """The text of a macro's parameter, "" when it is missing."""
    return " ".join(text_of(parameter(macro, *names)).split())
