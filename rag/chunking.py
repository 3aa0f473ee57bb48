"""Markdown to passages along its headings. Knows no table, no model and no connector, only text and a token counter.

Headings go to the passage's path and context without their marks and link targets; every other word of the page
ends up in some passage.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from rag.passage import CountTokens, Passage
from rag.sentences import sentence_spans

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_INLINE_MARKS = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)|[*`~]+")
_MAX_CONTEXT_HEADINGS = 4


@dataclass(frozen=True, slots=True)
class _Section:
    path: tuple[str, ...]
    anchor: str | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch that is not cut further; `is_prose` pieces may be repeated as overlap."""

    text: str
    n_tokens: int
    is_prose: bool
    glue: str


def chunk_markdown(
    title: str,
    markdown: str,
    *,
    count_tokens: CountTokens,
    space: str | None = None,
    max_tokens: int = 400,
    overlap: int = 50,
) -> list[Passage]:
    """Passages of a page in reading order.

    Tables are cut between rows, each part with the header again; code is cut between lines; prose at sentence
    borders with up to `overlap` tokens repeated. A single word above `max_tokens` is cut by characters.

    Args:
        count_tokens: the embedder's own count.
        max_tokens: upper bound of a passage's text, without its context, as the sum over its sentences, rows or
            lines (counting each once keeps this linear; a tokenizer that spends tokens on a joint adds those).
    """
    if not 0 <= overlap < max_tokens:
        raise ValueError("overlap must be at least 0 and below max_tokens")
    title = " ".join(title.split())
    passages: list[Passage] = []
    for section in _sections(markdown):
        context = context_line(title, section.path, space)
        pieces = list(_pieces("\n".join(section.lines), count_tokens, max_tokens))
        for text in _pack(pieces, max_tokens, overlap):
            passages.append(
                Passage(
                    position=len(passages),
                    text=text,
                    context=context,
                    n_tokens=count_tokens(text),
                    heading_path=section.path,
                    anchor=section.anchor,
                )
            )
    return passages


def context_line(title: str, heading_path: tuple[str, ...], space: str | None = None) -> str:
    """`Title > Heading > Sub-heading (SPACE)`; only the deepest headings when there are many."""
    path = [title, *heading_path[-_MAX_CONTEXT_HEADINGS:]] if title else list(heading_path)
    line = " > ".join(path)
    return f"{line} ({space})" if space else line


def heading_anchor(heading: str, n_seen: int = 0) -> str:
    """The fragment Confluence Cloud gives a heading: spaces to hyphens, repeats numbered `.1`, `.2`, …

    Data Center spells it `PageTitle-Heading`; a wrong fragment opens the page at its top, nothing worse.
    """
    base = quote(heading.replace(" ", "-"), safe="-_.!~*'()")
    return f"{base}.{n_seen}" if n_seen else base


def _sections(markdown: str) -> Iterator[_Section]:
    """Text between headings. A heading with nothing below it, not even a sub-heading, is kept as text."""
    path: list[tuple[int, str]] = []
    seen: dict[str, int] = {}
    anchor: str | None = None
    lines: list[str] = []
    is_open = True  # the current heading has not been followed by text or by a deeper heading yet
    for line, is_code in _lines(markdown):
        match = None if is_code else _HEADING.match(line)
        if match is None:
            lines.append(line)
            continue
        level, heading = len(match[1]), _plain(match[2])
        yield from _close(path, anchor, lines, is_leaf=is_open and bool(path) and level <= path[-1][0])
        lines, is_open = [], True
        if heading:
            path = [(depth, text) for depth, text in path if depth < level] + [(level, heading)]
            anchor = heading_anchor(heading, seen.get(heading, 0))
            seen[heading] = seen.get(heading, 0) + 1
    yield from _close(path, anchor, lines, is_leaf=bool(path))


def _close(
    path: list[tuple[int, str]], anchor: str | None, lines: list[str], *, is_leaf: bool
) -> Iterator[_Section]:
    if any(line.strip() for line in lines):
        yield _Section(tuple(text for _, text in path), anchor, tuple(lines))
    elif is_leaf:
        yield _Section(tuple(text for _, text in path[:-1]), anchor, (path[-1][1],))


def _lines(markdown: str) -> Iterator[tuple[str, bool]]:
    """Lines with whether they belong to fenced code (the fences included)."""
    fence = ""
    for line in markdown.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        match = _FENCE.match(line)
        if match and not fence:
            fence = match[1]
            yield line, True
        elif fence:
            closes = match is not None and match[1].startswith(fence) and line.strip() == match[1]
            yield line, True
            fence = "" if closes else fence
        else:
            yield line, False


def _plain(heading: str) -> str:
    text = _INLINE_MARKS.sub(lambda match: match[1] or "", heading)
    return " ".join((text if text.strip() else heading).split())


