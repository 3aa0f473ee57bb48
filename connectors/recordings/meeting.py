"""What a recording's surroundings say about the meeting: calendar event, tags and file name, in that order of trust.

Knows no sound and no store; files are given as names and bytes.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from pathlib import PurePosixPath
from typing import Any

from icalendar import Calendar

from connectors.recordings.probe import MediaFacts
from core.errors import BadInput

MOST_ICS_BYTES = 1_000_000
MOST_ATTENDEES = 500
MOST_TITLE_CHARS = 300
DATE = r"(?P<y>20\d\d|19\d\d)[-_./]?(?P<mo>0[1-9]|1[0-2])[-_./]?(?P<d>0[1-9]|[12]\d|3[01])"
CLOCK = r"(?P<h>[01]\d|2[0-3])[-_.:hH]?(?P<mi>[0-5]\d)(?:[-_.:mM]?(?P<s>[0-5]\d))?"
ZONE = r"(?P<zone>z|(?:utc|gmt)(?:[+-]\d{1,2}(?::?\d\d)?)?|[A-Z]{2,5}T)(?![A-Za-z])"
# "GMT20240115-100512", "Sync-20240115_100512", "2024-01-15 10-05-12", "(2024-01-15 10:05 GMT+1)", "2024-01-15 Title"
MOMENT = re.compile(
    rf"(?<!\d)(?P<gmt>(?i:gmt))?{DATE}(?:(?:[-_ T]|\s-\s|\sat\s){{1,2}}{CLOCK}(?!\d)(?:\s*(?i:{ZONE}))?)?(?!\d)"
)
OFFSET = re.compile(r"(?:utc|gmt)(?P<hours>[+-]\d{1,2})(?::?(?P<minutes>\d\d))?$")
# Google Meet writes these; CST, IST and the like name several zones and are not read.
ZONE_HOURS = {"z": 0, "utc": 0, "gmt": 0, "wet": 0, "cet": 1, "cest": 2, "eet": 2, "eest": 3}
ZONE_HOURS |= {"jst": 9, "est": -5, "edt": -4, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
# What tools add to a meeting's name.
TOOL_WORDS = re.compile(
    r"[-_ ]*(?:meeting recording|meeting transcript|transcript|recording|aufzeichnung|gallery|speaker view|\d{3,4}x\d{3,4})\s*\d*\s*$",
    re.IGNORECASE,
)
# Names that say nothing about the meeting.
EMPTY_TITLE = re.compile(
    r"^(?:gmt|zoom|video|audio|rec|voice|memo|new|untitled|vid|img|dsc|mov|\d|\W|_)*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Attendee:
    """A person invited; at least one of the two is known."""

    name: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class MeetingFacts:
    """`started_at` is aware UTC; `duration_s` is the planned length of the calendar event, `event_uid` its name.

    `began_at` is when the recording itself began, as its name or its tags say: a calendar event only says when the
    meeting was to begin, and all meetings of a series share one event.
    """

    title: str | None = None
    started_at: datetime | None = None
    duration_s: float | None = None
    attendees: tuple[Attendee, ...] = ()
    organizer: Attendee | None = None
    event_uid: str | None = None
    began_at: datetime | None = None


def meeting_facts(
    name: str, *, media: MediaFacts | None = None, ics: bytes | None = None, zone: tzinfo = UTC
) -> MeetingFacts:
    """Everything known about the meeting, each fact from the most trustworthy place that has it.

    Args:
        name: the recording's file name.
        media: what `probe` found in its tags.
        ics: the calendar file beside it.
        zone: where clocks in file names are read, when they name no zone.

    Raises:
        BadInput: the calendar file cannot be read.
    """
    said, written = facts_of_name(name, zone=zone), MeetingFacts()
    planned = facts_of_calendar(ics) if ics is not None else MeetingFacts()
    if media is not None:
        written = MeetingFacts(title=media.title, started_at=media.created_at)
    return MeetingFacts(
        title=planned.title or written.title or said.title,
        started_at=planned.started_at or said.started_at or written.started_at,
        duration_s=planned.duration_s,
        attendees=planned.attendees,
        organizer=planned.organizer,
        event_uid=planned.event_uid,
        began_at=said.started_at or written.started_at,
    )


def facts_of_name(name: str, *, zone: tzinfo = UTC) -> MeetingFacts:
    """Title and start as tools and people write them into file names; None for what is not there.

    A date without a clock gives no start, nor does a zone that could be several: both would be guesses.
    """
    stem = PurePosixPath(name).stem
    match = MOMENT.search(stem)
    title = stem if match is None else f"{stem[: match.start()]} {stem[match.end() :]}"
    return MeetingFacts(title=_title(title), started_at=_moment(match, zone) if match else None)


def facts_of_calendar(ics: bytes) -> MeetingFacts:
    """The first event of an iCalendar file.

    Raises:
        BadInput: too large, broken, or without an event.
    """
    if len(ics) > MOST_ICS_BYTES:
        raise BadInput(f"the calendar file is over the limit of {MOST_ICS_BYTES} bytes")
    try:
        events = Calendar.from_ical(ics).walk("VEVENT")
        if not events:
            raise BadInput("the calendar file holds no event")
        return _event_facts(events[0])
    except (
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as exc:
        raise BadInput(f"the calendar file is broken: {type(exc).__name__}") from exc


def _event_facts(event: Any) -> MeetingFacts:
    start, end = _date_property(event, "DTSTART"), _date_property(event, "DTEND")
    duration_s = (end - start).total_seconds() if start and end and end > start else None
    attendees = (_attendee(one) for one in _as_list(event.get("ATTENDEE"))[:MOST_ATTENDEES])
    return MeetingFacts(
        title=" ".join(str(event.get("SUMMARY", "")).split())[:MOST_TITLE_CHARS] or None,
        started_at=start,
        duration_s=duration_s,
        attendees=tuple(one for one in attendees if one is not None),
        organizer=_attendee(event.get("ORGANIZER")),
        event_uid=" ".join(str(event.get("UID", "")).split())[:300] or None,
    )


def _date_property(event: Any, key: str) -> datetime | None:
    """An aware UTC moment; all-day events have none, floating times are read as UTC."""
    found = event.get(key)
    moment = getattr(found, "dt", None)
    if not isinstance(moment, datetime):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _attendee(found: Any) -> Attendee | None:
    if found is None:
        return None
    address = re.sub(r"^mailto:", "", str(found), flags=re.IGNORECASE).strip()[:320]
    name = " ".join(str(getattr(found, "params", {}).get("CN", "")).split())[:200]
    email = address if "@" in address else None
    return Attendee(name or None, email) if name or email else None


def _as_list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [] if found is None else [found]


def _title(text: str) -> str | None:
    cleaned, before = text, ""
    while cleaned != before:
        before, cleaned = cleaned, TOOL_WORDS.sub("", cleaned).strip(" -_.–—()[]")
    words = " ".join(cleaned.replace("_", " ").split())[:MOST_TITLE_CHARS]
    return None if EMPTY_TITLE.match(words) else words


def _moment(match: re.Match[str], zone: tzinfo) -> datetime | None:
    if match["h"] is None:
        return None
    try:
        day = date(int(match["y"]), int(match["mo"]), int(match["d"]))
    except ValueError:
        return None
    clock = time(int(match["h"]), int(match["mi"]), int(match["s"] or 0))
    named = "gmt" if match["gmt"] else match["zone"]
    used = zone if named is None else _zone(named.lower())
    return None if used is None else datetime.combine(day, clock, tzinfo=used).astimezone(UTC)


def _zone(name: str) -> tzinfo | None:
    """The zone a file name says, None when it could be several."""
    if offset := OFFSET.match(name):
        hours, minutes = int(offset["hours"]), int(offset["minutes"] or 0)
        return (
            timezone(timedelta(hours=hours, minutes=minutes if hours >= 0 else -minutes))
            if abs(hours) < 15
            else None
        )
    hours_known = ZONE_HOURS.get(name)
    return None if hours_known is None else timezone(timedelta(hours=hours_known))
