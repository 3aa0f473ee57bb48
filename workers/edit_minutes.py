"""Drafted minutes as a reviewer wants them: each edit is a new version, and what was not touched keeps its proof.

Knows no form: Slack's modals and the page in the browser both end here.
"""

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import get_args

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import BadInput, Conflict, NotFound
from core.minutes import MinutesLine, Section
from core.tables.meetings import Minutes
from workers.minutes import draft_of, line_to_json

logger = logging.getLogger(__name__)

SECTIONS: tuple[Section, ...] = get_args(Section)
MAX_LINES = 500
MAX_LINE_CHARS = 2_000
MAX_OWNER_CHARS = 120
LEAST_ALIKE = 0.3
"""Share of words in common from which a new line is taken for an old one reworded, so that it keeps its second."""


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """A line as a person left it; `before` is the number of the line it was in the edited version, None for a new one."""

    section: Section
    text: str
    before: int | None = None
    owner: str | None = None
    due: date | None = None


def edit_lines(
    session: Session, minutes_id: int, written: Sequence[WrittenLine], *, person_id: int | None
) -> int:
    """Make the draft say exactly these lines, in this order.

    Returns:
        The id of the new version; the same id when nothing was changed.

    Raises:
        NotFound: no such minutes.
        Conflict: it is no draft any more, or somebody made a newer version meanwhile.
        BadInput: no line is left, too many, one is empty or too long, or a line is named that does not exist.
    """
    row = editable(session, minutes_id)
    old = draft_of(row).lines
    if not 1 <= len(written) <= MAX_LINES:
        raise BadInput(f"minutes have 1 to {MAX_LINES} lines, not {len(written)}")
    taken = [one.before for one in written if one.before is not None]
    if len(set(taken)) < len(taken) or any(not 0 <= number < len(old) for number in taken):
        raise BadInput("each line of the edited version may be named once")
    lines = [_as_written(one, old[one.before] if one.before is not None else None) for one in written]
    return _next_version(session, row, lines, person_id)


def edit_sections(
    session: Session, minutes_id: int, texts: Mapping[Section, str], *, person_id: int | None
) -> int:
    """Make these sections say what is given, a line of text each; other sections stay as they are.

    A line that only changed its place or some words is still the line it was: it keeps owner, due date and evidence.
    Returns and raises as `edit_lines` does.
    """
    row = editable(session, minutes_id)
    old = draft_of(row).lines
    order = dict.fromkeys((*(line.section for line in old), *texts))
    written: list[WrittenLine] = []
    for section in order:
        mine = [(number, line) for number, line in enumerate(old) if line.section == section]
        if section not in texts:
            written += [_unchanged(number, line) for number, line in mine]
            continue
        said = [cleaned for text in texts[section].splitlines() if (cleaned := _one_line(text))]
        for text, number in zip(said, _matched(said, mine), strict=True):
            before = old[number] if number is not None else None
            written.append(
                replace(_unchanged(number, before), text=text)
                if number is not None and before is not None
                else WrittenLine(section, text)
            )
    return edit_lines(session, minutes_id, written, person_id=person_id)


def assign_owners(
    session: Session, minutes_id: int, owners: Mapping[int, str | None], *, person_id: int | None
) -> int:
    """Give actions, by the numbers of their lines, to somebody (None: to nobody).

    "Ben will …" becomes "Ada will …" when Ben's action is given to Ada. Returns and raises as `edit_lines` does.
    """
    row = editable(session, minutes_id)
    old = draft_of(row).lines
    if any(not 0 <= number < len(old) or old[number].section != "action" for number in owners):
        raise BadInput("only actions have an owner")
    written = []
    for number, line in enumerate(old):
        one = _unchanged(number, line)
        if number in owners and owners[number] != line.owner:
            one = replace(one, owner=owners[number], text=_handed_over(line, owners[number]))
        written.append(one)
    return edit_lines(session, minutes_id, written, person_id=person_id)


def editable(session: Session, minutes_id: int) -> Minutes:
    """The draft, locked. Raises NotFound, and Conflict for what is no draft or not the newest one."""
    row = session.get(Minutes, minutes_id, with_for_update=True)
    if row is None:
        raise NotFound(f"minutes {minutes_id} do not exist")
    newest = session.execute(
        select(func.max(Minutes.version)).where(Minutes.recording_id == row.recording_id)
    ).scalar_one()
    if row.version < newest:
        raise Conflict("somebody changed these minutes meanwhile; open the newest version and try again")
    if row.state != "draft":
        raise Conflict(f"these minutes are {row.state}, so they are not edited here any more")
    return row


def _next_version(session: Session, row: Minutes, lines: list[MinutesLine], person_id: int | None) -> int:
    before = list(draft_of(row).lines)
    if lines == before:
        return row.id
    row.state = "superseded"
    edited = Minutes(
        recording_id=row.recording_id,
        version=row.version + 1,
        lines=[line_to_json(line) for line in lines],
        engine=row.engine,
        warnings=list(row.warnings),
        edited_by=person_id,
        review_due_at=row.review_due_at,
        reminded_at=row.reminded_at,
    )
    session.add(edited)
    session.flush()
    facts = {"minutes_id": edited.id, "n_edited": sum(line not in before for line in lines)}
    logger.info("minutes_edited", extra=facts)
    return edited.id


def _as_written(one: WrittenLine, before: MinutesLine | None) -> MinutesLine:
    text, owner = _one_line(one.text), _one_line(one.owner or "") or None
    if not text or len(text) > MAX_LINE_CHARS:
        raise BadInput(f"a line of minutes has 1 to {MAX_LINE_CHARS} characters")
    if owner and len(owner) > MAX_OWNER_CHARS:
        raise BadInput(f"an owner's name has at most {MAX_OWNER_CHARS} characters")
    if before is None:
        return MinutesLine(one.section, text, (), 0.0, owner, one.due, is_edited=True)
    due_text = before.due_text if one.due == before.due else None
    facts = (before.section, _one_line(before.text), before.owner, before.due)
    if (one.section, text, owner, one.due) == facts:
        return before
    return MinutesLine(
        one.section, text, before.evidence, 0.0, owner, one.due, due_text=due_text, is_edited=True
    )


def _unchanged(number: int, line: MinutesLine | None) -> WrittenLine:
    assert line is not None
    return WrittenLine(line.section, line.text, number, line.owner, line.due)


def _matched(said: Sequence[str], old: Sequence[tuple[int, MinutesLine]]) -> list[int | None]:
    """For each new text the number of the old line it was: the same words first, then the most alike."""
    same: dict[str, deque[int]] = {}
    for number, line in old:
        same.setdefault(_one_line(line.text), deque()).append(number)
    found = [same[text].popleft() if same.get(text) else None for text in said]
    left = {number: _words(line.text) for number, line in old if number not in found}
    for i, text in enumerate(said):
        if found[i] is None and left:
            words = _words(text)
            best = max(left, key=lambda number: _alike(words, left[number]))
            if _alike(words, left[best]) >= LEAST_ALIKE:
                found[i] = best
                del left[best]
    return found


def _words(text: str) -> frozenset[str]:
    return frozenset(text.casefold().split())


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one | other) or 1)


def _handed_over(line: MinutesLine, owner: str | None) -> str:
    start = f"{line.owner} will "
    return (
        f"{owner} will {line.text.removeprefix(start)}"
        if owner and line.text.startswith(start)
        else line.text
    )


def _one_line(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())