def _pieces(body: str, count_tokens: CountTokens, max_tokens: int) -> Iterator[_Piece]:
    for kind, block in markdown_blocks(body):
        if kind == "table":
            parts = _table_parts(block, count_tokens, max_tokens)
        elif kind == "code":
            parts = _code_parts(block, count_tokens, max_tokens)
        else:
            yield from _prose_pieces(block, count_tokens, max_tokens)
            continue
        for part in parts:
            yield _Piece(part, count_tokens(part), False, "\n\n")


def markdown_blocks(body: str) -> Iterator[tuple[str, str]]:
    """`(kind, text)` with kind code, table or prose; blank lines separate prose blocks."""
    kind, block = "prose", list[str]()
    previous_code = False
    for line, is_code in _lines(body):
        line_kind = "code" if is_code else "table" if line.lstrip().startswith("|") else "prose"
        opens_code = is_code and _FENCE.match(line) is not None and not previous_code
        if block and (line_kind != kind or opens_code or (kind == "prose" and not line.strip())):
            yield kind, "\n".join(block)
            block = []
        if line.strip() or (line_kind == "code"):
            kind = line_kind
            block.append(line)
        previous_code = is_code
    if block:
        yield kind, "\n".join(block)


def _prose_pieces(block: str, count_tokens: CountTokens, max_tokens: int) -> Iterator[_Piece]:
    """Sentences; list items keep their own line. The first piece of a block opens a new paragraph."""
    glue = "\n\n"
    for line in _logical_lines(block):
        for start, end in sentence_spans(line):
            for text in _fit(line[start:end].strip(), count_tokens, max_tokens):
                yield _Piece(text, count_tokens(text), True, glue)
                glue = " "
        glue = "\n"


def _logical_lines(block: str) -> list[str]:
    """Lines as they stand when any of them is a list item, else the block as one flowing line."""
    lines = block.split("\n")
    if any(re.match(r"\s*([-*+•]|\d+[.)])\s", line) for line in lines):
        return lines
    return [block]


def _table_parts(block: str, count_tokens: CountTokens, max_tokens: int) -> Iterator[str]:
    """Runs of rows within the bound, each below the header rows."""
    if count_tokens(block) <= max_tokens:
        yield block
        return
    rows = block.split("\n")
    n_header = 2 if len(rows) > 2 and _TABLE_RULE.match(rows[1]) else 0
    header = "\n".join(rows[:n_header])
    if n_header and count_tokens(header) > max_tokens // 2:
        yield from _fit(header, count_tokens, max_tokens)
        header = ""
    prefix = f"{header}\n" if header else ""
    budget = max_tokens - count_tokens(prefix)
    for group in _group_lines(rows[n_header:], count_tokens, budget):
        for part in _fit(group, count_tokens, budget):
            yield prefix + part


def _code_parts(block: str, count_tokens: CountTokens, max_tokens: int) -> Iterator[str]:
    if count_tokens(block) <= max_tokens:
        yield block
        return
    for group in _group_lines(block.split("\n"), count_tokens, max_tokens):
        yield from _fit(group, count_tokens, max_tokens)


def _group_lines(lines: list[str], count_tokens: CountTokens, budget: int) -> Iterator[str]:
    group: list[str] = []
    used = 0
    for line in lines:
        cost = count_tokens(line) + 1
        if group and used + cost > budget:
            yield "\n".join(group)
            group, used = [], 0
        group.append(line)
        used += cost
    if group:
        yield "\n".join(group)


def _fit(text: str, count_tokens: CountTokens, max_tokens: int) -> Iterator[str]:
    """`text` whole when it fits, else cut in halves at the white space nearest the middle, else by characters."""
    if not text.strip():
        return
    if count_tokens(text) <= max_tokens or len(text) < 2:
        yield text
        return
    middle = len(text) // 2
    spaces = [match.start() for match in re.finditer(r"\s", text)]
    inner = [at for at in spaces if 0 < at < len(text) - 1]
    cut = min(inner, key=lambda at: abs(at - middle)) if inner else middle
    yield from _fit(text[:cut].rstrip(), count_tokens, max_tokens)
    yield from _fit(text[cut:].lstrip(), count_tokens, max_tokens)


def _pack(pieces: list[_Piece], max_tokens: int, overlap: int) -> Iterator[str]:
    """Greedy packing; a new passage opens with the last prose pieces of the one before, up to `overlap`."""
    window: list[_Piece] = []
    used = n_new = 0
    for piece in pieces:
        if n_new and used + piece.n_tokens > max_tokens:
            yield _join(window)
            window = _tail(window, min(overlap, max_tokens - piece.n_tokens)) if piece.is_prose else []
            used, n_new = sum(kept.n_tokens for kept in window), 0
        window.append(piece)
        used += piece.n_tokens
        n_new += 1
    if n_new:
        yield _join(window)


def _tail(window: list[_Piece], overlap: int) -> list[_Piece]:
    tail: list[_Piece] = []
    used = 0
    for piece in reversed(window):
        used += piece.n_tokens
        if not piece.is_prose or used > overlap:
            break
        tail.insert(0, piece)
    return tail


def _join(pieces: list[_Piece]) -> str:
    return "".join((piece.glue if index else "") + piece.text for index, piece in enumerate(pieces))
