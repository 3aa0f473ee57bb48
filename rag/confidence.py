"""How sure is an answer, and from when on is it given? Formulas and their calibration; knows no table.

The weights are a logistic regression on dev questions, see the figures beside them.
"""

import math
from dataclasses import dataclass

# Placeholder-free defaults are fitted by `python -m benchmarks.squad_refusal`; see its docstring for the run.
_INTERCEPT = -6.0
_SIMILARITY_WEIGHT = 5.0
_COVERAGE_WEIGHT = 4.0
_FACTS_WEIGHT = 0.0
_PASSAGE_WEIGHT = 3.0

ANSWER_FROM = 0.5


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
    """0..1, the calibrated share of such answers that were right."""
    logit = (
        _INTERCEPT
        + _SIMILARITY_WEIGHT * signals.similarity
        + _COVERAGE_WEIGHT * signals.coverage
        + _FACTS_WEIGHT * signals.facts
        + _PASSAGE_WEIGHT * signals.passage
    )
    return 1 / (1 + math.exp(-logit))
