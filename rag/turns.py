"""Which turns of which meetings are worth reading, within a budget of tokens: found passages and what is around them.

Knows no table: the caller brings the turns' token counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.search import Hit


@dataclass(frozen=True, slots=True)
class Stretch:
    """The utterances `first..last` (inclusive) of one document."""

    document_id: int
    first: int
    last: int


TurnTokens = Callable[[int], Sequence[int]]
"""Tokens of every utterance of a document, by its id."""


def stretches(hits: Sequence[Hit], turn_tokens: TurnTokens, *, budget_tokens: int) -> list[Stretch]:
    """Turns to read, the stretch around the best hit first; no turn twice, together within the budget.

    A passage that does not fit is cut at a turn's border; hits without positions (pages) are passed over.
    """
    taken: dict[int, set[int]] = {}
    left = budget_tokens
    for hit in hits:
        if hit.first_position is None or hit.last_position is None:
            continue
        tokens = turn_tokens(hit.document_id)
        mine = taken.setdefault(hit.document_id, set())
        for turn in range(hit.first_position, min(hit.last_position, len(tokens) - 1) + 1):
            if turn in mine:
                continue
            if tokens[turn] > left:
                return _runs(taken)
            mine.add(turn)
            left -= tokens[turn]
    return _runs(taken)


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
