"""What a question asks for by its first words (a time, a number, a person), and where a sentence holds such a thing.

Knows words only: no model, no table. A span is always copied from the sentence, never put into other words.
"""

import re
from collections.abc import Iterable
from typing import Literal

from rag.sentences import words
from rag.support import FUNCTION_WORDS, stem

Kind = Literal["time", "number", "person"]

_ASKS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("number", re.compile(r"\b(how (many|much|long|old|often|far|big|large|high|tall|fast)|what (percentage|number|share|price)|wie (?:viele?|lange|oft|hoch|weit|alt)|wieviele?|combien|cuántos?)\b")),
    ("number", re.compile(r"\bwhat (?:does|do|did) .* cost\b|\bwas kostet\b")),
    ("time", re.compile(r"\b(when|what (time|date|day|year|month|century)|(?:which|what) (year|day|month|century|date)|deadline|by when|wann|bis wann|quand|cuándo)\b")),
    ("person", re.compile(r"^(?:and |so |but )?(who|whom|whose|wer|wem|wen|qui|quién)\b")),
)  # fmt: skip
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember)\b\.?"
)
_ONES = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth"
_DAY = (
    rf"(?:\d{{1,2}}(?:st|nd|rd|th|\.)?|(?:twenty|thirty)-(?:{_ONES})|{_ONES}|tenth|eleventh|twelfth|"
    r"(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth)"
)
_WEEKDAY = r"(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag)"
_YEAR = r"(?:1\d|20)\d\d(?:s|(?:\s?[-–]\s?\d{2,4}))?"
_DATES = re.compile(
    rf"\b20\d\d-[01]\d-[0-3]\d\b|"
    rf"\b(?:{_WEEKDAY},? (?:the |den )?)?(?:{_MONTH} (?:the )?{_DAY}(?!\w)|{_DAY} (?:of )?{_MONTH})(?:,? {_YEAR})?|"
    rf"\b{_MONTH} {_YEAR}|\b[0-3]?\d\.[01]?\d\.(?:20\d\d)?|"
    r"\b(?:the )?(?:early |late |mid-?)?(?:\d{1,2}(?:st|nd|rd|th) (?:and|to|or) )?\d{1,2}(?:st|nd|rd|th) centur(?:y|ies)(?: (?:BCE?|AD|CE))?|"
    rf"\b{_YEAR}\b|(?<=\bin )[1-9]\d\d\b(?! [a-z]+s\b)"
)
_NEAR_TIMES = re.compile(
    rf"\b(?:(?:next|last|this|every|on|by|until|before|after|am|bis|nächsten|jeden) )?{_WEEKDAY}s?(?: (?:morning|afternoon|evening))?\b|"
    rf"\b(?:early |late |mid-?|in )?{_MONTH}(?!\w)|\b\d{{1,2}}[:.]\d\d(?:\s?(?:am|pm|Uhr))?\b|\b\d{{1,2}}\s?(?:am|pm|Uhr)\b|"
    r"\b(?:today|tomorrow|yesterday|tonight|next week|next month|next quarter|heute|morgen|nächste Woche|Q[1-4](?: 20\d\d)?|"
    r"(?:after |in |within |nach )?(?:\d+|two|three|four|five|six|seven|eight|nine|ten|twelve|thirty) (?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|Minuten|Stunden|Tagen?|Wochen))\b"
)
_SMALL = (
    r"(?:(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-(?:one|two|three|four|five|six|seven|eight|nine))?|"
    r"(?:thir|four|fif|six|seven|eigh|nine)teen|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    r"hundred|thousand|million|half|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf)\b"
)
_UNIT = (
    r"(?:\s?%|\s?°C|\s(?:percent|per cent|million|billion|thousand|euros?|dollars?|pounds?|[a-zäöü]{2,20}))?"
)
_NUMBERS = re.compile(
    rf"(?:[€$£]\s?)?\b\d+(?:[.,]\d+)*{_UNIT}|\b{_SMALL}(?:(?: and |[ -]){_SMALL})*{_UNIT}", re.IGNORECASE
)
_NAMES = re.compile(
    r"\b(?:[A-ZÄÖÜ][\w'’.-]*)(?:\s(?:(?:of|de|von|van|the|al|bin|du|da)\s)*(?:[A-ZÄÖÜ][\w'’-]*|[IVX]+\b))*"
)
_AFTER = 0.5  # "ended in 1763", "costs eighty-nine": what is said of a thing mostly stands before its number
_SPEAKER = re.compile(r"^([^:\n]{1,80}): (?=\S)")


def kind_asked(question: str) -> Kind | None:
    """What kind of thing would answer the question; None when it asks for more than one word or two."""
    asked = question.casefold().strip()
    return next((kind for kind, pattern in _ASKS if pattern.search(asked)), None)


def spans(kind: Kind, text: str) -> list[str]:
    """Everything of that kind in `text`, the surest sort first (a date before "tomorrow"), else in reading order."""
    if kind == "time":
        found = [match.group() for match in _DATES.finditer(text)]
        return _unique([*found, *(match.group() for match in _NEAR_TIMES.finditer(text))])
    if kind == "number":
        return _unique(_without_function_word(match.group()) for match in _NUMBERS.finditer(text))
    return _unique(
        match.group() for match in _NAMES.finditer(text) if match.group().casefold() not in FUNCTION_WORDS
    )


def is_dated(text: str) -> bool:
    """True when a day, a month with its year or a year stands in `text`, not only "tomorrow"."""
    return _DATES.search(text) is not None


def best_span(question: str, sentence: str) -> str:
    """The thing asked for as `sentence` (or a table's row) says it; empty when it holds none, or the question does.

    >>> best_span("When did the war end?", "The war began in 1754 and ended on 10 February 1763.")
    '10 February 1763'
    """
    kind = kind_asked(question)
    if kind is None or sentence.startswith("```"):
        return ""
    sentence = sentence.rsplit("\n", 1)[-1]  # of a table, the row below its header
    speaker = _SPEAKER.match(sentence)
    said = sentence[speaker.end() :] if speaker else sentence
    asked = {stem(word) for word in words(question)}
    found = [one for one in spans(kind, said) if not {stem(word) for word in words(one)} <= asked]
    if kind == "time" and any(is_dated(one) for one in found):
        found = [one for one in found if is_dated(one)]
    return max(found, key=lambda one: _nearness(one, said, asked)).strip(" ,.;:") if found else ""


def _nearness(span: str, sentence: str, asked: set[str]) -> float:
    """How near the question's words stand, those inside most; each counts by its distance in words."""
    start = sentence.find(span)
    before, after = words(sentence[:start])[::-1], words(sentence[start + len(span) :])
    unit = sum(stem(word) in asked for word in words(span) if word not in FUNCTION_WORDS)
    return unit + sum(
        weight / (1 + distance)
        for side, weight in ((before, 1.0), (after, _AFTER))
        for distance, word in enumerate(side, start=1)
        if word not in FUNCTION_WORDS and stem(word) in asked
    )


def _without_function_word(number: str) -> str:
    """`1754 and` is 1754: a unit is a noun."""
    head, _, last = number.rpartition(" ")
    return head if head and last.casefold() in FUNCTION_WORDS else number


def _unique(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(one.strip() for one in found if one.strip()))
