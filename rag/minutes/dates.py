"""When something is due, as it was said: finds the phrase and resolves it against the day of the meeting.

Own rules, because dateparser reads "the 12th" as a month, "15.03." as a time of day and knows no
"end of next week".
"""

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from rag.minutes.cues import cues_for

FRIDAY = 4
_ISO = re.compile(r"\b(?P<iso>20\d\d-[01]\d-[0-3]\d)\b")
_NUMERIC = re.compile(r"\b(?P<nday>[0-3]?\d)\.(?P<nmonth>[01]?\d)\.(?P<nyear>20\d\d)?")


@dataclass(frozen=True, slots=True)
class Due:
    """`text` as said, `day` when it names one (None for "next week" or without a meeting date)."""

    text: str
    day: date | None
    is_ambiguous: bool = False


def find_due(text: str, language: str, meeting_day: date | None) -> Due | None:
    """The first due phrase of `text`, or None."""
    grammar = _grammar(language)
    if grammar is None:
        return None
    for match in grammar.phrase.finditer(text):
        if not grammar.never.search(text[max(0, match.start() - 40) : match.start()].rstrip()):
            return _resolve(match, grammar, meeting_day)
    return None


@dataclass(frozen=True, slots=True)
class _Grammar:
    phrase: re.Pattern[str]
    never: re.Pattern[str]
    words: Mapping[str, Any]


@lru_cache(maxsize=16)
def _grammar(language: str) -> _Grammar | None:
    words = cues_for(language).dates
    if not words:
        return None
    never = re.compile(words.get("never") or r"(?!)", re.IGNORECASE)
    lead = rf"(?:\b{words['lead']} )?(?:{words.get('the', '(?!)')} )?"
    body = "|".join(_alternatives(words))
    return _Grammar(re.compile(rf"{lead}\b(?:{body})(?!\w)", re.IGNORECASE), never, words)


def _alternatives(words: Mapping[str, Any]) -> Iterator[str]:
    days = _any(sorted(words["days"], key=len, reverse=True))
    weekdays, months = _any(words["weekdays"]), _any(_months(words))
    numbers = _any([*words["numbers"], r"\d{1,2}"])
    following, this = words.get("next", "(?!)"), words.get("this", "(?!)")
    after = words.get("next_after", "(?!)")
    periods = _any([words["week"], words["month"], words.get("quarter", "(?!)"), words["year"]])
    number = rf"\d{{1,2}}(?:st|nd|rd|th|er|º|\.)?|{_any(words.get('ordinals', ['(?!)']))}"
    of = rf"(?: {words['of']})?" if "of" in words else ""
    yield rf"{words.get('end_next', '(?!)')} (?P<end_next>{periods})"
    yield rf"{words['end']} (?P<end_month>{months})(?!\w)"
    yield rf"{words['end']} ?(?P<end>{periods})"
    yield rf"{words['in']} (?P<n>{numbers}) (?P<unit>{_any(words['units'])})"
    # "Friday, November twentieth" names the day twice; the date is the one to trust.
    on = rf"(?:{weekdays},? (?:{words.get('the', '(?!)')} )?)?"
    yield rf"{on}(?P<day>(?:{number})){of} (?P<month>{months})(?: (?P<year>20\d\d))?"
    yield rf"{on}(?P<month2>{months}),? (?:the )?(?P<day2>{number})(?!\w)(?:,? (?P<year2>20\d\d))?"
    yield rf"(?:(?P<next>{following}|{this}) )?(?P<weekday>{weekdays})(?P<after> (?:{following} {words['week']}|{after}))?{words.get('parts', '')}"
    yield rf"(?P<near>{days}){words.get('parts', '')}"
    yield _ISO.pattern
    yield _NUMERIC.pattern
    yield rf"(?P<vague>{words.get('vague', '(?!)')})"
    if "ordinals" in words:
        yield rf"(?<=the )(?P<ordinal>\d{{1,2}}(?:st|nd|rd|th)|{_any(words['ordinals'][9:])})(?! \w+ly)"


def _resolve(match: re.Match[str], grammar: _Grammar, today: date | None) -> Due:
    said = " ".join(match.group().split()).strip(" ,.")
    found = {name: value.casefold() for name, value in match.groupdict().items() if value}
    if today is None:
        return Due(said, None)
    try:
        day = _day(found, grammar.words, today)
    except (ValueError, OverflowError):
        day = None
    return Due(said, day, is_ambiguous=_is_ambiguous(found, grammar.words, today))


