"""The default generator: quotes the sentences that answer best, in the sources' own words.

Needs no model but the embedder. Tables are quoted as their best rows below the header, code as its whole block.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rag.chunking import markdown_blocks
from rag.embedding import Embedder
from rag.evidence import Evidence
from rag.generation import GeneratedAnswer, GeneratedSentence
from rag.query import understand
from rag.sentences import split_sentences, words
from rag.spans import best_span, is_dated, kind_asked
from rag.support import FUNCTION_WORDS, stem

MAX_SENTENCES = 4
# Sentences that get a vector. On 100 questions of SQuAD dev the answer was among those quoted for 0.86 of them with
# 64, 24, 16 and 12 alike; 16 take 0.4 of the time of 64.
_MAX_EMBEDDED = 16
_RELATIVE_FLOOR = 0.8  # of the best sentence's score, for a further sentence to be worth reading
_FITTING_FLOOR = 0.7  # of the best sentence's score, for one that holds the thing asked for to go before it
_TOLD_FLOOR = 0.9  # of its score, for one more of the same source once the thing asked for is told
_LEXICAL_WEIGHT = 0.5
_RANK_WEIGHT = 0.05
_PRE_RANK_WEIGHT = 0.15  # of a passage's rank among the few that get a vector
_TYPE_BONUS = 0.1
_DATE_BONUS = 0.2  # "on January 12th" answers "when", "today" mostly does not
_AROUND_WEIGHT = (
    0.3  # of words in the title, the headings and the sentences beside: "the new date is the 26th"
)
_SPEAKER_BONUS = 0.15
_QUESTION_MALUS = 0.2  # somebody asking the same is near to the question and answers nothing
_SAME = 0.6  # word overlap from which a second sentence says nothing new
_SPEAKER = re.compile(r"^([^:\n]{1,80}): (?=\S)")
_RULE = re.compile(r"^[|\s:-]+$")
# Where a page includes another, its text names that page; it says nothing itself.
_PLACEHOLDER = re.compile(r"^\*Shows the page “.*”\*$")


@dataclass(frozen=True, slots=True)
class _Unit:
    """Something that can be quoted: a sentence, a table row with its header, a code block."""

    text: str
    evidence: int
    order: int


class Extractive:
    """Picks at most four units by meaning and words, and puts them in reading order."""

    name = "extractive"
    budget_tokens = 3_000

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def answer(self, question: str, evidence: Sequence[Evidence]) -> GeneratedAnswer:
        units = list(_units(evidence))
        query = understand(question)
        lexical, around = _coverage(
            [word for word in query.words if word not in FUNCTION_WORDS], units, evidence
        )
        likely = sorted(
            range(len(units)),
            key=lambda at: (
                -lexical[at]
                - _AROUND_WEIGHT * around[at]
                - _kind_bonus(question, units[at].text)
                - _PRE_RANK_WEIGHT / units[at].evidence
            ),
        )
        likely = sorted(likely[:_MAX_EMBEDDED])
        if not likely:
            return GeneratedAnswer((), self.name)
        vectors = self._embedder.embed_passages([units[at].text for at in likely])
        similarity = vectors @ self._embedder.embed_query(query.text)
        scores = {
            at: float(cosine)
            + _LEXICAL_WEIGHT * lexical[at]
            + _AROUND_WEIGHT * around[at]
            + _RANK_WEIGHT / units[at].evidence
            + _manner(question, units[at].text)
            for at, cosine in zip(likely, np.asarray(similarity), strict=True)
        }
        chosen = _chosen(question, units, scores)
        return GeneratedAnswer(
            tuple(GeneratedSentence(unit.text, (unit.evidence,)) for unit in chosen), self.name
        )


def _chosen(question: str, units: Sequence[_Unit], scores: dict[int, float]) -> list[_Unit]:
    """The best unit and those nearly as good that say something new, grouped by source, in reading order.

    Where a time, a number or a name is asked for, a unit that holds one goes before a nearer one that holds none, and
    little but what another source says of it is added: that confirms or contradicts.
    """
    ranked = sorted(scores, key=lambda at: -scores[at])
    fitting = [at for at in ranked if _kind_bonus(question, units[at].text)]
    is_asked_for = bool(fitting) and scores[fitting[0]] >= scores[ranked[0]] * _FITTING_FLOOR
    if is_asked_for:
        ranked = fitting
    floor = scores[ranked[0]] * _RELATIVE_FLOOR
    chosen: list[_Unit] = []
    for at in ranked:
        if len(chosen) == MAX_SENTENCES or scores[at] < floor:
            break
        is_told = is_asked_for and any(units[at].evidence == other.evidence for other in chosen)
        is_told = is_told and scores[at] < scores[ranked[0]] * _TOLD_FLOOR
        if not is_told and not any(_says_same(question, units[at].text, other.text) for other in chosen):
            chosen.append(units[at])
    first = {number: rank for rank, number in reversed(list(enumerate(unit.evidence for unit in chosen)))}
    return sorted(chosen, key=lambda unit: (first[unit.evidence], unit.order))


def _units(evidence: Sequence[Evidence]) -> Iterator[_Unit]:
    order = 0
    for block in evidence:
        is_speech = any(hit.speakers or hit.start_s is not None for hit in block.hits)
        for text in _speech(block.text) if is_speech else _quotable(block.text):
            if len(words(text)) >= 3 and not _PLACEHOLDER.match(text):
                yield _Unit(text, block.number, order)
                order += 1


def _speech(text: str) -> Iterator[str]:
    """Sentences, each with its speaker's name in front."""
    speaker = ""
    for line in text.split("\n"):
        match = _SPEAKER.match(line)
        if match:
            speaker, line = match[1], line[match.end() :]
        for sentence in split_sentences(line):
            yield f"{speaker}: {sentence}" if speaker else sentence


