"""What a question itself narrows: a space it names, a meeting's minutes, a time since which it asks. Knows no model.

Only what is safe is read: a space by its exact key, a meeting by all words of its title that the question gives, and a time as a lower bound, since a page that nobody has touched
for a month cannot tell of yesterday, while one of today may.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from rag.sentences import words
from rag.support import FUNCTION_WORDS

# "in ENG", "in the ENG space", "im Bereich ENG"; keys are letters and digits and written in capitals.
_SPACE = re.compile(r"\b(?:in|from|im|in\s+der|aus)\s+(?:the\s+|space\s+|bereich\s+)*([A-Z][A-Z0-9]{1,30})\b")
_DAYS_BACK = (
    (re.compile(r"\b(today|heute)\b", re.IGNORECASE), 0),
    (re.compile(r"\b(yesterday|gestern)\b", re.IGNORECASE), 1),
    (re.compile(r"\b(this week|diese(r)? woche)\b", re.IGNORECASE), 7),
    (re.compile(r"\b(last|past|previous) week\b|\bletzte(r|n)? woche\b", re.IGNORECASE), 14),
    (re.compile(r"\bthis month\b|\bdiesen monat\b", re.IGNORECASE), 31),
    (re.compile(r"\b(last|past|previous) month\b|\bletzten monat\b", re.IGNORECASE), 62),
    (re.compile(r"\bthis year\b|\bdieses jahr\b", re.IGNORECASE), 366),
    (re.compile(r"\b(last|past|previous) year\b|\bletztes jahr\b", re.IGNORECASE), 731),
)
_N_DAYS = re.compile(r"\b(?:last|past)\s+(\d{1,3})\s+(days?|weeks?|months?)\b", re.IGNORECASE)
_DAYS_OF = {"day": 1, "week": 7, "month": 31}

# "the minutes of the design review", "das Protokoll vom Jour fixe"; what follows the name narrows by other means.
_MEETING = re.compile(
    r"(?<!many )(?<!few )(?<!\d )\b(?:minutes|notes|recording|transcript|protokolls?|mitschrift|aufnahme)\s+(?:of|from|for|der|des|vom|zum|zur|von)\s+"
    r"(?:(?:the|our|last|der|die|das|dem|unser\w*)\s+)*(.{3,80}?)"
    r"(?:\s+(?:on|from|last|this|in|about|say|said|vom|am|im|letzte\w*|über)\b.*)?[\s?.!]*$",
    re.IGNORECASE,
)
_MAX_MEETINGS = 50
_NO_NAME = FUNCTION_WORDS | {"meeting", "call", "session", "besprechung", "sitzung"}

# Only spaces with something behind the asker's own gates: a question cannot find out which others exist.
_KNOWN_SPACES = text("""
    SELECT key FROM unnest(CAST(:keys AS text[])) AS named(key)
    WHERE EXISTS (SELECT FROM documents d WHERE d.space_key = named.key AND d.gate_ids <@ CAST(:passed AS int[])
                  AND d.deleted_at IS NULL AND d.status = 'current')
""")

# Meetings, and pages of minutes, by their title; the newest first.
_KNOWN_MEETINGS = text("""
    SELECT d.id FROM documents d
    WHERE d.title ILIKE ALL(CAST(:patterns AS text[])) AND d.gate_ids <@ CAST(:passed AS int[])
      AND d.deleted_at IS NULL AND d.status = 'current'
      AND (d.kind = 'transcript' OR d.title ILIKE ANY(ARRAY['%minutes%', '%notes%', '%protokoll%', '%meeting%']))
    ORDER BY d.updated_at DESC NULLS LAST LIMIT :at_most
""")


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Keys of spaces, ids of documents, and the moment (UTC) since which something must have been updated.

    Empty narrows nothing.
    """

    spaces: tuple[str, ...] = ()
    document_ids: tuple[int, ...] = ()
    updated_after: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.spaces or self.document_ids) or self.updated_after is not None


def narrowing(session: Session, question: str, passed_gates: Sequence[int], *, now: datetime) -> Narrowing:
    """What the question asks within. `now` is aware."""
    named = list(dict.fromkeys(_SPACE.findall(question)))
    spaces: tuple[str, ...] = ()
    if named:
        rows = session.scalars(_KNOWN_SPACES, {"keys": named, "passed": list(passed_gates)})
        spaces = tuple(sorted(rows))
    return Narrowing(spaces, _meetings(session, question, passed_gates), since(question, now=now))


def meeting_named(question: str) -> tuple[str, ...]:
    """Words of the title of the meeting whose minutes are asked for; none when none is.

    >>> meeting_named("What do the minutes of the design review say about hinges?")
    ('design', 'review')
    """
    match = _MEETING.search(question)
    return tuple(word for word in words(match[1]) if word not in _NO_NAME) if match else ()


def _meetings(session: Session, question: str, passed_gates: Sequence[int]) -> tuple[int, ...]:
    named = meeting_named(question)
    if not named:
        return ()
    patterns = [f"%{word}%" for word in named]  # words hold no % and no _
    values = {"patterns": patterns, "passed": list(passed_gates), "at_most": _MAX_MEETINGS}
    return tuple(session.scalars(_KNOWN_MEETINGS, values))


def since(question: str, *, now: datetime) -> datetime | None:
    """The earliest start of the day that the question's words of time can mean; None when it has none.

    >>> since("what changed in the last 3 days?", now=datetime(2024, 5, 10, 9, tzinfo=UTC)).isoformat()
    '2024-05-07T00:00:00+00:00'
    """
    spans = [days for pattern, days in _DAYS_BACK if pattern.search(question)]
    spans += [int(n) * _DAYS_OF[unit.lower().rstrip("s")] for n, unit in _N_DAYS.findall(question)]
    if not spans:
        return None
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=max(spans))
