"""Which questions share a confirmed answer, and which only look alike."""

import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from rag.embedding import load_embedder
from rag.same_question import LEAST_SIMILAR, is_same_question, question_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Why was the Kestrel launch moved?", "why was the kestrel launch  moved"),
        ("When does the Berlin office open?", "When does the office in Berlin open?"),
        ("Which court is the highest one?", "What court is the highest one?"),
    ],
)
def test_the_same(one: str, other: str) -> None:
    assert is_same_question(one, other, 0.97)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What was the budget of 2023?", "What was the budget of 2024?"),
        ("Why was the Kestrel launch moved?", "Who moved the Kestrel launch?"),
        ("May guests enter?", "May guests not enter?"),
        ("What did we send to Norvik?", "What did we get from Norvik?"),
        ("What did we decide about parking?", "What did we discuss about parking?"),
        ("How many seats are there?", "How much are the seats there?"),
    ],
)
def test_not_the_same_however_alike(one: str, other: str) -> None:
    assert not is_same_question(one, other, 0.999)


def test_other_words_of_the_same_kind_need_nearness() -> None:
    one, other = "When does the Berlin office open?", "When does the office in Berlin open?"
    assert not is_same_question(one, other, LEAST_SIMILAR - 0.01)
    assert question_key("  Wann, bitte?! ") == "wann bitte"


def test_hardly_any_pair_of_different_questions_passes(shared_data: Callable[[str], Path]) -> None:
    articles = json.loads(shared_data("rag/squad2-dev/part.json").read_text())["data"]
    paragraphs = [one["qas"] for one in articles[0]["paragraphs"][:25]]
    asked = sorted({question["question"].strip() for group in paragraphs for question in group})
    vectors = load_embedder().embed_passages(asked)
    place = {question: at for at, question in enumerate(asked)}
    n_pairs = n_same = 0
    for group in paragraphs:
        for one, other in combinations(group, 2):
            texts = one["question"].strip(), other["question"].strip()
            answers = [{answer["text"] for answer in question["answers"]} for question in (one, other)]
            if texts[0].lower() == texts[1].lower() or answers[0] & answers[1]:
                continue
            similarity = float(np.dot(vectors[place[texts[0]]], vectors[place[texts[1]]]))
            n_pairs += 1
            n_same += is_same_question(*texts, similarity)
    assert n_pairs > 300
    assert n_same <= 1
