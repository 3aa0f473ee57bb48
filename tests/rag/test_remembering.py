"""A remembered vector is the model's own, costs no second call, and long texts are not kept."""

import numpy as np

from rag.embedding import HashedWordsEmbedder, Vectors
from rag.remembering import MAX_CHARS, RememberingEmbedder


class Counting(HashedWordsEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def embed_passages(self, texts: list[str]) -> Vectors:  # type: ignore[override]
        self.seen += texts
        return super().embed_passages(texts)


def test_same_vectors_and_one_call_a_text() -> None:
    inner = Counting()
    embedder = RememberingEmbedder(inner)
    texts = ["red fox", "blue whale", "red fox"]
    first, again = embedder.embed_passages(texts), embedder.embed_passages(texts)
    assert np.array_equal(first, HashedWordsEmbedder().embed_passages(texts))
    assert np.array_equal(first, again)
    assert inner.seen == ["red fox", "blue whale"]


def test_questions_and_passages_are_remembered_apart() -> None:
    inner = Counting()
    embedder = RememberingEmbedder(inner)
    embedder.embed_passages(["red fox"])
    embedder.embed_query("red fox")
    embedder.embed_query("red fox")
    assert inner.seen == ["red fox", "red fox"]


def test_passages_pass_through_and_old_texts_are_forgotten() -> None:
    inner = Counting()
    embedder = RememberingEmbedder(inner, max_texts=1)
    long = "word " * MAX_CHARS
    for text in (long, long, "a b", "c d", "a b"):
        embedder.embed_passages([text])
    assert inner.seen == [long, long, "a b", "c d", "a b"]
    assert embedder.embed_passages([]).shape == (0, inner.dim)
