"""A later decision repeats, changes or contradicts an earlier one, or has nothing to do with it."""

import pytest

from rag.minutes.ledger import relate

BEFORE = (
    "We decided to launch the mobile release on Monday.",
    "The warehouse scanner stays with the Berlin team.",
    "We will pay 40 euros for each returned parcel.",
)


@pytest.mark.parametrize(
    ("decision", "found"),
    [
        ("Agreed: the mobile release launches on Monday.", (0, "repeats")),
        ("We launch the mobile release on Thursday instead.", (0, "changes")),
        ("We will not launch the mobile release.", (0, "contradicts")),
        ("The warehouse scanner doesn't stay with the Berlin team.", (1, "contradicts")),
        ("We pay 60 euros for each returned parcel.", (2, "changes")),
        ("The newsletter goes out without pictures.", None),
        ("We decided on Monday.", None),
        ("", None),
    ],
)
def test_how_decisions_relate(decision: str, found: tuple[int, str] | None) -> None:
    assert relate(decision, BEFORE) == found


def test_of_several_the_nearest_and_then_the_first() -> None:
    earlier = ("We launch the mobile release on Friday.", "We launch the mobile release on Monday.")
    assert relate("We launch the mobile release on Monday.", earlier) == (0, "changes")
    assert relate("We launch it.", ()) is None
