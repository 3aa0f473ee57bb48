"""Which turns of which meetings are worth reading: found passages joined, and what was said around them.

Knows no table: the caller brings the turns' token counts.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rag.search import Hit

# On each side of a passage found, in tokens. On QMSum train, recall of the gold turns within 1,500 tokens went from
# 0.409 (passages only) to 0.436; val, 0.325 to 0.372.
AROUND_TOKENS = 300
MAX_JOINED = 3  # passages, about 900 tokens: what one still reads as one place

TurnTokens = Callable[[int], Sequence[int]]
"""Tokens of every utterance of a document, by its id."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The utterances `first..last` (inclusive) of one document."""

    document_id: int
    first: int
    last: int


def joined(hits: Sequence[Hit]) -> list[tuple[Hit, ...]]:
    """Neighbouring passages as one place of at most three, in reading order; places in the order of their best hit."""
    places: list[list[Hit]] = []
    for hit in hits:
        near = (place for place in places if len(place) < MAX_JOINED and _touches(place, hit))
        place = next(near, None)
        if place is None:
            places.append([hit])
        else:
            place.append(hit)
    return [tuple(sorted(place, key=lambda hit: hit.position)) for place in places]


def stretches(
    hits: Sequence[Hit], turn_tokens: TurnTokens, *, budget_tokens: int, around_tokens: int = AROUND_TOKENS
) -> list[Stretch]:
    """Turns to read, the stretch around the best hit first; no turn twice, together within the budget.

    Each passage is taken with what was said around it. What does not fit is cut at a turn's border; hits without
    positions (pages) are passed over.
    """
    taken: dict[int, set[int]] = {}
    left = budget_tokens
    for hit in hits:
        if hit.first_position is None or hit.last_position is None:
            continue
        tokens = turn_tokens(hit.document_id)
        mine = taken.setdefault(hit.document_id, set())
        for turn in _with_surroundings(hit.first_position, hit.last_position, tokens, around_tokens):
            if turn in mine:
                continue
            if tokens[turn] > left:
                return _runs(taken)
            mine.add(turn)
            left -= tokens[turn]
    return _runs(taken)


def _touches(place: Sequence[Hit], hit: Hit) -> bool:
    return any(
        other.document_id == hit.document_id and abs(other.position - hit.position) == 1 for other in place
    )


def _with_surroundings(first: int, last: int, tokens: Sequence[int], around_tokens: int) -> Iterable[int]:
    """The passage's turns, then those after it, then those before it, nearest first."""
    yield from range(first, min(last, len(tokens) - 1) + 1)
    yield from _within(range(last + 1, len(tokens)), tokens, around_tokens)
    yield from _within(range(first - 1, -1, -1), tokens, around_tokens)


def _within(turns: Iterable[int], tokens: Sequence[int], budget: int) -> Iterable[int]:
    for turn in turns:
        budget -= tokens[turn]
        if budget < 0:
            return
        yield turn


def _runs(taken: dict[int, set[int]]) -> list[Stretch]:
    """Runs of neighbouring turns, documents in the order they were first taken."""
    runs: list[Stretch] = []
    for document_id, turns in taken.items():
        for turn in sorted(turns):
            if runs and runs[-1].document_id == document_id and runs[-1].last == turn - 1:
                runs[-1] = Stretch(document_id, runs[-1].first, turn)
            else:
                runs.append(Stretch(document_id, turn, turn))
    return runs
