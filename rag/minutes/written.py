"""A summary written by a language model, part by part; each sentence is kept only when its evidence carries it.

Knows the model by its protocol only. The parts are summed up one after the other, so a meeting may be longer than
what the model reads at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.generation import Summarizer
from rag.minutes.candidates import Candidate
from rag.minutes.support import support_of
from rag.minutes.utterances import Sentence
from rag.sentences import words
from rag.support import content_words, stem

ENOUGH_SUPPORT = 0.7
WORDS_A_PASSAGE = 80
TOKENS_A_WORD = 1.4
MAX_CALLS = 12
MAX_CARRIERS = 3
CONFIDENCE = 0.8


@dataclass(frozen=True, slots=True)
class Written:
    """`n_refused` sentences had no evidence that carried them."""

    lines: tuple[Candidate, ...]
    n_refused: int


def written(spoken: Sequence[Sentence], summarizer: Summarizer, limit: int) -> Written:
    """At most `limit` lines in spoken order. Raises core.errors.TryAgain or NeverAgain as the model does."""
    kept: list[Candidate] = []
    n_refused = 0
    for passages in _parts(_passages(spoken), summarizer.budget_tokens):
        texts = [_text(spoken, passage) for passage in passages]
        for sentence in summarizer.summarize(texts).sentences:
            cited = [i for number in sentence.evidence for i in passages[number - 1]]
            carriers = _closest(sentence.text, spoken, cited)
            support = support_of(sentence.text, [spoken[i] for i in carriers]) if carriers else 0.0
            if support >= ENOUGH_SUPPORT:
                kept.append(Candidate("summary", sentence.text, carriers, CONFIDENCE))
            else:
                n_refused += 1
    step = max(1, -(-len(kept) // limit))
    return Written(tuple(kept[::step][:limit]), n_refused)


def _passages(spoken: Sequence[Sentence]) -> list[list[int]]:
    """Sentence indices in passages of one voice, at most about WORDS_A_PASSAGE long."""
    passages: list[list[int]] = []
    n_words = 0
    for index, sentence in enumerate(spoken):
        if sentence.is_reaction:
            continue
        goes_on = passages and spoken[passages[-1][-1]].speaker == sentence.speaker
        if not goes_on or n_words + sentence.n_words > WORDS_A_PASSAGE:
            passages.append([])
            n_words = 0
        passages[-1].append(index)
        n_words += sentence.n_words
    return passages


def _parts(passages: Sequence[list[int]], budget_tokens: int) -> Iterator[list[list[int]]]:
    """Passages by what the model reads at once; of a very long meeting evenly chosen parts."""
    size = max(1, int(budget_tokens / (TOKENS_A_WORD * WORDS_A_PASSAGE / 2)))
    parts = [list(passages[start : start + size]) for start in range(0, len(passages), size)]
    step = max(1, -(-len(parts) // MAX_CALLS))
    yield from parts[::step]


def _text(spoken: Sequence[Sentence], passage: Sequence[int]) -> str:
    said = " ".join(spoken[i].text for i in passage)
    speaker = spoken[passage[0]].speaker
    return f"{speaker}: {said}" if speaker else said


def _closest(text: str, spoken: Sequence[Sentence], cited: Sequence[int]) -> tuple[int, ...]:
    """The few cited sentences that hold most of the line's words, in order."""
    left = {stem(word) for word in content_words(text)}
    chosen: list[int] = []
    while left and len(chosen) < MAX_CARRIERS:
        gains = {i: len(left & {stem(word) for word in words(spoken[i].text)}) for i in cited}
        index = max(gains, key=lambda i: (gains[i], -i), default=None)
        if index is None or not gains[index]:
            break
        chosen.append(index)
        left -= {stem(word) for word in words(spoken[index].text)}
    return tuple(sorted(chosen))
