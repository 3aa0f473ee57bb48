"""A second look at the candidates of one search: what each says together with its neighbours and its document.

Features only, and the order a fitted ranker makes of them; knows no table and no model.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.ranker import load_ranker
from rag.sentences import words

Features = NDArray[np.float64]
FEATURES = (
    "lexical", "cosine", "tuned",  # of the passage itself, as shares of the best candidate's
    "near_lexical", "near_cosine", "near_tuned", "wide_lexical", "wide_tuned",  # of one, of two neighbours a side
    "coverage", "near_coverage", "document_coverage",  # idf-weighted share of the question's lexemes
    "pairs", "near_pairs",  # words of the question that stand together
    "spoken", "near_spoken", "document_spoken",  # by a person the question names
    "document_best", "document_top_3", "document_top_8", "tuned_best", "tuned_top_3", "tuned_top_8",
    "lexical_points", "tuned_cosine", "lexical_rank", "tuned_rank", "length", "document_share",
)  # fmt: skip
_POINTS_SCALE = 10.0  # BM25 of a passage that answers is 5 to 30
_RANK_OFFSET = 10.0
_FULL_LENGTH_CHARS = 1_200.0
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
    """A passage found. `parts` is what each lexeme adds to its BM25 score.

    `cosine` is to the question's vector, `tuned` to what `rag.lens` makes of it; both None without a vector.
    """

    document_id: int
    position: int
    text: str
    speakers: Sequence[str]
    parts: Mapping[str, float]
    cosine: float | None
    tuned: float | None = None


def scores(asked: Asked, candidates: Sequence[Candidate]) -> Features:
    """`(len(candidates),)`, higher is better; they compare candidates of one search only."""
    if not candidates:
        return np.zeros(0)
    return load_ranker().scores(features(asked, candidates))


def features(asked: Asked, candidates: Sequence[Candidate]) -> Features:
    """`(len(candidates), len(FEATURES))`, each in about 0..1; a neighbour or a document counts by its candidates.

    A name's own words count for nothing but `spoken` where the question names a speaker.
    """
    named = named_speakers(asked.text, candidates)
    weights = _weights_without(named, asked)
    places = _Places(candidates)
    points = np.array([sum(p for lexeme, p in one.parts.items() if lexeme in weights) for one in candidates])
    cosines = np.array([max(one.cosine or 0.0, 0.0) for one in candidates])
    tuned_cosines = np.array([max(one.cosine if one.tuned is None else one.tuned, 0.0) if one.cosine else 0.0
                              for one in candidates])  # fmt: skip
    lexical, cosine, tuned = _of_best(points), _of_best(cosines), _of_best(tuned_cosines)
    together = _of_best(lexical + 0.5 * cosine + 0.5 * tuned)
    held, idf = _held(weights, candidates)
    pairs = np.array(_pairs(asked, weights, candidates))
    spoken = np.array([_share_said_by(named, one) ** 0.5 if named else 0.0 for one in candidates])
    return np.column_stack(
        [
            lexical, cosine, tuned,
            places.near(lexical), places.near(cosine), places.near(tuned), places.wide(lexical), places.wide(tuned),
            held @ idf, places.near_any(held) @ idf, places.document_any(held) @ idf,
            pairs, places.around(pairs), spoken, places.around(spoken),
            places.document_top((spoken > 0).astype(float), 1),
            *(_of_best(places.document_top(together, n)) for n in (1, 3, 8)),
            *(_of_best(places.document_top(tuned, n)) for n in (1, 3, 8)),
            points / _POINTS_SCALE, tuned_cosines, _by_rank(points), _by_rank(tuned_cosines),
            [len(one.text) / _FULL_LENGTH_CHARS for one in candidates], places.document_share(),
        ]
    )  # fmt: skip


def named_speakers(question: str, candidates: Sequence[Candidate]) -> frozenset[str]:
    """Lower-cased names of speakers of the candidates that stand in the question as whole words."""
    asked = f" {_plain(question)} "
    names = {name for one in candidates for name in one.speakers}
    return frozenset(name.casefold() for name in names if _plain(name) and f" {_plain(name)} " in asked)


@lru_cache(4_096)
def _plain(text: str) -> str:
    """Its words alone; the same few hundred names speak in every search."""
    return " ".join(words(text))


class _Places:
    """Where candidates stand to each other: their neighbours within a document, and their documents."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        at = {(one.document_id, one.position): index for index, one in enumerate(candidates)}
        # Row i of `_steps[k]` is the candidate k positions further, or the last row, which holds zeros.
        none = len(candidates)
        self._steps = {
            step: np.array([at.get((one.document_id, one.position + step), none) for one in candidates])
            for step in (-2, -1, 1, 2)
        }
        rows: dict[int, list[int]] = defaultdict(list)
        for index, one in enumerate(candidates):
            rows[one.document_id].append(index)
        self._documents = [np.array(indexes) for indexes in rows.values()]
        self._n = none

    def near(self, values: Features) -> Features:
        """Mean of the two neighbours' values; a missing one counts as 0."""
        return (self._step(values, -1) + self._step(values, 1)) / 2

    def around(self, values: Features) -> Features:
        """Mean of the value and its two neighbours'."""
        return (values + self._step(values, -1) + self._step(values, 1)) / 3

    def wide(self, values: Features) -> Features:
        """Mean of the value and of its four nearest."""
        found: Features = values.copy()
        for step in self._steps:
            found = found + self._step(values, step)
        return found / (1 + len(self._steps))

    def near_any(self, held: Features) -> Features:
        found: Features = np.maximum(held, np.maximum(self._step(held, -1), self._step(held, 1)))
        return found

    def document_any(self, held: Features) -> Features:
        found = np.zeros_like(held)
        for rows in self._documents:
            found[rows] = held[rows].max(axis=0)
        return found

    def document_top(self, values: Features, n: int) -> Features:
        """Sum of the document's `n` best values, over `n`."""
        found = np.zeros_like(values)
        for rows in self._documents:
            found[rows] = np.sort(values[rows])[-n:].sum() / n
        return found

    def document_share(self) -> Features:
        """Which share of all candidates the document holds."""
        found = np.zeros(self._n)
        for rows in self._documents:
            found[rows] = len(rows) / self._n
        return found

    def _step(self, values: Features, step: int) -> Features:
        padded = np.concatenate([values, np.zeros_like(values[:1])])
        found: Features = padded[self._steps[step]]
        return found


