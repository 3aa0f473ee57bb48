"""Which turns of which meetings are worth reading: found passages joined, and what was said around them.

Knows no table: the caller brings the turns' token counts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.search import Hit

# How a passage's worth fades around it, in tokens: to a third at this distance, to nothing at twice it. On 469
# questions of QMSum train, ordered by a ranker fitted on other meetings and tokens estimated from words, recall of the
# gold turns within 1,500 tokens went from 0.491 (each passage with 300 tokens a side, best first) to 0.515, val from
# 0.392 to 0.405; 150 to 500, and half as soft again, differ by less than 0.01 on train.
FADE_TOKENS = 220.0
_ENOUGH = 0.05  # of the budget: not worth filling with the shortest turns from anywhere
_SOFTNESS = 1.0  # of the share a passage gets by its score
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
    hits: Sequence[Hit], turn_tokens: TurnTokens, *, budget_tokens: int, fade_tokens: float = FADE_TOKENS
) -> list[Stretch]:
    """Turns to read, no turn twice, together within the budget; the document of the most worthy turn first.

    A turn is worth what the passages over and around it share by their scores, so passages that stand together are
    read before a lone one as good. A turn too long for the rest is passed over, as are hits without positions
    (pages).

    Args:
        fade_tokens: distance at which a passage counts a third for a turn; 0 counts its own turns only.
    """
    taken: dict[int, set[int]] = {}
    left = budget_tokens
    for document_id, turn, n_tokens in _by_worth(hits, turn_tokens, fade_tokens):
        if left < _ENOUGH * budget_tokens:
            break
        if n_tokens > left:
            continue
        taken.setdefault(document_id, set()).add(turn)
        left -= n_tokens
    return _runs(taken)


def _touches(place: Sequence[Hit], hit: Hit) -> bool:
    return any(
        other.document_id == hit.document_id and abs(other.position - hit.position) == 1 for other in place
    )


def _by_worth(
    hits: Sequence[Hit], turn_tokens: TurnTokens, fade_tokens: float
) -> Iterator[tuple[int, int, int]]:
    """(document, turn, its tokens), the most worthy first; equal ones in the order of hits, then of time."""
    spoken = [hit for hit in hits if hit.first_position is not None and hit.last_position is not None]
    best = max((hit.score for hit in spoken), default=0.0)
    worth: dict[int, NDArray[np.float64]] = {}
    tokens = {hit.document_id: np.array(turn_tokens(hit.document_id)) for hit in spoken}
    for hit in spoken:
        share = np.exp((hit.score - best) / _SOFTNESS)
        mine = worth.setdefault(hit.document_id, np.zeros(len(tokens[hit.document_id])))
        mine += share * _nearness(hit, tokens[hit.document_id], fade_tokens)
    turns = [
        (float(mine[turn]), document_id, int(turn))
        for document_id, mine in worth.items()
        for turn in np.flatnonzero(mine)
    ]
    for _, document_id, turn in sorted(turns, key=lambda one: -one[0]):
        yield document_id, turn, int(tokens[document_id][turn])


def _nearness(hit: Hit, tokens: NDArray[np.int_], fade_tokens: float) -> NDArray[np.float64]:
    """`(n_turns,)`: 1 within the passage, falling with the tokens between it and the middle of a turn."""
    before = np.concatenate([[0], np.cumsum(tokens)])
    middle = (before[:-1] + before[1:]) / 2
    n_turns = len(tokens)
    start = before[min(hit.first_position or 0, n_turns)]
    end = before[min((hit.last_position or 0) + 1, n_turns)]
    distance = np.maximum(np.maximum(start - middle, middle - end), 0.0)
    near: NDArray[np.float64] = np.where(
        distance <= 2 * fade_tokens, np.exp(-distance / max(fade_tokens, 1e-9)), 0.0
    )
    return near


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
