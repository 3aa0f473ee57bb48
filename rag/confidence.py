"""How sure is an answer, and from when on is it given? One formula and its calibration; knows no table.

A logistic regression on five signals, fitted by `python -m benchmarks.squad_refusal` (360 questions of SQuAD 2.0 dev,
half without an answer in the pages; 90 of QMSum train; 90 of SQuAD asked of meetings that cannot know), extractive
generator, MiniLM. Its curve on questions it was not fitted on:

    from   answered (right), SQuAD   refused: near misses of SQuAD   refused: off-topic
    0.15   0.97 (0.85)               0.05                            0.93
    0.25   0.95 (0.84)               0.17                            1.00
    0.40   0.72 (0.67)               0.50                            1.00
    0.50   0.46 (0.44)               0.74                            1.00

SQuAD's unanswerable questions are written to look answerable by the very paragraph that is found; these signals tell
them apart badly (area under the curve 0.62), which takes a model that reads. What nobody wrote about is refused.
"""

import math
from dataclasses import dataclass

_INTERCEPT = -4.04
_SIMILARITY_WEIGHT = 3.14
_COVERAGE_WEIGHT = 0.38
_FOCUS_WEIGHT = 1.38
_FACTS_WEIGHT = 0.02
_PASSAGE_WEIGHT = 0.89
_HELD_WEIGHT = 0.0
_KIND_WEIGHT = 0.0

# The lowest point that refuses every off-topic question: an answer that quotes and cites a near miss costs a reader
# seconds, a refusal of what is there costs the trust in the search.
ANSWER_FROM = 0.25


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of an answer before it is shown, each in about 0..1.

    `similarity`: the best cosine of an answer sentence to the question. `coverage`: share of the question's content
    words found in the answer with its titles; `focus`: the same for its best single sentence. `facts`: share of the question's names and numbers found in the cited
    evidence, 1 when it has none. `passage`: the best hit's cosine. `held`: share of the question's content words in the
    cited evidence. `kind`: 1 when the answer holds the time, number or name asked for, or none is asked for.
    """

    similarity: float
    coverage: float
    focus: float
    facts: float
    passage: float
    held: float
    kind: float


NO_SIGNALS = Signals(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def confidence(signals: Signals) -> float:
    """0..1, the share of right answers among calibration questions with such signals."""
    logit = (
        _INTERCEPT
        + _SIMILARITY_WEIGHT * signals.similarity
        + _COVERAGE_WEIGHT * signals.coverage
        + _FOCUS_WEIGHT * signals.focus
        + _FACTS_WEIGHT * signals.facts
        + _PASSAGE_WEIGHT * signals.passage
        + _HELD_WEIGHT * signals.held
        + _KIND_WEIGHT * signals.kind
    )
    return 1 / (1 + math.exp(-logit))
