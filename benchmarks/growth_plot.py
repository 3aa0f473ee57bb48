"""How the cost of a corpus grows with its size, drawn from what benchmarks.scale measured."""

from collections.abc import Mapping, Sequence

from app.svg_charts import line_chart

CURVES = {
    "p95_all_ms": "p95, ms",
    "p95_1pct_ms": "p95 behind 1 %, ms",
    "load_s": "load and index, s",
    "memory_gb": "memory, GB",
    "words_gb": "words on disk, GB",
    "vectors_gb": "vectors on disk, GB",
}


def draw(growth: Sequence[Mapping[str, float]]) -> str:
    """An SVG with one line a cost, both axes logarithmic; `growth` holds `n` and the figures of each size."""
    series = {
        shown: [(one["n"], one[name]) for one in growth if one.get(name, 0) > 0]
        for name, shown in CURVES.items()
    }
    return line_chart(
        {name: points for name, points in series.items() if points}, x="passages", y="cost", is_log=True
    )