def _quotable(text: str) -> Iterator[str]:
    for kind, block in markdown_blocks(text):
        if kind == "code":
            yield block
        elif kind == "table":
            yield from _table_rows(block)
        else:
            for line in block.split("\n"):
                yield from split_sentences(line.removeprefix("> "))


def _table_rows(table: str) -> Iterator[str]:
    rows = table.split("\n")
    has_header = len(rows) > 2 and _RULE.match(rows[1]) is not None
    header = rows[:2] if has_header else []
    for row in rows[len(header) :]:
        yield "\n".join([*header, row])


def _coverage(
    terms: Sequence[str], units: Sequence[_Unit], evidence: Sequence[Evidence]
) -> tuple[list[float], list[float]]:
    """Share of the question's words in each unit, and in what stands around it but not in itself: each 0..1.

    Rare words of this evidence count more. Around are the title with headings and the units directly beside.
    """
    stems = {stem(term) for term in terms}
    titles = {block.number: stems & _stems(block.context) for block in evidence}
    found = [stems & _stems(unit.text) for unit in units]
    frequency = Counter(word for there in found for word in there)
    weight = {word: math.log(1 + len(units) / (1 + frequency[word])) for word in stems}
    total = sum(weight.values())
    around = []
    for at, unit in enumerate(units):
        beside = [k for k in (at - 1, at + 1) if 0 <= k < len(units) and units[k].evidence == unit.evidence]
        around.append(titles[unit.evidence].union(*(found[k] for k in beside)) - found[at])

    def share(there: set[str]) -> float:
        return sum(weight[word] for word in there) / total if total else 0.0

    return [share(there) for there in found], [share(there) for there in around]


def _stems(text: str) -> set[str]:
    return {stem(word) for word in words(text)}


def _manner(question: str, text: str) -> float:
    """Bonus for the kind of thing asked for and for the person asked about; malus for a counter-question."""
    speaker = _SPEAKER.match(text)
    is_named = speaker is not None and f" {speaker[1].casefold()} " in f" {' '.join(words(question))} "
    return (
        _kind_bonus(question, text)
        + (_SPEAKER_BONUS if is_named else 0.0)
        - (_QUESTION_MALUS if text.rstrip().endswith("?") else 0.0)
    )


def _kind_bonus(question: str, text: str) -> float:
    """For a unit that holds the kind of thing asked for: a number, a time, a name the question does not say itself."""
    kind = kind_asked(question)
    if kind is None or not best_span(question, text):
        return 0.0
    return _DATE_BONUS if kind == "time" and is_dated(text) else _TYPE_BONUS


def _says_same(question: str, left: str, right: str) -> bool:
    """Nearly the same words, and the same answer where a time, a number or a name is asked for."""
    a, b = set(words(left)), set(words(right))
    is_alike = bool(a and b) and len(a & b) / min(len(a), len(b)) >= _SAME
    return is_alike and best_span(question, left) == best_span(question, right)
