"""Two documents that say different things of what was asked."""

from datetime import UTC, datetime

from rag.conflict import Said, conflicting

QUESTION = "When does the Falcon rollout start?"


def said(document_id: int, sentence: str, month: int, title: str = "Falcon rollout") -> Said:
    return Said(document_id, sentence, title, datetime(2030, month, 1, tzinfo=UTC))


def test_two_days_contradict_and_the_newest_comes_first() -> None:
    old, new = (
        said(1, "The rollout starts on 2030-09-03.", 2),
        said(2, "Mia: We start on September tenth.", 5),
    )
    assert conflicting(QUESTION, [old, new]) == (1, 0)


def test_the_same_day_in_other_words_is_no_conflict() -> None:
    left, right = said(1, "It starts on 2030-09-10.", 2), said(2, "Mia: We start on September tenth.", 5)
    assert conflicting(QUESTION, [left, right]) == ()


def test_one_document_and_other_matters_do_not_contradict() -> None:
    first, second = said(1, "It starts on 2030-09-03.", 2), said(1, "It starts on 2030-09-10.", 2)
    assert conflicting(QUESTION, [first, second]) == ()
    other = said(2, "Lunch is on 2030-01-01.", 5, title="Canteen")
    assert conflicting(QUESTION, [first, other]) == ()
    assert conflicting("Why does the Falcon rollout start?", [first, said(2, "On 2030-09-10.", 5)]) == ()


def test_amounts_of_one_unit() -> None:
    asked = "How many seats does the bus have?"
    left, right = said(1, "The bus has 40 seats.", 1, "Bus"), said(2, "The bus has 52 seats.", 2, "Bus")
    assert conflicting(asked, [left, right]) == (1, 0)
    assert conflicting(asked, [left, said(2, "The bus seats 40 seats.", 2, "Bus")]) == ()
