"""How the others answered a proposal or a request: accepted, firmly accepted, refused, or not at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.minutes.cues import Cues
from rag.minutes.utterances import Sentence

REACH = 5  # sentences; later words answer something else
Verdict = Literal["firm", "accept", "refuse"]


@dataclass(frozen=True, slots=True)
class Reply:
    verdict: Verdict
    index: int
    speaker: str | None


def reply_to(spoken: Sequence[Sentence], index: int, cues: Cues, *, by: str | None = None) -> Reply | None:
    """The first clear reply of somebody else (or of `by`, when named) to sentence `index`."""
    for i in following(spoken, index):
        sentence = spoken[i]
        if sentence.speaker is not None and sentence.speaker == spoken[index].speaker:
            continue
        if by is not None and sentence.speaker is not None and sentence.speaker != by:
            continue
        verdict = _verdict(sentence, cues)
        if verdict:
            return Reply(verdict, i, sentence.speaker)
        if sentence.n_words > 6 and not sentence.is_question:
            return None  # the talk moved on
    return None


def following(spoken: Sequence[Sentence], index: int, reach: int = REACH) -> Iterator[int]:
    yield from range(index + 1, min(index + 1 + reach, len(spoken)))


def _verdict(sentence: Sentence, cues: Cues) -> Verdict | None:
    if cues.refuse.search(sentence.text):
        return "refuse"
    if sentence.is_question:
        return None
    if cues.firm_accept.search(sentence.text):
        return "firm"
    return "accept" if cues.accept.search(sentence.text) else None