def _weights_without(named: frozenset[str], asked: Asked) -> dict[str, float]:
    """Weights of the lexemes searched, without those of the names; all of them when nothing else is left."""
    name_words = {word for name in named for word in words(name)}
    dropped = {lexeme for word, lexemes in asked.terms if word in name_words for lexeme in lexemes}
    return {lexeme: w for lexeme, w in asked.weights.items() if lexeme not in dropped} or dict(asked.weights)


def _of_best(values: Features) -> Features:
    best = values.max(initial=0.0)
    return values / best if best > 0 else values


def _by_rank(values: Features) -> Features:
    """1 for the best, falling as 10 / (10 + rank); equals share the better rank."""
    ranks = np.searchsorted(np.sort(-values), -values)
    found: Features = (_RANK_OFFSET / (_RANK_OFFSET + ranks)).astype(np.float64)
    return found


def _held(weights: Mapping[str, float], candidates: Sequence[Candidate]) -> tuple[Features, Features]:
    """Which lexeme stands in which candidate `(n, n_lexemes)`, and each lexeme's share of all idf."""
    lexemes = list(weights)
    held = np.array([[float(lexeme in one.parts) for lexeme in lexemes] for one in candidates])
    held = held.reshape(len(candidates), len(lexemes))
    idf = np.array([weights[lexeme] for lexeme in lexemes])
    return held, idf / max(float(idf.sum()), 1e-9)


def _pairs(asked: Asked, weights: Mapping[str, float], candidates: Sequence[Candidate]) -> list[float]:
    """Only passages that hold both lexemes are read; a word's first letters stand for its forms."""
    total = 2 * sum(weights.values())
    found = [0.0] * len(candidates)
    if not total:
        return found
    known = [(word, [one for one in lexemes if one in weights]) for word, lexemes in asked.terms]
    searched = [(word, lexemes) for word, lexemes in known if lexemes]
    holders = {lexeme: {at for at, one in enumerate(candidates) if lexeme in one.parts} for lexeme in weights}
    for (left, left_lexemes), (right, right_lexemes) in zip(searched, searched[1:], strict=False):
        together = re.compile(
            rf"\b{re.escape(_root(left))}\w*\W(?:.{{0,{_PAIR_GAP_CHARS}}}\W)?{re.escape(_root(right))}",
            re.IGNORECASE,
        )
        weight = (weights[left_lexemes[0]] + weights[right_lexemes[0]]) / total
        hold_left, hold_right = (
            set[int]().union(*(holders[lexeme] for lexeme in side)) for side in (left_lexemes, right_lexemes)
        )
        for at in hold_left & hold_right:
            if together.search(candidates[at].text):
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
