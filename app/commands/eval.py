"""`imp eval`: how good is the installed product on a set of questions whose answers are known.

Everything is loaded into an empty database made for the command, never into the installation's own.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.console import AsJson

app = typer.Typer(help="Measure the product on known questions.", no_args_is_help=True)
runs = typer.Typer(help="Load a set into an empty database and ask it.", no_args_is_help=True)
app.add_typer(runs, name="run")

Folder = Annotated[Path, typer.Argument(help="Holds SPLIT/*.json in QMSum's format.")]
Split = Annotated[str, typer.Option(help="Folder below DIR, such as `val`.")]
Dump = Annotated[Path, typer.Option(help="Write one JSON line a question (or meeting) to this file.")]
Run = Annotated[str, typer.Argument(metavar="RUN", help="Its id, `last`, `last~1`, or a file.")]
Every = Annotated[int, typer.Option(min=1, help="Take every n-th meeting (SQuAD: question) only.")]


@runs.command("qmsum")
def run_qmsum(folder: Folder, split: Split, dump: Dump, every: Every = 1, as_json: AsJson = False) -> None:
    """Ask every specific query of the split's meetings, all in one index, not naming its meeting."""
    from app.evaluation import qmsum

    rows: list[dict[str, Any]] = []
    _keep("qmsum", folder / split, qmsum(folder / split, dump, every=every, rows=rows), rows, as_json=as_json)


@runs.command("squad")
def run_squad(
    file: Annotated[Path, typer.Argument(help="A file in SQuAD 2.0 format, or a folder of them.")],
    dump: Dump,
    every: Every = 1,
    as_json: AsJson = False,
) -> None:
    """Ask every question of the file; each paragraph is a page."""
    from app.evaluation import squad

    rows: list[dict[str, Any]] = []
    _keep("squad", file, squad(file, dump, every=every, rows=rows), rows, as_json=as_json)


@runs.command("questions")
def run_questions(
    file: Annotated[Path, typer.Argument(help="Your questions, a JSON object a line: docs/evaluation.md.")],
    as_email: Annotated[
        str | None, typer.Option("--as", help="E-mail of the person asking; default: somebody unknown.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask your own questions of what this installation has indexed."""
    from app.evaluation import own_questions
    from app.session import open_context

    rows: list[dict[str, Any]] = []
    _keep(
        "questions",
        file,
        own_questions(open_context(), file, as_email=as_email, rows=rows),
        rows,
        as_json=as_json,
    )


@app.command("list")
def list_runs(as_json: AsJson = False) -> None:
    """The runs kept, newest first."""
    from app.console import show_rows
    from app.evaluation_runs import saved

    rows = [
        {"id": run.id, "set": run.set_name, "n": len(run.rows), "embedder": run.figures.get("embedder", ""),
         "hit_at_5": run.figures.get("hit_at_5", run.figures.get("recall_at_5", ""))}
        for run in saved(_folder())
    ]  # fmt: skip
    columns = {"id": "RUN", "set": "SET", "n": "QUESTIONS", "embedder": "EMBEDDER", "hit_at_5": "FOUND@5"}
    show_rows(rows, columns, as_json=as_json, none="no runs yet: `imp eval run --help`")


@app.command()
def compare(left: Run, right: Run, as_json: AsJson = False) -> None:
    """Two runs of one set side by side, with how sure their difference is."""
    from app.console import show_rows
    from app.evaluation_runs import compare as side_by_side
    from app.evaluation_runs import load

    rows = side_by_side(load(_folder(), left), load(_folder(), right))
    columns = {"figure": "FIGURE", "left": left, "right": right, "difference": "DIFFERENCE", "low": "LOW", "high": "HIGH",
               "better": "BETTER", "worse": "WORSE"}  # fmt: skip
    show_rows(rows, columns, as_json=as_json, none="the runs have no figure in common")


@app.command()
def report(
    runs_: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Runs by id, `last`, `last~1`, or file.")
    ],
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("evaluation.html"),
) -> None:
    """One HTML page: figures, curves, and the worst questions with what was found."""
    from app.evaluation_report import report as page
    from app.evaluation_runs import load
    from core.errors import BadInput

    html = page([load(_folder(), one) for one in runs_])
    try:
        out.write_text(html, encoding="utf-8")
    except OSError as exc:
        raise BadInput(f"{out} cannot be written: {exc.strerror}") from exc
    print(out)


@runs.command("minutes")
def run_minutes(folder: Folder, split: Split, dump: Dump, every: Every = 1, as_json: AsJson = False) -> None:
    """Draft the minutes of every meeting of the split."""
    from app.console import show_one
    from app.evaluation import drafted_minutes

    show_one(drafted_minutes(folder / split, dump, every=every), as_json=as_json)


def _folder() -> Path:
    from core.settings import load_settings

    return load_settings().imp_home / "evaluations"


def _keep(
    kind: str, path: Path, figures: dict[str, Any], rows: list[dict[str, Any]], *, as_json: bool
) -> None:
    """Keep the run and show its figures."""
    from app.console import show_one
    from app.evaluation_runs import engine_settings, save
    from core.settings import load_settings

    settings = load_settings()
    run = save(_folder(), kind, path, engine_settings(settings), figures, rows)
    show_one({"run": run.id, **figures}, as_json=as_json)
