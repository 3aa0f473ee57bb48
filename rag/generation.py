"""Evidence to sentences: what every generator promises, and free text read back as cited sentences.

Knows no generator, no table and no search; `select_generator.py` chooses one by name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rag.evidence import Evidence
from rag.sentences import split_sentences
from rag.support import is_supported

MAX_ANSWER_CHARS = 8_000
_MARKER = re.compile(r"\s*\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")


@dataclass(frozen=True, slots=True)
class GeneratedSentence:
    """One sentence (or a quoted table, list or code block) and the numbers of the evidence it cites."""

    text: str
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GeneratedAnswer:
    """Sentences in reading order; empty when the generator says that the evidence holds no answer."""

    sentences: tuple[GeneratedSentence, ...]
    engine: str


class Generator(Protocol):
    """Writes an answer from evidence only.

    `name` is shown to people and stored with the answer; `budget_tokens` is how much evidence it can read,
    in the embedder's tokens.
    """

    @property
    def name(self) -> str: ...
    @property
    def budget_tokens(self) -> int: ...

    def answer(self, question: str, evidence: Sequence[Evidence]) -> GeneratedAnswer:
        """Raises core.errors.TryAgain or NeverAgain when the engine cannot be reached or used."""


@runtime_checkable
class Summarizer(Generator, Protocol):
    """A generator that can also sum up; the extractive one cannot, minutes are told without it."""

    def summarize(self, passages: Sequence[str]) -> GeneratedAnswer:
        """A few sentences on passages of a meeting, cited by their numbers from 1.

        Raises core.errors.TryAgain or NeverAgain as `answer` does; BadInput when what came back cannot be read.
        """


def cited_sentences(text: str, evidence: Sequence[Evidence]) -> tuple[GeneratedSentence, ...]:
    """Free text of a model as sentences with citations.

    `[2]` or `[1, 3]` count for the sentence they stand in or directly after; numbers that do not exist are
    dropped. A sentence without any citation is given to the evidence that supports it best, if one does.
    """
    numbers = {block.number for block in evidence}
    sentences: list[GeneratedSentence] = []
    for line in text[:MAX_ANSWER_CHARS].splitlines():
        for raw in split_sentences(_markers_inside(line)):
            cited = tuple(
                dict.fromkeys(
                    int(number)
                    for match in _MARKER.finditer(raw)
                    for number in re.findall(r"\d+", match[1])
                    if int(number) in numbers
                )
            )
            plain = _MARKER.sub("", raw).strip()
            if plain:
                sentences.append(GeneratedSentence(plain, cited or _attributed(plain, evidence)))
    return tuple(sentences)


def attributed_sentences(text: str, passages: Sequence[str]) -> tuple[GeneratedSentence, ...]:
    """Free text of a model that cites nothing, each sentence given to the passage that supports it best, if one does."""
    found = []
    for sentence in split_sentences(text[:MAX_ANSWER_CHARS]):
        scored = [(is_supported(sentence, [one]), -number) for number, one in enumerate(passages, 1)]
        carrying = [(support.score, number) for support, number in scored if support.is_supported]
        found.append(GeneratedSentence(sentence.strip(), (-max(carrying)[1],) if carrying else ()))
    return tuple(one for one in found if one.text)


def _markers_inside(line: str) -> str:
    """`Done. [1]` becomes `Done [1].`, so that a marker stays with the sentence it follows."""
    return re.sub(r"([.!?]+)((?:\s*\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\])+)", r"\2\1", line)


def _attributed(sentence: str, evidence: Sequence[Evidence]) -> tuple[int, ...]:
    scored = [(is_supported(sentence, [block.text]), block.number) for block in evidence]
    carrying = [(support.score, -number) for support, number in scored if support.is_supported]
    return (-max(carrying)[1],) if carrying else ()
