"""A second look at the candidates of one search: what each says together with its neighbours, and who says it.

A linear score over six features, fitted on meetings; knows no table and no model, takes 2 to 5 ms for 200 candidates.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.sentences import words

Features = NDArray[np.float64]
FEATURES = ("lexical", "cosine", "near_lexical", "coverage", "pairs", "spoken")
# Maximum likelihood that a right passage comes first, 1,095 queries of QMSum train in five indexes of 32 meetings each
# (`python -m benchmarks.qmsum_rerank`). Left out by cross-validation, hit@5 and MRR@10 went from 0.621, 0.496 (fused
# scores) to 0.649, 0.532. A passage's length and its meeting's best passages added nothing that carried over to val.
WEIGHTS = np.array([2.65, 4.19, 1.1, 3.12, 3.55, 3.3])
_PAIR_GAP_CHARS = 12  # between two words of the question that stand together: an article, a comma
_LINE = re.compile(r"^([^:\n]{1,80}): ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asked:
    """The question as it was searched.

    `terms` are its words in order, each with the lexemes it was searched by; `weights` is the idf of each lexeme
    that occurs in the corpus.
    """

    text: str
    terms: tuple[tuple[str, tuple[str, ...]], ...]
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage found. `parts` is what each lexeme adds to its BM25 score; `cosine` None without a vector."""

    document_id: int
    position: int
    text: str
    speakers: tuple[str, ...]
    parts: Mapping[str, float]
    cosine: float | None


def scores(asked: Asked, candidates: Sequence[Candidate]) -> Features:
    """`(len(candidates),)`, higher is better; they compare candidates of one search only."""
    if not candidates:
        return np.zeros(0)
    found: Features = features(asked, candidates) @ WEIGHTS
    return found


def features(asked: Asked, candidates: Sequence[Candidate]) -> Features:
    """`(len(candidates), len(FEATURES))`, each in about 0..1.

    BM25 and cosine are shares of the best candidate's; `near_lexical` is the mean of the two neighbouring passages
    where these are candidates, else 0. `coverage` is the idf-weighted share of the question's lexemes in the passage or
    a neighbour, `pairs` of its neighbouring words that stand together in the passage. `spoken` is the root of the
    share of the passage that a speaker named in the question says; the name's own words then count for nothing else.
    """
    named = named_speakers(asked.text, candidates)
    weights = _weights_without(named, asked)
    near = _neighbours(candidates)
    lexical = np.array([sum(p for lexeme, p in one.parts.items() if lexeme in weights) for one in candidates])
    cosine = np.array([max(one.cosine or 0.0, 0.0) for one in candidates])
    lexical, cosine = _of_best(lexical), _of_best(cosine)
    spoken = [_share_said_by(named, one) ** 0.5 if named else 0.0 for one in candidates]
    return np.column_stack(
        [
            lexical,
            cosine,
            [sum(lexical[at] for at in around) / 2 for around in near],
            _coverage(weights, candidates, near),
            _pairs(asked, weights, candidates),
            spoken,
        ]
    )


def named_speakers(question: str, candidates: Sequence[Candidate]) -> frozenset[str]:
    """Lower-cased names of speakers of the candidates that stand in the question as whole words."""
    asked = f" {' '.join(words(question))} "
    names = {name for one in candidates for name in one.speakers}
    return frozenset(
        name.casefold() for name in names if words(name) and f" {' '.join(words(name))} " in asked
    )


def _weights_without(named: frozenset[str], asked: Asked) -> dict[str, float]:
    """Weights of the lexemes searched, without those of the names; all of them when nothing else is left."""
    name_words = {word for name in named for word in words(name)}
    dropped = {lexeme for word, lexemes in asked.terms if word in name_words for lexeme in lexemes}
    return {lexeme: w for lexeme, w in asked.weights.items() if lexeme not in dropped} or dict(asked.weights)


def _neighbours(candidates: Sequence[Candidate]) -> list[list[int]]:
    at = {(one.document_id, one.position): index for index, one in enumerate(candidates)}
    return [
        [
            at[place]
            for place in ((one.document_id, one.position - 1), (one.document_id, one.position + 1))
            if place in at
        ]
        for one in candidates
    ]


def _of_best(values: Features) -> Features:
    best = values.max(initial=0.0)
    return values / best if best > 0 else values


def _coverage(
    weights: Mapping[str, float], candidates: Sequence[Candidate], near: Sequence[Sequence[int]]
) -> list[float]:
    total = sum(weights.values())
    if not total:
        return [0.0] * len(candidates)
    shares = []
    for one, around in zip(candidates, near, strict=True):
        there = set(one.parts).union(*(candidates[at].parts for at in around))
        shares.append(sum(w for lexeme, w in weights.items() if lexeme in there) / total)
    return shares


def _pairs(asked: Asked, weights: Mapping[str, float], candidates: Sequence[Candidate]) -> list[float]:
    """Only passages that hold both lexemes are read; a word's first letters stand for its forms."""
    total = 2 * sum(weights.values())
    found = [0.0] * len(candidates)
    if not total:
        return found
    known = [(word, [one for one in lexemes if one in weights]) for word, lexemes in asked.terms]
    searched = [(word, lexemes) for word, lexemes in known if lexemes]
    for (left, left_lexemes), (right, right_lexemes) in zip(searched, searched[1:], strict=False):
        together = re.compile(
            rf"\b{re.escape(_root(left))}\w*\W(?:.{{0,{_PAIR_GAP_CHARS}}}\W)?{re.escape(_root(right))}",
            re.IGNORECASE,
        )
        weight = (weights[left_lexemes[0]] + weights[right_lexemes[0]]) / total
        for at, one in enumerate(candidates):
            if (
                any(lexeme in one.parts for lexeme in left_lexemes)
                and any(lexeme in one.parts for lexeme in right_lexemes)
                and together.search(one.text)
            ):
                found[at] += weight
    return found


def _root(word: str) -> str:
    return word if len(word) <= 4 else word[: max(4, len(word) - 3)]


def _share_said_by(named: frozenset[str], one: Candidate) -> float:
    """Share of a passage's characters in the lines of the named speakers."""
    if not any(name.casefold() in named for name in one.speakers):
        return 0.0
    lines = list(_LINE.finditer(one.text))
    said = 0
    for line, following in zip(lines, [*lines[1:], None], strict=True):
        end = following.start() if following else len(one.text)
        said += (end - line.start()) if line[1].casefold() in named else 0
    return said / max(len(one.text), 1)
