"""Text to windows of token ids, each small enough for one forward pass; knows no model, only its tokenizer.

A text longer than the window becomes several, cut between its own tokens, so that every token is seen exactly once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
MAX_BATCH_TOKENS = (
    4_096  # of padded input, 16 windows of 256: 1.1 times as fast on two cores as twice or half of it
)
MAX_BATCH_WINDOWS = 128


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of text number `owner`: `ids` with the model's special tokens, `n_tokens` without them."""

    owner: int
    ids: tuple[int, ...]
    n_tokens: int


class WindowTokenizer:
    """A copy of a fast tokenizer without truncation. Safe among threads."""

    def __init__(self, tokenizer: Any, max_tokens: int) -> None:
        """`tokenizer` is a `tokenizers.Tokenizer`; `max_tokens` is the model's window without special tokens."""
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens

    def count(self, text: str) -> int:
        """Tokens of `text`, special ones not counted."""
        return len(self._tokenizer.encode_batch_fast([encodable(text)], add_special_tokens=False)[0])

    def windows(self, texts: Sequence[str]) -> list[Window]:
        """At least one window a text, in the order of the texts; their tokens together are the text's own."""
        found = []
        encodings = self._tokenizer.encode_batch_fast(
            [encodable(text) for text in texts], add_special_tokens=False
        )
        for owner, encoding in enumerate(encodings):
            encoding.truncate(self._max_tokens)
            for part in (encoding, *encoding.overflowing):
                n_tokens = len(part)
                found.append(Window(owner, tuple(self._tokenizer.post_process(part).ids), n_tokens))
        return found


def batches(windows: Sequence[Window]) -> Iterator[list[int]]:
    """Places of windows to compute together, longest first, so that little is padding."""
    order = sorted(range(len(windows)), key=lambda at: -len(windows[at].ids))
    start = 0
    while start < len(order):
        longest = max(len(windows[order[start]].ids), 1)
        n = max(1, min(MAX_BATCH_WINDOWS, MAX_BATCH_TOKENS // longest))
        yield order[start : start + n]
        start += n


def padded(
    windows: Sequence[Window], *, pad_id: int, is_left: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids and attention mask, both `(len(windows), longest)`."""
    longest = max(len(window.ids) for window in windows)
    ids = np.full((len(windows), longest), pad_id, dtype=np.int64)
    mask = np.zeros((len(windows), longest), dtype=np.int64)
    for row, window in enumerate(windows):
        at = slice(longest - len(window.ids), longest) if is_left else slice(0, len(window.ids))
        ids[row, at] = window.ids
        mask[row, at] = 1
    return ids, mask


def pool(vectors: Vectors, windows: Sequence[Window], n_texts: int) -> Vectors:
    """Mean of each text's windows weighted by their tokens, length one again: `(n_texts, dim)`."""
    if len(windows) == n_texts:
        return normalized(vectors)
    weights = np.asarray([max(window.n_tokens, 1) for window in windows], dtype=np.float32)
    pooled = np.zeros((n_texts, vectors.shape[1]), dtype=np.float32)
    np.add.at(pooled, [window.owner for window in windows], normalized(vectors) * weights[:, None])
    return normalized(pooled)


def normalized(vectors: Vectors) -> Vectors:
    """Rows of length one; zeros stay zeros."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = (vectors / np.where(norms > 0, norms, 1)).astype(np.float32, copy=False)
    return scaled


def encodable(text: str) -> str:
    """Lone surrogates become `?`; tokenizers written in Rust refuse them."""
    return text.encode("utf-8", "replace").decode("utf-8")
