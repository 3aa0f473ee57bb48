"""The scorer against values worked out by hand, and the reader against the real files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput
from rag.evaluation import (
    EvaluationQuery,
    RankedPassage,
    answer_overlap,
    read_qmsum,
    score_retrieval,
)


def passage(document: str, first: int, last: int, n_tokens: int = 100) -> RankedPassage:
    return RankedPassage(document, first, last, n_tokens)


def test_scores_by_hand() -> None:
    query = EvaluationQuery("a", "?", ((10, 19), (30, 39)))
    second = [passage("b", 10, 19), passage("a", 15, 24), passage("a", 30, 34)]
    never = [passage("a", 0, 9), passage("b", 0, 9)]
    score = score_retrieval([(query, second), (query, never)])
    assert score.n_queries == 2
    assert score.hit_at == {1: 0.0, 5: 0.5, 10: 0.5, 20: 0.5}
    assert score.mrr_at_10 == pytest.approx(0.25)
    assert score.document_at_5 == 1.0
    assert score.turn_recall == pytest.approx((10 / 20 + 0) / 2)


def test_turn_recall_stops_at_the_budget() -> None:
    query = EvaluationQuery("a", "?", ((0, 9),))
    passages = [passage("a", 0, 4, 1_000), passage("a", 5, 9, 1_000)]
    assert score_retrieval([(query, passages)]).turn_recall == pytest.approx(0.5)
    assert score_retrieval([(query, passages)], context_tokens=2_000).turn_recall == 1.0


def test_no_query_is_no_division() -> None:
    assert score_retrieval([]).mrr_at_10 == 0.0


def test_real_meetings_are_read(shared_data: Callable[[str], Path]) -> None:
    meetings = list(read_qmsum(shared_data("qmsum/val"), every=10))
    assert len(meetings) == 4
    for meeting in meetings:
        assert meeting.queries and len(meeting.utterances) > 50
        assert all(last < len(meeting.utterances) for query in meeting.queries for _, last in query.spans)
        assert not any("{disfmarker}" in utterance.text for utterance in meeting.utterances)


def test_bad_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"meeting_transcripts": 3}')
    with pytest.raises(BadInput, match=r"m\.json"):
        list(read_qmsum(tmp_path))


def test_exact_match_and_f1_as_squad_counts_them() -> None:
    assert answer_overlap("The Normans!", ["normans", "x"]) == (1.0, 1.0)
    exact, f1 = answer_overlap("in the year 1066", ["1066"])
    assert (exact, round(f1, 3)) == (0.0, 0.5)  # one of three words right, all of one found
    assert answer_overlap("", ["1066"]) == (0.0, 0.0)
    assert answer_overlap("1066", []) == (0.0, 0.0)
