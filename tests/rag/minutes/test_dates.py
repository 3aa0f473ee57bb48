"""Due phrases against a Wednesday, each date worked out on a calendar."""

from datetime import date

import pytest

from rag.minutes.dates import Due, find_due

WEDNESDAY = date(2026, 3, 4)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("I'll send it by Friday", date(2026, 3, 6)),
        ("by Wednesday", date(2026, 3, 11)),
        ("the end of next week at the latest", date(2026, 3, 13)),
        ("by the end of the week", date(2026, 3, 6)),
        ("on the 3rd of May", date(2026, 5, 3)),
        ("May 3rd", date(2026, 5, 3)),
        ("on the 2nd of March", date(2027, 3, 2)),
        ("December 24, 2027", date(2027, 12, 24)),
        ("tomorrow morning", date(2026, 3, 5)),
        ("the day after tomorrow", date(2026, 3, 6)),
        ("this afternoon", date(2026, 3, 4)),
        ("next Tuesday", date(2026, 3, 10)),
        ("Thursday next week", date(2026, 3, 12)),
        ("in two weeks", date(2026, 3, 18)),
        ("within 10 days", date(2026, 3, 14)),
        ("before the twentieth of March", date(2026, 3, 20)),
        ("until the 12th", date(2026, 3, 12)),
        ("before the 2nd", date(2026, 4, 2)),
        ("by the end of March", date(2026, 3, 31)),
        ("the end of the month", date(2026, 3, 31)),
        ("by the end of next month", date(2026, 4, 30)),
        ("by the end of the quarter", date(2026, 3, 31)),
        ("the end of the year", date(2026, 12, 31)),
        ("by 2026-04-01", date(2026, 4, 1)),
        ("next week", None),
        ("on 30 February", None),
    ],
)
def test_english(said: str, day: date | None) -> None:
    due = find_due(said, "en", WEDNESDAY)
    assert due is not None
    assert due.day == day
    assert due.text.casefold() in said.casefold()


@pytest.mark.parametrize(
    "said",
    [
        "every second Tuesday",
        "we may do that",
        "last Friday it broke",
        "version 2.5 is out",
        "the second thing",
    ],
)
def test_what_is_no_due_date(said: str) -> None:
    assert find_due(said, "en", WEDNESDAY) is None


@pytest.mark.parametrize(
    ("language", "said", "day"),
    [
        ("de", "bis Freitag", date(2026, 3, 6)),
        ("de", "bis nächsten Montag", date(2026, 3, 9)),
        ("de", "bis zum 15. März", date(2026, 3, 15)),
        ("de", "am 15.04.", date(2026, 4, 15)),
        ("fr", "avant vendredi", date(2026, 3, 6)),
        ("fr", "le 3 mai", date(2026, 5, 3)),
        ("es", "mañana", date(2026, 3, 5)),
        ("es", "antes del 3 de mayo", date(2026, 5, 3)),
    ],
)
def test_other_languages(language: str, said: str, day: date) -> None:
    due = find_due(said, language, WEDNESDAY)
    assert due is not None and due.day == day


def test_without_a_meeting_date_the_words_are_kept_unresolved() -> None:
    due = find_due("by Friday", "en", None)
    assert due is not None and (due.text, due.day) == ("by Friday", None)


def test_next_friday_on_a_wednesday_is_ambiguous() -> None:
    due = find_due("next Friday", "en", WEDNESDAY)
    assert due is not None and due.is_ambiguous and due.day == date(2026, 3, 13)


def test_a_date_beside_a_weekday_is_the_day() -> None:
    assert find_due("by Friday, November twentieth", "en", date(2026, 11, 5)) == Due(
        "by Friday, November twentieth", date(2026, 11, 20)
    )
    assert find_due("by friday november twentieth", "en", date(2026, 11, 5)).day == date(2026, 11, 20)  # type: ignore[union-attr]
