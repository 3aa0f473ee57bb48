"""Who spoke when, laid over what was heard: each word gets the speaker of its moment; knows no engine and no file."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.transcript import Utterance, Word

# A word this close to a turn belongs to it: engines and people who write captions cut words a little differently.
NEAR_S = 0.5


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """A stretch in which one person speaks; turns of several people may overlap."""

    start_s: float
    end_s: float
    speaker: str


def turns_of(utterances: Iterable[Utterance]) -> tuple[Turn, ...]:
    """The turns a transcript with names tells of."""
    return tuple(sorted(Turn(one.start_s, one.end_s, one.speaker) for one in utterances if one.speaker))


def with_speakers(spoken: Sequence[Utterance], turns: Sequence[Turn]) -> tuple[Utterance, ...]:
    """Utterances cut where the speaker changes, each with the name of who spoke; nobody near, nobody named.

    A word belongs to the turn that covers most of it; of equal ones to who spoke before. An utterance without timed
    words is one piece. Speakers that are known already (a channel of their own) stay.
    """
    lookup = _Lookup(turns)
    told: list[Utterance] = []
    for one in spoken:
        told += [one] if one.speaker is not None else _told(one, lookup)
    return tuple(told)


class _Lookup:
    """Turns by time, for many questions about short stretches."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = sorted(turns)
        self._starts = [turn.start_s for turn in self._turns]
        # The longest turn says how far back one must look for what still goes on.
        self._longest_s = max((turn.end_s - turn.start_s for turn in self._turns), default=0.0)

    def speaker_at(self, start_s: float, end_s: float, before: str | None) -> str | None:
        first = bisect_left(self._starts, start_s - self._longest_s - NEAR_S)
        last = bisect_right(self._starts, end_s + NEAR_S)
        near = [turn for turn in self._turns[first:last] if turn.end_s >= start_s - NEAR_S]
        if not near:
            return None
        return max(
            near, key=lambda turn: (_overlap_s(turn, start_s, end_s), turn.speaker == before, turn.start_s)
        ).speaker


def _told(one: Utterance, lookup: _Lookup) -> list[Utterance]:
    if not one.words:
        return [replace(one, speaker=lookup.speaker_at(one.start_s, one.end_s, None))]
    runs: list[tuple[str | None, list[Word]]] = []
    for word in one.words:
        before = runs[-1][0] if runs else None
        speaker = lookup.speaker_at(word.start_s, word.end_s, before)
        if not runs or speaker != before:
            runs.append((speaker, []))
        runs[-1][1].append(word)
    if len(runs) == 1:
        return [replace(one, speaker=runs[0][0])]
    space = " " if " " in one.text.strip() else ""
    return [_piece(words, speaker, space) for speaker, words in runs]


def _piece(words: Sequence[Word], speaker: str | None, space: str) -> Utterance:
    known = [word.confidence for word in words if word.confidence is not None]
    return Utterance(
        words[0].start_s,
        max(word.end_s for word in words),
        space.join(word.text for word in words),
        speaker,
        sum(known) / len(known) if known else None,
        tuple(words),
    )


def _overlap_s(turn: Turn, start_s: float, end_s: float) -> float:
    """Seconds shared; negative is the gap between them, so that the nearest wins where none overlaps."""
    return min(turn.end_s, end_s) - max(turn.start_s, start_s)
