"""How sure is an answer, and from when on is it given? One formula and its calibration; knows no table.

A logistic regression on five signals, fitted by `python -m benchmarks.squad_refusal` (360 questions of SQuAD 2.0 dev,
half without an answer in the pages; 90 of QMSum train; 90 of SQuAD asked of meetings that cannot know), extractive
generator, MiniLM. Its curve with candidates as `rag.ranker` orders them (231 of SQuAD 2.0 dev, which may share
questions with the 360; 50 off-topic):

    from   answered (right), SQuAD   refused: near misses of SQuAD   refused: off-topic
    0.15   0.98 (0.81)               0.04                            0.98
    0.25   0.91 (0.77)               0.24                            1.00
    0.30   0.83 (0.73)               0.32                            1.00
    0.40   0.66 (0.62)               0.54                            1.00
    0.50   0.44 (0.44)               0.79                            1.00

SQuAD's unanswerable questions are written to look answerable by the very paragraph that is found; these signals tell
them apart badly (area under the curve 0.63), which takes a model that reads. Whether the answer holds the kind of
thing asked for, and the share of the question's words in the cited passage, did not help (0.58 with both). What
nobody wrote about is refused.
"""

import math
from dataclasses import dataclass

_INTERCEPT = -4.04
_SIMILARITY_WEIGHT = 3.14
_COVERAGE_WEIGHT = 0.38
_FOCUS_WEIGHT = 1.38
_FACTS_WEIGHT = 0.02
_PASSAGE_WEIGHT = 0.89

# The lowest point that refuses every off-topic question: an answer that quotes and cites a near miss costs a reader
# seconds, a refusal of what is there costs the trust in the search.
ANSWER_FROM = 0.25


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of an answer before it is shown, each in about 0..1.

    `similarity`: the best cosine of an answer sentence to the question. `coverage`: share of the question's content
    words found in the answer with its titles; `focus`: the same for its best single sentence. `facts`: share of the question's names and numbers found in the cited
    evidence, 1 when it has none. `passage`: the best hit's cosine.
    """

    similarity: float
    coverage: float
    focus: float
    facts: float
    passage: float


NO_SIGNALS = Signals(0.0, 0.0, 0.0, 0.0, 0.0)


def confidence(signals: Signals) -> float:
    """0..1, the share of right answers among calibration questions with such signals."""
    logit = (
        _INTERCEPT
        + _SIMILARITY_WEIGHT * signals.similarity
        + _COVERAGE_WEIGHT * signals.coverage
        + _FOCUS_WEIGHT * signals.focus
        + _FACTS_WEIGHT * signals.facts
        + _PASSAGE_WEIGHT * signals.passage
    )
    return 1 / (1 + math.exp(-logit))