def _day(found: Mapping[str, str], words: Mapping[str, Any], today: date) -> date | None:
    if "iso" in found:
        return date.fromisoformat(found["iso"])
    if "near" in found:
        return today + timedelta(days=words["days"][" ".join(found["near"].split())])
    if "n" in found:
        return today + timedelta(days=_number(found["n"], words) * _unit_days(found["unit"], words))
    if "weekday" in found:
        return _weekday(found, words, today)
    if "end" in found or "end_next" in found:
        return _end_of(found, words, today)
    if "end_month" in found:
        return _month_end(_coming(_month_number(found["end_month"], words), 28, None, today))
    return _calendar_day(found, words, today)


def _calendar_day(found: Mapping[str, str], words: Mapping[str, Any], today: date) -> date | None:
    month = found.get("month") or found.get("month2")
    if month:
        day = found.get("day") or found["day2"]
        year = found.get("year") or found.get("year2")
        return _coming(_month_number(month, words), _day_number(day, words), year, today)
    if "nmonth" in found:
        return _coming(int(found["nmonth"]), int(found["nday"]), found.get("nyear"), today)
    if "ordinal" in found:
        day_number = _day_number(found["ordinal"], words)
        first = today if day_number >= today.day else _month_end(today) + timedelta(days=1)
        return first.replace(day=day_number)
    return None


def _weekday(found: Mapping[str, str], words: Mapping[str, Any], today: date) -> date:
    wanted = words["weekdays"].index(found["weekday"])
    monday = today - timedelta(days=today.weekday())
    if "after" in found or (
        "next" in found and re.fullmatch(words.get("next", ""), found["next"], re.IGNORECASE)
    ):
        return monday + timedelta(days=7 + wanted)
    return today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)


def _is_ambiguous(found: Mapping[str, str], words: Mapping[str, Any], today: date) -> bool:
    """ "Next Friday" said on a Wednesday means the day after tomorrow to some and nine days to others."""
    if "weekday" not in found or "next" not in found or "after" in found:
        return False
    is_next = re.fullmatch(words.get("next", ""), found["next"], re.IGNORECASE)
    return bool(is_next) and words["weekdays"].index(found["weekday"]) > today.weekday()


def _end_of(found: Mapping[str, str], words: Mapping[str, Any], today: date) -> date:
    period = found.get("end") or found["end_next"]
    if re.fullmatch(words["week"], period):
        friday = today + timedelta(days=FRIDAY - today.weekday())
        is_later = "end_next" in found or friday < today
        return friday + timedelta(days=7 if is_later else 0)
    if re.fullmatch(words["year"], period):
        return date(today.year + ("end_next" in found), 12, 31)
    if re.fullmatch(words["month"], period):
        return _month_end(_month_end(today) + timedelta(days=1) if "end_next" in found else today)
    quarter_end = _month_end(today.replace(day=1, month=(today.month - 1) // 3 * 3 + 3))
    if "end_next" not in found:
        return quarter_end
    first_after = quarter_end + timedelta(days=1)
    return _month_end(first_after.replace(month=first_after.month + 2))


def _coming(month: int, day: int, year: str | None, today: date) -> date:
    if year:
        return date(int(year), month, day)
    found = date(today.year, month, day)
    return found if found >= today else date(today.year + 1, month, day)


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _months(words: Mapping[str, Any]) -> list[str]:
    return [*words["months"], *(rf"{short}\.?" for short in words.get("short_months", ()))]


def _month_number(said: str, words: Mapping[str, Any]) -> int:
    names = [str(month) for month in words["months"]]
    return next(
        i for i, name in enumerate(names, start=1) if name == said or name[:3] == said[:3].rstrip(".")
    )


def _day_number(said: str, words: Mapping[str, Any]) -> int:
    digits = re.match(r"\d+", said)
    return int(digits.group()) if digits else words["ordinals"].index(said) + 1


def _number(said: str, words: Mapping[str, Any]) -> int:
    return int(said) if said.isdigit() else int(words["numbers"][" ".join(said.split())])


def _unit_days(said: str, words: Mapping[str, Any]) -> int:
    return next(int(days) for unit, days in words["units"].items() if re.fullmatch(unit, said))


def _any(entries: list[str]) -> str:
    return "(?:" + "|".join(str(entry) for entry in entries) + ")"
