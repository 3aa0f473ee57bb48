"""Evaluation runs kept as files: what was asked of which models, what came of it; found again and compared.

A run is one JSON file under IMP_HOME/evaluations. Knows neither the sets nor how they are asked.
"""

import hashlib
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from core.errors import BadInput, NotFound
from core.settings import Settings

PACKAGE = "intelligent-multimedia-processing"
_MATTERS = re.compile(r"embed|generat|rerank|answer|confiden|chunk|budget|search")
_N_RESAMPLES = 2_000
_SEED = 7  # the same two runs always compare the same


@dataclass(frozen=True, slots=True)
class Run:
    """One evaluation. `rows` hold a question each: `question`, `rank`, `is_ranked`, `search_s`, `answer_s`, `hits`, …"""

    id: str
    at: str
    kind: str
    set_name: str
    set_sha256: str
    settings: dict[str, Any]
    figures: dict[str, Any]
    rows: list[dict[str, Any]]


def save(
    folder: Path, kind: str, path: Path, settings: Mapping[str, Any], figures: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
) -> Run:  # fmt: skip
    """Write the run as a new file in `folder` and return it."""
    now = datetime.now(UTC)
    name = f"{now:%Y%m%d-%H%M%S-%f}-{kind}"
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(
        id=name, at=now.isoformat(timespec="seconds"), kind=kind, set_name=str(path), set_sha256=set_hash(path),
        settings=dict(settings), figures=dict(figures), rows=[dict(row) for row in rows],
    )  # fmt: skip
    draft = folder / f"{name}.part"
    draft.write_text(json.dumps(asdict(run), ensure_ascii=False, default=str))
    draft.replace(folder / f"{name}.json")
    return run


def load(folder: Path, wanted: str) -> Run:
    """The run of that id, the newest one for `last`, the one before for `last~1`; or a file's path.

    Raises:
        NotFound: there is none.
        BadInput: the file is no run.
    """
    path = Path(wanted)
    if not path.is_file():
        path = _find(folder, wanted)
    try:
        return Run(**json.loads(path.read_text()))
    except (OSError, TypeError, ValueError) as exc:
        raise BadInput(f"{path} is not a run of imp eval") from exc


def saved(folder: Path) -> list[Run]:
    """Every run, newest first."""
    return [load(folder, str(path)) for path in sorted(folder.glob("*.json"), reverse=True)]


def compare(left: Run, right: Run) -> list[dict[str, Any]]:
    """Every figure both runs have, side by side; for means over questions also how sure the difference is.

    `low` and `high` enclose the difference of hits and reciprocal ranks in 95 of 100 redraws of the questions.

    Raises:
        BadInput: the runs did not ask the same questions.
    """
    if [row["question"] for row in left.rows] != [row["question"] for row in right.rows]:
        raise BadInput(f"{left.id} and {right.id} asked different questions: compare runs of one set")
    table = []
    for name, value in left.figures.items():
        other = right.figures.get(name)
        if isinstance(value, int | float) and isinstance(other, int | float):
            table.append(
                {"figure": name, "left": value, "right": other, "difference": round(other - value, 4)}
            )
    pairs = [(a, b) for a, b in zip(left.rows, right.rows, strict=True) if a.get("is_ranked")]
    for name, score in (("hit_at_5", _hit_at_5), ("reciprocal_rank", _reciprocal_rank)):
        differences = [score(b) - score(a) for a, b in pairs]
        if differences:
            low, high = _interval(differences)
            mean = sum(differences) / len(differences)
            table.append({
                "figure": f"{name} a question", "left": round(sum(score(a) for a, _ in pairs) / len(pairs), 4),
                "right": round(sum(score(b) for _, b in pairs) / len(pairs), 4), "difference": round(mean, 4),
                "low": round(low, 4), "high": round(high, 4),
                "better": sum(one > 0 for one in differences), "worse": sum(one < 0 for one in differences),
            })  # fmt: skip
    return table


def engine_settings(settings: Settings) -> dict[str, Any]:
    """What may change an answer: the settings of models and limits, never a secret; and the version of the code."""
    shown = {
        name: getattr(settings, name)
        for name in sorted(type(settings).model_fields)
        if name.startswith("imp_")
        and _MATTERS.search(name)
        and not isinstance(getattr(settings, name), SecretStr)
    }
    return {
        **{name.upper(): value for name, value in shown.items() if value is not None},
        "version": version(PACKAGE),
    }


def set_hash(path: Path) -> str:
    """sha256 over the files of a set, so that two runs can be told to have asked the same."""
    digest = hashlib.sha256()
    files = sorted(one for one in path.rglob("*.json*") if one.is_file()) if path.is_dir() else [path]
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def recall_at(rows: Sequence[Mapping[str, Any]], k: int) -> float:
    """Share of the questions with a known place that found it among the first `k`."""
    ranked = [row for row in rows if row.get("is_ranked")]
    return (
        sum(row["rank"] is not None and row["rank"] <= k for row in ranked) / len(ranked) if ranked else 0.0
    )


def _find(folder: Path, wanted: str) -> Path:
    paths = sorted(folder.glob("*.json"), reverse=True)
    match = re.fullmatch(r"last(?:~(\d+))?", wanted)
    if match and int(match[1] or 0) < len(paths):
        return paths[int(match[1] or 0)]
    found = [path for path in paths if path.stem == wanted]
    if not found:
        there = ", ".join(path.stem for path in paths[:5]) or "none yet: `imp eval run …` makes one"
        raise NotFound(f"no evaluation {wanted!r} in {folder}; there are: {there}")
    return found[0]


def _hit_at_5(row: Mapping[str, Any]) -> float:
    return float(row["rank"] is not None and row["rank"] <= 5)


def _reciprocal_rank(row: Mapping[str, Any]) -> float:
    return 1 / row["rank"] if row["rank"] is not None and row["rank"] <= 10 else 0.0


def _interval(differences: Sequence[float]) -> tuple[float, float]:
    """Percentile bootstrap over questions (Efron & Tibshirani 1993)."""
    chance = random.Random(_SEED)
    means = sorted(
        sum(chance.choices(differences, k=len(differences))) / len(differences) for _ in range(_N_RESAMPLES)
    )
    return means[int(0.025 * _N_RESAMPLES)], means[int(0.975 * _N_RESAMPLES) - 1]
