"""Meetings of one series: what the last one left to do, and how decisions relate to those made before.

A series is one calendar event, or one title once dates and numbers are taken out of it. Only meetings that everybody
who may open this one may open as well are looked at. Knows no page.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime

from sqlalchemy import ARRAY, Integer, cast, func, select
from sqlalchemy.orm import Session

from connectors.confluence.minutes_page import Carried, Earlier, moment_url
from core.tables.action_items import ActionItem
from core.tables.meetings import Minutes, Recording
from rag.minutes.ledger import relate
from workers.minutes import draft_of

MOST_MEETINGS = 20
MOST_CANDIDATES = 500
# Dates, clock times and numbers that tell one meeting of a series from the next; names of months count with a number.
CHANGING = re.compile(
    r"\b(?:\d{1,4}[./:-]\d{1,2}(?:[./:-]\d{1,4})?|\d+(?:st|nd|rd|th)?|q[1-4]|kw|cw|week"
    r"|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
)
# Titles that recorders give to everything.
NAMELESS = frozenset(
    {"meeting", "recording", "audio", "video", "call", "zoom", "new recording", "untitled", "gmt recording"}
)


def title_pattern(title: str) -> str:
    """What titles of one series have in common; empty for one that says nothing but a date or what it is."""
    pattern = " ".join(re.findall(r"[^\W\d_]+", CHANGING.sub(" ", title.casefold())))
    return "" if pattern in NAMELESS else pattern


def before(session: Session, recording: Recording) -> list[Recording]:
    """Earlier meetings of the series, the last first; at most 20. Where the meeting is closed there are none."""
    moment = func.coalesce(Recording.started_at, Recording.created_at)
    began = recording.started_at or recording.created_at
    if not recording.gate_ids:
        return []
    doors = cast(recording.gate_ids, ARRAY(Integer))
    query = (
        select(Recording)
        .where(Recording.id != recording.id, moment < began, Recording.gate_ids.op("<@")(doors))
        .order_by(moment.desc(), Recording.id.desc())
        .limit(MOST_CANDIDATES)
    )
    found = [one for one in session.execute(query).scalars() if one.gate_ids and _is_same(one, recording)]
    return found[:MOST_MEETINGS]


def carried(session: Session, recording: Recording, public_url: str) -> tuple[Carried, ...]:
    """Tasks of the last meeting that had published minutes, as they stand now: overdue, open, then done ones."""
    for last in before(session, recording):
        items = session.execute(
            select(ActionItem).where(ActionItem.recording_id == last.id).order_by(ActionItem.position)
        ).scalars().all()  # fmt: skip
        if items or _published(session, [last]):
            url = moment_url(public_url, str(last.id), 0)
            day = (recording.started_at or datetime.now(UTC)).date()
            tasks = [_carried(item, url, day) for item in items]
            return tuple(sorted(tasks, key=lambda task: ("overdue", "open", "done").index(task.state)))
    return ()


def earlier_decisions(
    session: Session, recording: Recording, row: Minutes, public_url: str
) -> dict[str, Earlier]:
    """By the text of a decision of `row`, the nearest decision of a meeting before; the last word counts."""
    own = draft_of(row).section("decision")
    if not own:
        return {}
    made = [
        (
            line.text,
            moment_url(
                public_url, str(minutes.recording_id), line.evidence[0].start_s if line.evidence else 0
            ),
        )
        for minutes in _published(session, before(session, recording))
        for line in draft_of(minutes).section("decision")
    ]
    found = {}
    for line in own:
        related = relate(line.text, [said for said, _ in made])
        if related is not None:
            index, relation = related
            found[line.text] = Earlier(relation, *made[index])
    return found


def _published(session: Session, recordings: Sequence[Recording]) -> list[Minutes]:
    """Published minutes of these recordings, in their order."""
    rows = session.execute(
        select(Minutes).where(
            Minutes.recording_id.in_([one.id for one in recordings]), Minutes.state == "published"
        )
    ).scalars()
    place = {one.id: number for number, one in enumerate(recordings)}
    return sorted(rows, key=lambda row: place[row.recording_id])


def _carried(item: ActionItem, url: str, day: date) -> Carried:
    is_late = item.due is not None and item.due < day
    return Carried(
        item.text, "done" if item.is_done else "overdue" if is_late else "open", url, item.owner, item.due
    )


def _is_same(one: Recording, other: Recording) -> bool:
    keys = (one.meeting_key, other.meeting_key)
    if all(key and key.startswith("ics:") for key in keys):
        return keys[0] == keys[1]
    pattern = title_pattern(other.title)
    return bool(pattern) and title_pattern(one.title) == pattern
