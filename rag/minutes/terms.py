"""Sentences and blocks of sentences as vectors: the given embedder's, else tf-idf of their terms."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Embed = Callable[[list[str]], npt.NDArray[np.floating]]
MAX_TERMS = 2_000  # keeps 600 blocks within a few megabytes


def vectors(texts: Sequence[str], terms: Sequence[Sequence[str]], embed: Embed | None) -> Matrix:
    """Rows of unit length (or zero), shape `(n_texts, dim)`."""
    if embed is None or not texts:
        return _unit(tf_idf(terms)[0])
    matrix = np.asarray(embed(list(texts)), dtype=np.float32)
    if matrix.ndim != 2 or matrix.shape[0] != len(texts):
        raise ValueError(f"the embedder returned shape {matrix.shape} for {len(texts)} texts")
    return _unit(np.nan_to_num(matrix))


def tf_idf(documents: Sequence[Sequence[str]]) -> tuple[Matrix, list[str]]:
    """`(1 + ln tf) · ln(1 + n / df)` (Manning et al., Introduction to IR, 6.4), and the term of each column."""
    counts = [Counter(document) for document in documents]
    frequency = Counter(term for count in counts for term in count)
    vocabulary = [term for term, _ in frequency.most_common(MAX_TERMS)]
    column = {term: i for i, term in enumerate(vocabulary)}
    matrix = np.zeros((len(counts), len(vocabulary)), dtype=np.float32)
    for row, count in enumerate(counts):
        for term, n in count.items():
            if term in column:
                matrix[row, column[term]] = (1 + math.log(n)) * math.log(1 + len(counts) / frequency[term])
    return matrix, vocabulary


def _unit(matrix: Matrix) -> Matrix:
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit: Matrix = (matrix / np.where(norms > 0, norms, 1)).astype(np.float32)
    return unit
