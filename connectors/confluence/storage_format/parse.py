"""A tolerant reader of Confluence storage format into a tree; knows no Markdown.

A fragment is not XML: no root, undeclared prefixes, HTML entities, and people store broken markup. XML
parsers in recovery mode drop text after a fault and HTML parsers move it about and read CDATA as comments,
so this reads the tokens itself: every run of text ends in the tree, in order, with its place in the source.
"""

import html
import re
from collections import Counter
from dataclasses import dataclass

from connectors.confluence.storage_format import kinds
from connectors.confluence.storage_format.tree import Element, Text

MAX_DEPTH = 80
"""Deeper elements are dissolved into their parent: real pages stay below 40, and every later walk may recurse."""

# `<` cannot stand in a quoted value (XML 1.0, 2.3), which keeps the scan for a lost quote from running away.
_TAG = re.compile(r"""<(/?)([A-Za-z_][\w:.-]*+)((?:[^<>"']|"[^"<]*+"|'[^'<]*+')*+)>""")
_LOOSE_TAG = re.compile(r"<(/?)([A-Za-z_][\w:.-]*+)([^<>]*+)>")
_ATTRIBUTE = re.compile(r"""([^\s=/"'<>]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'<>]++))?""")
_DECLARATION = re.compile(r"<[!?][^<>]*+>")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_UNWANTED = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A fragment as a tree under one root (named ""); `n_repairs` counts faults mended on the way."""

    root: Element
    source: str
    n_repairs: int
    n_dissolved: int


def parse(storage: str, *, max_depth: int = MAX_DEPTH) -> Parsed:
    """Read a fragment. Never raises on any text; takes time linear in its length."""
    builder = _TreeBuilder(storage, max_depth)
    builder.read()
    return Parsed(builder.root, storage, builder.n_repairs, builder.n_dissolved)


def decode(text: str) -> str:
    """Entities decoded (only with their `;`), characters no text holds removed, lone surrogates replaced."""
    text = _ENTITY.sub(lambda match: html.unescape(match.group()), text) if "&" in text else text
    return _SURROGATE.sub("\ufffd", _UNWANTED.sub("", text))


class _TreeBuilder:
    """The stack of open elements while a source is read; beyond `max_depth` an entry has no element of its own."""

    def __init__(self, source: str, max_depth: int) -> None:
        self.source = source
        self.max_depth = max_depth
        self.root = Element("", {}, 0, 0)
        self.stack: list[tuple[str, Element, bool]] = [("", self.root, True)]
        self.n_open: Counter[str] = Counter()
        self.n_repairs = 0
        self.n_dissolved = 0
        self.has_comment_end = True

    def read(self) -> None:
        source, position, text_start = self.source, 0, 0
        while (position := source.find("<", position)) >= 0:
            end = self._markup_end(position)
            if end is None:
                position += 1
                continue
            self._add_text(text_start, position)
            self._take_markup(position, end)
            position = text_start = end
        self._add_text(text_start, len(source))
        while self.stack:
            self.n_repairs += len(self.stack) > 1
            self._close(len(source), len(source))

    def _markup_end(self, start: int) -> int | None:
        """Where the markup at `start` ends; None when this `<` is only a character."""
        source = self.source
        if source.startswith("<![CDATA[", start):
            end = source.find("]]>", start + 9)
            return len(source) if end < 0 else end + 3
        if source.startswith("<!--", start):
            return self._find_comment_end(start + 4)
        pattern = _DECLARATION if source.startswith(("<!", "<?"), start) else _TAG
        match = pattern.match(source, start)
        if match is None and pattern is _TAG:
            match = _LOOSE_TAG.match(source, start)
        return None if match is None else match.end()

    def _find_comment_end(self, start: int) -> int | None:
        """One failed search answers all later ones, so a thousand unclosed comments stay cheap."""
        end = self.source.find("-->", start) if self.has_comment_end else -1
        self.has_comment_end = end >= 0
        return end + 3 if end >= 0 else None

    def _take_markup(self, start: int, end: int) -> None:
        source = self.source
        if source.startswith("<![CDATA[", start):
            is_closed = source.endswith("]]>", start, end)
            self.n_repairs += not is_closed
            self._add_node(Text(_clean(source[start + 9 : end - 3 if is_closed else end]), start, end))
            return
        if source[start + 1] in "!?":
            return
        match = _TAG.fullmatch(source, start, end) or _LOOSE_TAG.fullmatch(source, start, end)
        assert match is not None, "the same patterns found this span"
        name = match[2].lower()
        if match[1]:
            self._end_tag(name, start, end)
        else:
            self._start_tag(name, match[3], start, end)

    def _start_tag(self, name: str, attributes: str, start: int, end: int) -> None:
        is_empty = attributes.endswith("/") or name in kinds.VOID
        parent = self.stack[-1][1]
        if len(self.stack) > self.max_depth:
            self.n_dissolved += 1
            self._add_node(Text(" ", start, start))
            if not is_empty:
                self.stack.append((name, parent, False))
                self.n_open[name] += 1
            return
        element = Element(name, _attributes(attributes), start, end)
        parent.children.append(element)
        self.stack.append((name, element, True))
        self.n_open[name] += 1
        if is_empty:
            self._close(end, end)

    def _end_tag(self, name: str, start: int, end: int) -> None:
        if not self.n_open[name]:
            self.n_repairs += 1
            return
        while self.stack[-1][0] != name:
            self.n_repairs += 1
            self._close(start, start)
        self._close(start, end)

    def _close(self, inner_end: int, end: int) -> None:
        name, element, is_own = self.stack.pop()
        self.n_open[name] -= 1
        if not is_own:
            element.children.append(Text(" ", end, end))
            return
        element.inner_end, element.end = inner_end, end
        element.is_block = kinds.is_block(element)
        if kinds.is_one_line(element):
            element.holds_block = False
        if self.stack:
            self.stack[-1][1].holds_block |= element.is_block or element.holds_block

    def _add_text(self, start: int, end: int) -> None:
        if end > start:
            self._add_node(Text(decode(self.source[start:end]), start, end))

    def _add_node(self, text: Text) -> None:
        self.stack[-1][1].children.append(text)


def _clean(text: str) -> str:
    return _SURROGATE.sub("\ufffd", _UNWANTED.sub("", text))


def _attributes(text: str) -> dict[str, str]:
    """Attributes of a tag; the first of a repeated name counts, quotes are optional."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        value = match[2] or ""
        value = value[1:-1] if value[:1] in ("'", '"') else value
        found.setdefault(match[1].lower(), decode(value))
    return found
