"""How a decision relates to one made before: the same again, changed, or its opposite. Knows no table and no model.

Compared by the words that carry content: without enough of them in common two decisions are about different things,
and then nothing is said.
"""

from collections.abc import Sequence
from typing import Literal

from rag.sentences import words
from rag.support import content_words, facts, stem

Relation = Literal["repeats", "changes", "contradicts"]

LEAST_SHARED = 0.6
"""Of the shorter decision's words, numbers and days apart."""
LEAST_WORDS = 2
# fmt: off
DAYS = frozenset({
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february", "march",
    "april", "may", "june", "july", "august", "september", "october", "november", "december", "today", "tomorrow",
    "week", "month", "quarter", "year", "first", "second", "third", "next",
})
# Words by which people say that they decide, whatever it is.
DECIDING = frozenset({
    "agree", "agreed", "decide", "decided", "decision", "we", "will", "let", "okay", "then", "going", "team", "group",
    "settled", "so", "now", "instead", "anymore",
})
NEGATIONS = frozenset({"not", "no", "never", "without", "stop", "drop", "cancel", "cancelled", "against", "nor"})
# fmt: on


def relate(decision: str, earlier: Sequence[str]) -> tuple[int, Relation] | None:
    """The earlier decision this one is about, as its index with how the two relate; the nearest, of equals the first."""
    said = _about(decision)
    best, found = 0.0, None
    for index, one in enumerate(earlier):
        before = _about(one)
        fewest = min(len(said), len(before))
        shared = len(said & before) / fewest if fewest >= LEAST_WORDS else 0.0
        if shared >= LEAST_SHARED and shared > best:
            best, found = shared, index
    return None if found is None else (found, _relation(decision, earlier[found]))


def _relation(decision: str, before: str) -> Relation:
    if _is_negated(decision) != _is_negated(before):
        return "contradicts"
    return "repeats" if _values(decision) == _values(before) else "changes"


def _about(decision: str) -> set[str]:
    """Stems of what it is about: no numbers, days, negations, or words of deciding."""
    return {
        stem(word)
        for word in content_words(decision)
        if word not in DAYS | DECIDING | NEGATIONS and not any(char.isdigit() for char in word)
    }


def _values(decision: str) -> set[str]:
    """What may differ between two versions of one decision: numbers, names, days."""
    named = {fact.casefold() for fact in facts(decision)}
    return {stem(one) for one in named | (set(words(decision)) & DAYS) if one not in DECIDING}


def _is_negated(decision: str) -> bool:
    return any(word in NEGATIONS or word.replace("’", "'").endswith("n't") for word in words(decision))
