"""How every benchmark here ends: a table for people, and one JSON line for machines when `--out` names a file."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True)
class Figure:
    """One measured number. `note` says what it was measured over, or against what budget."""

    name: str
    value: float
    unit: str
    note: str = ""


def add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="append the figures to FILE as one JSON line"
    )


def finish(title: str, figures: Sequence[Figure], options: argparse.Namespace) -> None:
    """Print the table; append to `options.out` if given."""
    width = max(len(figure.name) for figure in figures)
    print(f"\n{title}\n{machine()}\n")
    for figure in figures:
        print(
            f"  {figure.name:<{width}}  {_readable(figure.value):>9} {figure.unit:<11} {figure.note}".rstrip()
        )
    if options.out is None:
        return
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python -m", _module(), *sys.argv[1:]]),
        "machine": machine(),
        "load_5_min": os.getloadavg()[1],
        "figures": [asdict(figure) for figure in figures],
    }
    with options.out.open("a") as file:
        file.write(json.dumps(line) + "\n")


def machine() -> str:
    """What the figures were measured on, in words."""
    memory_gib = psutil.virtual_memory().total / 1024**3
    return f"{_processor()}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, Python {sys.version.split()[0]}"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0..1) of `values` do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered), -int(-share * len(ordered) // 1)) - 1)]


def spread(name: str, seconds: Sequence[float], *shares: float) -> list[Figure]:
    """Percentiles of durations, in milliseconds."""
    return [
        Figure(f"{name} p{share * 100:g}", 1000 * percentile(seconds, share), "ms", f"n={len(seconds)}")
        for share in shares
    ]


def _readable(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _processor() -> str:
    facts: dict[str, Any] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    return f"{facts.get('model name', 'unknown processor')} (family {facts.get('cpu family')}, {facts.get('model')})"


def _module() -> str:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name if spec else Path(sys.argv[0]).name
