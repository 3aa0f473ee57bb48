"""The glossary: how the house writes its names and terms, what they were misheard as, what engines listen for.

Terms come by hand, by import, or from a correction; besides, hotwords are read off page titles and labels that
everybody who may hear a recording may read.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import jobs
from core.errors import BadInput, NotFound
from core.tables.meetings import Recording
from core.tables.speech import GlossaryTerm
from workers.replace_words import CALENDAR, pattern_of

MOST_TERM_CHARS = 80
MOST_TERMS = 20_000
MOST_IMPORT_BYTES = 2_000_000
# Whisper's prompt holds 224 tokens; engines cut to what they can use, best first.
MOST_HOTWORDS = 60
MOST_TITLES = 3_000
# A capitalized word, or one with a capital or digit inside: Larkmoor, OAuth2, pgvector, Q3.
TERM = re.compile(r"\b(?:[A-Z][\w'-]*[a-z0-9][\w'-]*|[a-z]+[A-Z0-9][\w-]*|[A-Z]{2,}\w*)\b")
# Words of page titles that stand on every second page and are known to every engine.
# fmt: off
COMMON = frozenset({
    "a", "an", "and", "are", "at", "by", "for", "from", "how", "in", "is", "it", "meeting", "minutes",
    "new", "notes", "of", "on", "or", "our", "page", "plan", "project", "report", "review", "space",
    "status", "team", "the", "this", "to", "update", "week", "weekly", "what", "when", "where", "why",
    "with", "you", "your", "home", "archive",
})
# fmt: on

TITLES = text("""
    SELECT title, labels FROM documents
    WHERE deleted_at IS NULL AND status = 'current' AND kind IN ('page', 'blogpost')
      AND gate_ids IS NOT NULL AND gate_ids <@ CAST(:gate_ids AS int[])
    ORDER BY updated_at DESC NULLS LAST, id DESC LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Term:
    """A term as people see it."""

    id: int
    term: str
    heard_as: tuple[str, ...]
    origin: str


def add_term(
    session: Session,
    term: str,
    heard_as: Iterable[str] = (),
    *,
    origin: str = "manual",
    person_id: int | None = None,
    recording_id: int | None = None,
    apply: bool = True,
) -> int:
    """Add a term, or add to what it is misheard as. Returns its id; with `apply`, old transcripts are mended by a job.

    Args:
        recording_id: whose correction taught it; forgotten again when that recording is erased.

    Raises:
        BadInput: empty, too long, or misheard as something so short that it would change other words.
    """
    wanted = _clean(term)
    misheard = [_clean(one) for one in heard_as]
    _check(wanted, misheard)
    row = session.execute(
        select(GlossaryTerm).where(func.lower(GlossaryTerm.term) == wanted.lower()).with_for_update()
    ).scalar_one_or_none()
    if row is None:
        if session.execute(select(func.count()).select_from(GlossaryTerm)).scalar_one() >= MOST_TERMS:
            raise BadInput(f"the glossary is full ({MOST_TERMS} terms); remove some first")
        row = GlossaryTerm(term=wanted, heard_as=[], learned={}, origin=origin, added_by=person_id)
        session.add(row)
    row.term = wanted
    known = {one.casefold() for one in row.heard_as}
    new = [one for one in dict.fromkeys(misheard) if one.casefold() not in known and one != wanted]
    row.heard_as = [*row.heard_as, *new]
    if recording_id is not None and new:
        key = str(recording_id)
        row.learned = {**row.learned, key: [*row.learned.get(key, []), *new]}
    row.updated_at = func.now()
    session.flush()
    if apply and row.heard_as:
        jobs.enqueue(session, "apply_glossary", str(row.id), term_id=row.id)
    return row.id


def list_terms(session: Session) -> list[Term]:
    """All terms, by alphabet."""
    rows = session.execute(select(GlossaryTerm).order_by(func.lower(GlossaryTerm.term))).scalars()
    return [Term(row.id, row.term, tuple(row.heard_as), row.origin) for row in rows]


