"""The fitted order of candidates: a line and a few bends over their features, read from a small file of numbers.

Knows no feature by meaning. The numbers here were fitted on QMSum train and a part of SQuAD by the same method as
`python -m benchmarks.fit_ranker`, over vectors kept outside of the product; that command writes the file anew.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WEIGHTS_FILE = Path(__file__).with_name("ranker.json")

Numbers = NDArray[np.float64]
_NUMBERS = ("mean", "spread", "linear", "bias", "out", "hidden")


@dataclass(frozen=True, slots=True)
class Ranker:
    """`z @ linear + tanh(z @ hidden + bias) @ out`, where z is `(features - mean) / spread`.

    Shapes with k features and h bends: `mean`, `spread`, `linear` `(k,)`; `hidden` `(k, h)`; `bias`, `out` `(h,)`.
    `features` names the k columns in order.
    """

    features: tuple[str, ...]
    mean: Numbers
    spread: Numbers
    linear: Numbers
    hidden: Numbers
    bias: Numbers
    out: Numbers

    def scores(self, features: Numbers) -> Numbers:
        """`(n,)` from `(n, k)`; higher is better, comparable within one search only."""
        z = (features - self.mean) / self.spread
        found: Numbers = z @ self.linear + np.tanh(z @ self.hidden + self.bias) @ self.out
        return found


@cache
def load_ranker(path: Path = WEIGHTS_FILE) -> Ranker:
    """The ranker shipped with the product, or the one in `path`."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    numbers = {name: np.array(kept[name]) for name in ("mean", "spread", "linear", "hidden", "bias", "out")}
    return Ranker(features=tuple(kept["features"]), **numbers)


def written(ranker: Ranker) -> str:
    """A ranker as `load_ranker` reads it, a line of JSON a row of numbers."""
    parts = {name: getattr(ranker, name).round(4).tolist() for name in _NUMBERS}
    rows = parts.pop("hidden")
    lines = [f'"features": {json.dumps(ranker.features)}']
    lines += [f'"{name}": {json.dumps(part)}' for name, part in parts.items()]
    lines += ['"hidden": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]"]
    return "{\n" + ",\n".join(lines) + "\n}"
