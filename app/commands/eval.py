"""`imp eval`: how good is the installed product on a set of questions whose answers are known.

Everything is loaded into an empty database made for the command, never into the installation's own.
"""

from pathlib import Path
from typing import Annotated

import typer

from app.console import AsJson

app = typer.Typer(help="Measure the product on known questions.", no_args_is_help=True)
runs = typer.Typer(help="Load a set into an empty database and ask it.", no_args_is_help=True)
app.add_typer(runs, name="run")

Folder = Annotated[Path, typer.Argument(help="Holds SPLIT/*.json in QMSum's format.")]
Split = Annotated[str, typer.Option(help="Folder below DIR, such as `val`.")]
Dump = Annotated[Path, typer.Option(help="Write one JSON line a question (or meeting) to this file.")]
Every = Annotated[int, typer.Option(min=1, help="Take every n-th meeting (SQuAD: question) only.")]


@runs.command("qmsum")
def run_qmsum(folder: Folder, split: Split, dump: Dump, every: Every = 1, as_json: AsJson = False) -> None:
    """Ask every specific query of the split's meetings, all in one index, not naming its meeting."""
    from app.console import show_one
    from app.evaluation import qmsum

    show_one(qmsum(folder / split, dump, every=every), as_json=as_json)


@runs.command("squad")
def run_squad(
    file: Annotated[Path, typer.Argument(help="A file in SQuAD 2.0 format, or a folder of them.")],
    dump: Dump,
    every: Every = 1,
    as_json: AsJson = False,
) -> None:
    """Ask every question of the file; each paragraph is a page."""
    from app.console import show_one
    from app.evaluation import squad

    show_one(squad(file, dump, every=every), as_json=as_json)


@runs.command("minutes")
def run_minutes(folder: Folder, split: Split, dump: Dump, every: Every = 1, as_json: AsJson = False) -> None:
    """Draft the minutes of every meeting of the split."""
    from app.console import show_one
    from app.evaluation import drafted_minutes

    show_one(drafted_minutes(folder / split, dump, every=every), as_json=as_json)
