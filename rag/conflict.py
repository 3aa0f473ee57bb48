"""Do two sources say different things of what was asked? Days and plain numbers only; knows no table and no model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from rag.minutes.dates import find_due
from rag.spans import best_span, is_dated, kind_asked
from rag.support import content_words, stem

_ABOUT_IT = (
    0.5  # share of the question's words a source must hold, title included, to speak of the same thing
)
_AMOUNT = re.compile(r"(\d+(?:[.,]\d+)*)\s*(%|°C|[^\W\d_]+)?")


@dataclass(frozen=True, slots=True)
class Said:
    """What one document says: a sentence, the text it stands in with its title, and when that was written."""

    document_id: int
    sentence: str
    surroundings: str
    at: datetime | None


def conflicting(question: str, said: Sequence[Said]) -> tuple[int, ...]:
    """Indexes of what contradicts each other on the question, the newest first; empty when nothing does."""
    asked = {stem(word) for word in content_words(question)}
    values = {
        index: value
        for index, one in enumerate(said)
        if _is_about(asked, one) and (value := _value(question, one)) is not None
    }
    if len({said[index].document_id for index in values}) < 2 or len(set(values.values())) < 2:
        return ()
    newest = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(values, key=lambda index: said[index].at or newest, reverse=True))


def _is_about(asked: set[str], one: Said) -> bool:
    held = {stem(word) for word in content_words(f"{one.surroundings} {one.sentence}")}
    return bool(asked) and len(asked & held) / len(asked) >= _ABOUT_IT


def _value(question: str, one: Said) -> tuple[str, ...] | None:
    """Month and day, or amount and unit, in one spelling; None for what cannot be compared."""
    span = best_span(question, one.sentence)
    if kind_asked(question) == "time" and is_dated(span):
        day = _day(span, (one.at or datetime.now(UTC)).date())
        return (f"{day:%m-%d}",) if day else None
    if kind_asked(question) == "number":
        amount = _AMOUNT.search(span)
        return (amount[1].replace(",", ""), (amount[2] or "").casefold().rstrip("s")) if amount else None
    return None


def _day(span: str, written: date) -> date | None:
    for language in ("en", "de"):
        due = find_due(span, language, written)
        if due is not None and due.day is not None:
            return due.day
    return None
