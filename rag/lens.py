"""A question's vector as a fitted correction sees it: nearer to passages that answer such questions.

A correction belongs to one version of one embedding model; for every other one the vector stays as it is. It orders
what was found and finds nothing by itself, so passages are stored and indexed as ever.
"""

import base64
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WEIGHTS_FILE = Path(__file__).with_name("lens.json")

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lens:
    """`q + q @ down @ up + shift`, length one again; `down` is `(dim, rank)`, `up` `(rank, dim)`, `shift` `(dim,)`."""

    dim: int
    down: Vectors
    up: Vectors
    shift: Vectors

    def seen(self, question: Vectors) -> Vectors:
        """`(dim,)` from `(dim,)`; zeros stay zeros, a vector of another model's size stays as it is."""
        if not question.any() or question.shape != (self.dim,):
            return question
        bent = question + question @ self.down @ self.up + self.shift
        found: Vectors = (bent / max(float(np.linalg.norm(bent)), 1e-9)).astype(np.float32)
        return found


@cache
def load_lenses(path: Path = WEIGHTS_FILE) -> dict[str, Lens]:
    """Lenses by the name of the embedding model they were fitted for."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    return {
        one["embedder"]: Lens(
            dim=one["dim"],
            down=_numbers(one["down"]).reshape(one["dim"], -1),
            up=_numbers(one["up"]).reshape(-1, one["dim"]),
            shift=_numbers(one["shift"]),
        )
        for one in kept
    }


def seen_through_lens(question: Vectors, embedder: str) -> Vectors:
    """The question's vector for ordering what was found by vectors of the model named `embedder`."""
    lens = load_lenses().get(embedder)
    return question if lens is None else lens.seen(question)


def written(embedder: str, lens: Lens) -> dict[str, object]:
    """One lens as `load_lenses` reads it: half floats in base64, 50 kB at 384 dimensions and rank 32."""
    parts = {name: getattr(lens, name) for name in ("down", "up", "shift")}
    return {"embedder": embedder, "dim": lens.dim} | {name: _text(part) for name, part in parts.items()}


def _numbers(text: str) -> Vectors:
    return np.frombuffer(base64.b64decode(text), dtype="<f2").astype(np.float32)


def _text(numbers: Vectors) -> str:
    return base64.b64encode(numbers.astype("<f2").tobytes()).decode("ascii")
