"""Sentence borders and words of running text; knows no Markdown, no language model and no table.

Own rules instead of a library: one pass of a regular expression costs microseconds a kilobyte, which chunking
needs on every page; the price is a wrong border at a rare abbreviation, never a lost character.
"""

import re
from collections.abc import Iterator

_ABBREVIATION_LIST = (
    "mr mrs ms dr prof st jr sr vs etc e.g i.e fig no vol inc ltd co corp dept approx est al cf pp ca "
    "jan feb mar apr jun jul aug sep sept oct nov dec bzw z.b d.h usw ggf inkl evtl nr str hr fr u.a p.ex m mme"
)
_ABBREVIATIONS = frozenset(_ABBREVIATION_LIST.split())
# A border is closing punctuation (with quotes or brackets), then white space; CJK full stops need no space.
_BORDER = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？]+|\n{2,}")
_WORD = re.compile(r"[^\W_]+(?:['’.\-_/][^\W_]+)*")


def split_sentences(text: str) -> list[str]:
    """Sentences of `text` in order, stripped, none empty."""
    return [text[start:end].strip() for start, end in sentence_spans(text)]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """`(start, end)` of each sentence; together they cover every character that is not white space."""
    spans: list[tuple[int, int]] = []
    start = 0
    for end in _borders(text):
        if text[start:end].strip():
            spans.append((start, end))
            start = end
    if text[start:].strip():
        spans.append((start, len(text)))
    return spans


def words(text: str) -> list[str]:
    """Lower-cased words; codes such as `abc-12`, `v1.2` and `don't` stay one word."""
    return [match.group().casefold() for match in _WORD.finditer(text)]


def _borders(text: str) -> Iterator[int]:
    for match in _BORDER.finditer(text):
        if not _is_abbreviation(text, match):
            yield match.end()


def _is_abbreviation(text: str, match: re.Match[str]) -> bool:
    """True for `Dr.`, `e.g.`, an initial (`J.`), a list number (`2.`) and a stop before a small letter."""
    if match.group() != ".":
        return False
    before = text[max(0, match.start() - 12) : match.start()].rsplit(None, 1)
    word = before[-1].lstrip("([\"'").casefold() if before and not text[match.start() - 1].isspace() else ""
    after = text[match.end() : match.end() + 3].lstrip()
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()):
        return True
    line_start = text.rfind("\n", 0, match.start()) + 1
    if text[line_start : match.start()].strip().isdigit():
        return True
    return bool(after) and after[0].islower()
