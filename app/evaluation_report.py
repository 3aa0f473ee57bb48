"""A run as one HTML page that can be mailed: figures, curves, the questions that went worst with what was found."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.evaluation_runs import Run, recall_at
from app.svg_charts import histogram, line_chart

N_WORST = 20
_PAGES = Path(__file__).with_name("pages")


def report(runs: Sequence[Run]) -> str:
    """The page of one run, or of several beside each other (the first is the one looked at closely)."""
    environment = Environment(loader=FileSystemLoader(_PAGES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("evaluation.html").render(
        runs=runs,
        figures=_figures(runs),
        charts=_charts(runs),
        worst=_worst(runs[0].rows),
        invented=[row for row in runs[0].rows if not row.get("is_answerable", True) and row.get("answer")][
            :N_WORST
        ],
    )


def _figures(runs: Sequence[Run]) -> list[tuple[str, list[Any]]]:
    names = dict.fromkeys(name for run in runs for name in run.figures)
    return [(name, [run.figures.get(name, "") for run in runs]) for name in names]


def _charts(runs: Sequence[Run]) -> list[tuple[str, str]]:
    charts = []
    curves = {run.id: [(k, recall_at(run.rows, k)) for k in range(1, 21)] for run in runs if _is_ranked(run)}
    if curves:
        chart = line_chart(curves, x="passages looked at", y="questions with a right one", y_max=1.0)
        charts.append(("Found among the first passages", chart))
    first = runs[0].rows
    for name, key in (("Question to evidence", "search_s"), ("Question to answer", "answer_s")):
        millis = sorted(1000 * row[key] for row in first if row.get(key) is not None)
        if millis:
            marks = {
                f"p{share}": millis[min(len(millis) - 1, len(millis) * share // 100)] for share in (50, 95)
            }
            charts.append((f"{name} ({runs[0].id})", histogram(millis, x="ms", y="questions", marks=marks)))
    refusals = _refusals(first)
    if refusals:
        chart = line_chart(
            refusals, x="least confidence at which an answer is given", y="share of questions", y_max=1.0
        )
        charts.append(("Answered and refused, by the threshold", chart))
    return charts


def _is_ranked(run: Run) -> bool:
    return any(row.get("is_ranked") for row in run.rows)


def _refusals(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """What other thresholds would do: answerable questions answered, unanswerable ones refused."""
    can = [
        row["confidence"]
        for row in rows
        if row.get("confidence") is not None and row.get("is_answerable", True)
    ]
    cannot = [
        row["confidence"]
        for row in rows
        if row.get("confidence") is not None and not row.get("is_answerable", True)
    ]
    if not (can and cannot):
        return {}
    steps = [at / 20 for at in range(21)]
    return {
        "answerable, answered": [(at, sum(one >= at for one in can) / len(can)) for at in steps],
        "without answer, refused": [(at, sum(one < at for one in cannot) / len(cannot)) for at in steps],
    }


def _worst(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Questions whose place was not found or came late, worst first."""
    late = [row for row in rows if row.get("is_ranked") and (row["rank"] is None or row["rank"] > 1)]
    return sorted(late, key=lambda row: -(row["rank"] or 10**6))[:N_WORST]
