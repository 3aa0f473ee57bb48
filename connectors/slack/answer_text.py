"""An answer's Markdown as pieces of Slack's own markup, each fit for one section block.

Prose loses Markdown's signs, code and tables stand between fences. Knows no block and no source but its number
and address; every text in it may be hostile.
"""

import re
from collections.abc import Iterator, Mapping

from connectors.slack.mrkdwn import clean, escape, link, split

PIECE_CHARS = 2_900  # Slack's bound for a section is 3,000
CELL_CHARS = 60
_BLOCK = re.compile(
    r"^```[^\n]*\n(?P<code>.*?)(?:^```[^\n]*$|\Z)|(?P<table>(?:^\|[^\n]*\|[ \t]*(?:\n|\Z))+)", re.M | re.S
)
_RULE = re.compile(r"^\|[\s|:\-]+\|$")
_CITED = re.compile(r"\[(\d{1,3})\]")


def pieces(text: str, urls: Mapping[int, str]) -> list[str]:
    """`text` in pieces of at most `PIECE_CHARS`; `[n]` leads to `urls[n]` where there is one."""
    return [piece for part in _parts(text, urls) for piece in part if piece.strip()]


def _parts(text: str, urls: Mapping[int, str]) -> Iterator[list[str]]:
    at = 0
    for match in _BLOCK.finditer(text):
        yield _prose(text[at : match.start()], urls)
        block = match["code"] if match["code"] is not None else _aligned(match["table"])
        yield _fenced(block)
        at = match.end()
    yield _prose(text[at:], urls)


def _prose(text: str, urls: Mapping[int, str]) -> list[str]:
    # Every repetition is bounded: a page of 40 kB of `[` or ` **a` must not cost its square.
    plain = re.sub(
        r"\[([^\[\]\n]{1,300})\]\([^()\s]{0,2000}\)", r"\1", text.strip()
    )  # a link's address may not match its label
    plain = re.sub(r"^#{1,6}\s+(.+)$", r"*\1*", plain, flags=re.M)
    plain = re.sub(r"(\*\*|__)(?=\S)(.{1,300}?)(?<=\S)\1", r"*\2*", plain)
    plain = re.sub(r"^(\s*)[-*+]\s+", r"\1• ", plain, flags=re.M)
    return split(_linked(escape(plain.replace("```", "'''")), urls), PIECE_CHARS)


def _linked(text: str, urls: Mapping[int, str]) -> str:
    def mark(match: re.Match[str]) -> str:
        number = int(match[1])
        return link(urls[number], match[0]) if number in urls else match[0]

    return _CITED.sub(mark, text)


def _fenced(block: str) -> list[str]:
    """Between fences, which the block itself cannot close; cut between lines, a long line where it must be."""
    lines = escape(block.replace("```", "'''")).rstrip("\n").split("\n")
    room = PIECE_CHARS - 10
    held: list[str] = []
    out: list[str] = []
    for line in (part for whole in lines for part in (split(whole, room) or [""])):
        if held and sum(map(len, held)) + len(held) + len(line) > room:
            out.append("\n".join(held))
            held = []
        held.append(line)
    out.append("\n".join(held))
    return [f"```\n{one}\n```" for one in out if one.strip()]


def _aligned(table: str) -> str:
    """A Markdown table with its columns padded, so that it reads in a fixed-width font."""
    rows = [
        [_cell(cell) for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        for line in table.strip().split("\n")
        if not _RULE.match(line.strip())
    ]
    n_columns = max((len(row) for row in rows), default=0)
    widths = [max((len(row[at]) for row in rows if at < len(row)), default=0) for at in range(n_columns)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in rows
    )


def _cell(text: str) -> str:
    words = " ".join(clean(text).replace("\\|", "|").split())
    return words if len(words) <= CELL_CHARS else words[: CELL_CHARS - 1] + "…"