def remove_term(session: Session, term: str) -> None:
    """Forget a term; transcripts that it mended stay as they are. Raises NotFound."""
    row = session.execute(
        select(GlossaryTerm).where(func.lower(GlossaryTerm.term) == _clean(term).lower())
    ).scalar_one_or_none()
    if row is None:
        raise NotFound(f"the glossary has no term {term!r}: see `imp glossary list`")
    session.delete(row)


def import_terms(session: Session, raw: bytes, *, person_id: int | None = None) -> int:
    """Terms from CSV or plain lines: the term, then what it is misheard as; `#` begins a comment. Returns how many.

    Raises:
        BadInput: too large, no text, or a line that is no term (named by its number); nothing is added then.
    """
    if len(raw) > MOST_IMPORT_BYTES:
        raise BadInput(f"the file is over the limit of {MOST_IMPORT_BYTES // 1_000_000} MB")
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as exc:
        raise BadInput("the file is no UTF-8 text") from exc
    n_added = 0
    for number, cells in enumerate(csv.reader(io.StringIO("\n".join(lines))), 1):
        wanted = [cell.strip() for cell in cells if cell.strip()]
        if not wanted or wanted[0].startswith("#"):
            continue
        try:
            add_term(session, wanted[0], wanted[1:], origin="import", person_id=person_id)
        except BadInput as exc:
            raise BadInput(f"line {number}: {exc}") from exc
        n_added += 1
    return n_added


def hotwords(session: Session, recording: Recording) -> tuple[str, ...]:
    """What to listen for in a recording, most telling first: who was there, its title, the glossary, then terms of
    page titles and labels that everybody who may open the recording may open as well.
    """
    people = [name for name in recording.participants if name.strip()]
    glossary = session.execute(
        select(GlossaryTerm.term).order_by(GlossaryTerm.updated_at.desc()).limit(MOST_HOTWORDS)
    ).scalars()
    own = TERM.findall(recording.title)
    found = [*people, *(one for one in own if _is_telling(one)), *glossary, *_of_pages(session, recording)]
    return tuple(dict.fromkeys(one for one in found if len(one) <= MOST_TERM_CHARS))[:MOST_HOTWORDS]


def replacements(session: Session) -> list[tuple[str, str]]:
    """(misheard, right) pairs of the whole glossary, longest first, so that parts of names do not win."""
    pairs = [
        (wrong, term.term)
        for term in session.execute(select(GlossaryTerm)).scalars()
        for wrong in term.heard_as
    ]
    return sorted(pairs, key=lambda pair: (-len(pair[0]), pair))


def _of_pages(session: Session, recording: Recording) -> Sequence[str]:
    if not recording.gate_ids:
        return ()
    counts: Counter[str] = Counter()
    for row in session.execute(TITLES, {"gate_ids": recording.gate_ids, "most": MOST_TITLES}):
        counts.update({one for one in TERM.findall(row.title) if _is_telling(one)})
        counts.update({label.replace("-", " ") for label in row.labels if _is_telling(label)})
    return [term for term, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_HOTWORDS]]


def _is_telling(word: str) -> bool:
    return len(word) > 2 and word.casefold() not in COMMON | CALENDAR and not word.isdigit()


def _check(term: str, heard_as: Sequence[str]) -> None:
    if not any(char.isalnum() for char in term):
        raise BadInput("a term needs letters or digits")
    for one in (term, *heard_as):
        if len(one) > MOST_TERM_CHARS:
            raise BadInput(f"{one[:30]}…: a term has at most {MOST_TERM_CHARS} characters")
    for one in heard_as:
        if len(one) < 3:
            raise BadInput(f"{one!r} is too short to be told from other words; give at least 3 letters")
        if pattern_of(one).search(term) and one.casefold() != term.casefold():
            raise BadInput(f"{one!r} is part of {term!r}: each correction would grow the text")


def _clean(wording: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", wording).split())
