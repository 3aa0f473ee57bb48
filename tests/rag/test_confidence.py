"""More signal, more confidence; the chosen point lies between an off-topic and a plain case."""

import math

import pytest

from rag.confidence import ANSWER_FROM, NO_SIGNALS, Signals, confidence


def test_value_by_hand() -> None:
    logit = -4.04 + 3.14 * 0.5 + 0.38 * 1.0 + 1.38 * 0.5 + 0.02 * 1.0 + 0.89 * 0.4
    assert confidence(Signals(0.5, 1.0, 0.5, 1.0, 0.4)) == pytest.approx(1 / (1 + math.exp(-logit)))


def test_mean_off_topic_is_refused_and_mean_right_is_answered() -> None:
    assert confidence(NO_SIGNALS) < ANSWER_FROM
    assert (
        confidence(Signals(similarity=0.31, coverage=0.33, focus=0.25, facts=0.54, passage=0.24))
        < ANSWER_FROM
    )
    assert (
        confidence(Signals(similarity=0.67, coverage=0.76, focus=0.72, facts=0.95, passage=0.58))
        > ANSWER_FROM
    )


@pytest.mark.parametrize("field", ["similarity", "coverage", "focus", "facts", "passage"])
def test_every_signal_counts_for_the_answer(field: str) -> None:
    assert confidence(Signals(**{**_plain(0.5), field: 1.0})) > confidence(Signals(**_plain(0.5)))


def _plain(value: float) -> dict[str, float]:
    return dict.fromkeys(["similarity", "coverage", "focus", "facts", "passage"], value)
