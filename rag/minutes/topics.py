"""Cuts a meeting into topics where the vocabulary changes, and names each by its most telling words.

TextTiling (Hearst 1997): compare the blocks before and after every gap, cut at the deepest valleys.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.minutes import Evidence, MinutesLine
from rag.minutes.terms import Embed, Matrix, tf_idf, vectors
from rag.minutes.utterances import Sentence

BLOCK_WORDS = 60
MAX_BLOCKS = 600
WINDOW = 4  # blocks compared on each side of a gap
WORDS_A_TOPIC = 1_300  # about nine minutes of talk, so an hour gives six or seven
MIN_WORDS = 200
LABEL_TERMS = 4
FLAG_BELOW_TERMS = 3


@dataclass(frozen=True, slots=True)
class Topic:
    """Sentences `first..last` (indices, inclusive) and the words that tell them from the rest."""

    first: int
    last: int
    labels: tuple[str, ...]


def topics(spoken: Sequence[Sentence], embed: Embed | None, limit: int) -> list[Topic]:
    """Consecutive topics that cover the whole meeting; none when too little was said."""
    if sum(sentence.n_words for sentence in spoken) < MIN_WORDS or limit < 1:
        return []
    blocks = _blocks(spoken)
    starts = [0, *_borders(spoken, blocks, embed, limit)]
    spans = [
        (blocks[a][0], blocks[b - 1][-1]) for a, b in zip(starts, [*starts[1:], len(blocks)], strict=True)
    ]
    labels = _labels([spoken[first : last + 1] for first, last in spans])
    if len(spans) < 2:
        return []  # one topic is the meeting itself, and its words tell nothing that the title does not
    return [Topic(first, last, label) for (first, last), label in zip(spans, labels, strict=True) if label]


def line_of(topic: Topic, spoken: Sequence[Sentence]) -> MinutesLine:
    """ "Battery, rubber case, price" with the span of the talk it names."""
    covered = spoken[topic.first : topic.last + 1]
    text = ", ".join(topic.labels)
    return MinutesLine(
        section="topic",
        text=text[0].upper() + text[1:],
        evidence=(
            Evidence(
                min(s.first for s in covered),
                max(s.last for s in covered),
                min(s.start_s for s in covered),
                max(s.end_s for s in covered),
            ),
        ),
        support=1.0,  # every word of a label was said in its span
        is_flagged=len(topic.labels) < FLAG_BELOW_TERMS,
    )


def _blocks(spoken: Sequence[Sentence]) -> list[list[int]]:
    """Sentence indices in blocks of about equal length, at most MAX_BLOCKS of them."""
    size = max(BLOCK_WORDS, sum(sentence.n_words for sentence in spoken) // MAX_BLOCKS + 1)
    blocks: list[list[int]] = [[]]
    n_words = 0
    for index, sentence in enumerate(spoken):
        if n_words >= size:
            blocks.append([])
            n_words = 0
        blocks[-1].append(index)
        n_words += sentence.n_words
    return blocks


def _borders(
    spoken: Sequence[Sentence], blocks: list[list[int]], embed: Embed | None, limit: int
) -> list[int]:
    """Block numbers that open a new topic."""
    n_words = sum(sentence.n_words for sentence in spoken)
    wanted = min(limit, max(1, round(n_words / WORDS_A_TOPIC)) + (n_words > WORDS_A_TOPIC)) - 1
    if wanted < 1 or len(blocks) < 4:
        return []
    matrix = vectors(
        [" ".join(spoken[i].text for i in block) for block in blocks],
        [[term for i in block for term in spoken[i].terms] for block in blocks],
        embed,
    )
    depths = _depths(matrix)
    shortest = max(2, len(blocks) // (3 * (wanted + 1)))
    chosen: list[int] = []
    for gap in np.argsort(-depths, kind="stable"):
        border = int(gap) + 1
        if len(chosen) == wanted or depths[gap] <= 0:
            break
        if all(abs(border - other) >= shortest for other in (0, len(blocks), *chosen)):
            chosen.append(border)
    return sorted(chosen)


def _depths(matrix: Matrix) -> Matrix:
    """How deep the similarity falls at each gap below the peaks beside it, shape `(n_blocks - 1,)`."""
    n_gaps = len(matrix) - 1
    likeness = np.zeros(n_gaps, dtype=np.float32)
    for gap in range(n_gaps):
        before = matrix[max(0, gap + 1 - WINDOW) : gap + 1].mean(axis=0)
        after = matrix[gap + 1 : gap + 1 + WINDOW].mean(axis=0)
        norms = float(np.linalg.norm(before) * np.linalg.norm(after))
        likeness[gap] = float(before @ after) / norms if norms else 0.0
    depths = np.zeros(n_gaps, dtype=np.float32)
    for gap in range(n_gaps):
        depths[gap] = _peak(likeness, gap, -1) + _peak(likeness, gap, 1) - 2 * likeness[gap]
    return depths


def _peak(likeness: Matrix, gap: int, step: int) -> float:
    top, i = float(likeness[gap]), gap + step
    while 0 <= i < len(likeness) and likeness[i] >= top and abs(i - gap) <= 4 * WINDOW:
        top, i = float(likeness[i]), i + step
    return top


def _labels(segments: Sequence[Sequence[Sentence]]) -> list[tuple[str, ...]]:
    """The terms and word pairs that mark each segment against the others."""
    documents = [[term for sentence in segment for term in _with_pairs(sentence)] for segment in segments]
    matrix, vocabulary = tf_idf(documents)
    labels = []
    for row, document in zip(matrix, documents, strict=True):
        counts = Counter(document)
        ranked = [vocabulary[i] for i in np.argsort(-row, kind="stable")[: 12 * LABEL_TERMS] if row[i] > 0]
        ranked.sort(key=lambda term: -counts[term] * float(row[vocabulary.index(term)]))
        labels.append(_without_repeats(ranked, counts))
    return labels


def _with_pairs(sentence: Sentence) -> list[str]:
    """Terms, and pairs of terms that stand side by side in the sentence."""
    text = sentence.text.casefold()
    terms = [term for term in sentence.terms if not term[0].isdigit()]
    pairs = [f"{a} {b}" for a, b in zip(terms, terms[1:], strict=False) if a != b]
    return [*terms, *(pair for pair in pairs if pair in text)]


def _without_repeats(ranked: Sequence[str], counts: Counter[str]) -> tuple[str, ...]:
    chosen: list[str] = []
    for term in ranked:
        is_rare_pair = " " in term and counts[term] < 3
        if is_rare_pair or any(set(term.split()) & set(other.split()) for other in chosen):
            continue
        if any(term.rstrip("s") == other.rstrip("s") for other in chosen):
            continue
        pair = next(
            (p for p in ranked if " " in p and term in p.split() and counts[p] >= max(3, counts[term] / 3)),
            None,
        )
        chosen.append(pair if pair and not any(set(pair.split()) & set(o.split()) for o in chosen) else term)
        if len(chosen) == LABEL_TERMS:
            break
    return tuple(chosen)
