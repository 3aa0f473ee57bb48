"""A lens bends one model's questions and leaves every other vector alone."""

import json
from pathlib import Path

import numpy as np

from rag.embedding import DEFAULT_MODEL
from rag.lens import Lens, load_lenses, seen_through_lens, written


def lens(rank: int = 2, dim: int = 4) -> Lens:
    numbers = np.random.default_rng(0).normal(size=(2 * rank + 1, dim)).astype(np.float16).astype(np.float32)
    return Lens(dim, numbers[:rank].T.copy(), numbers[rank : 2 * rank], numbers[-1])


def test_a_bent_question_keeps_length_one() -> None:
    question = np.array([1, 0, 0, 0], dtype=np.float32)
    bent = lens().seen(question)
    by_hand = question + (question @ lens().down) @ lens().up + lens().shift
    assert np.allclose(bent, by_hand / np.linalg.norm(by_hand), atol=1e-6)


def test_another_model_and_a_question_without_vector_stay_as_they_are() -> None:
    other = np.ones(7, dtype=np.float32)
    assert seen_through_lens(other, "some-other-model") is other
    assert seen_through_lens(other, DEFAULT_MODEL) is other  # of another size
    blank = np.zeros(384, dtype=np.float32)
    assert seen_through_lens(blank, DEFAULT_MODEL) is blank


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "lens.json"
    path.write_text(json.dumps([written("mine", lens())]))
    read = load_lenses(path)["mine"]
    assert np.array_equal(read.down, lens().down) and np.array_equal(read.shift, lens().shift)


def test_the_shipped_lens_moves_a_question_but_not_far() -> None:
    question = np.random.default_rng(1).normal(size=384).astype(np.float32)
    question /= np.linalg.norm(question)
    assert 0.2 < float(question @ seen_through_lens(question, DEFAULT_MODEL)) < 0.99
