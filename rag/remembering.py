"""An embedder that remembers the vectors of short texts: questions asked twice, sentences quoted before.

Knows no model; vectors are the inner embedder's own, so remembering changes nothing but time.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from rag.embedding import MAX_QUERY_CHARS, Embedder, Vectors

MAX_CHARS = 600  # longer texts are passages on their way into the index, seen once
MAX_TEXTS = 20_000  # about 30 MB of vectors at 384 dimensions

_QUERY = "query\0"  # a model may embed a question otherwise than a passage of the same words


class RememberingEmbedder:
    """Safe among threads; the least recently used text is forgotten first."""

    def __init__(self, inner: Embedder, *, max_texts: int = MAX_TEXTS) -> None:
        self._inner = inner
        self._max_texts = max_texts
        self._known: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def revision(self) -> str:
        return self._inner.revision

    @property
    def dim(self) -> int:
        return self._inner.dim

    @property
    def max_tokens(self) -> int:
        return self._inner.max_tokens

    def count_tokens(self, text: str) -> int:
        return self._inner.count_tokens(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Only what is not remembered goes through the model, in one call."""
        found = self._recall(texts)
        new = list(dict.fromkeys(text for text in texts if text not in found))
        if new:
            vectors = self._inner.embed_passages(new)
            found.update(zip(new, vectors, strict=True))
            self._remember(new, vectors)
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        stacked: Vectors = np.stack([found[text] for text in texts])
        return stacked

    def embed_query(self, text: str) -> Vectors:
        key = _QUERY + text[:MAX_QUERY_CHARS]
        found = self._recall([key])
        if key not in found:
            found[key] = self._inner.embed_query(text)
            self._remember([key], found[key][None, :])
        return found[key]

    def _recall(self, texts: Sequence[str]) -> dict[str, Vectors]:
        with self._lock:
            known = {text: self._known[text] for text in texts if text in self._known}
            for text in known:
                self._known.move_to_end(text)
        return known

    def _remember(self, texts: Sequence[str], vectors: Vectors) -> None:
        with self._lock:
            for text, vector in zip(texts, vectors, strict=True):
                if len(text) <= MAX_CHARS:
                    self._known[text] = vector.copy()
            while len(self._known) > self._max_texts:
                self._known.popitem(last=False)
