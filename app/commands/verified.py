"""`imp verified`: answers that experts have confirmed, and taking one back."""

from typing import Annotated

import typer

from app.console import AsJson, show_rows

app = typer.Typer(help="Answers that experts have confirmed in Slack.", no_args_is_help=True)
COLUMNS = {
    "id": "ID", "question": "QUESTION", "author": "BY", "verified_at": "ON", "state": "STATE", "n_served": "SERVED",
}  # fmt: skip


@app.command("list")
def list_verified(
    every: Annotated[bool, typer.Option("--all", help="Also those that have expired.")] = False,
    as_json: AsJson = False,
) -> None:
    """What is served first, by whom, and how often it was."""
    from app.session import open_session
    from rag.verified import list_verified as listed

    with open_session() as (_, session):
        rows = listed(session, every=every)
    show_rows(
        rows,
        COLUMNS,
        as_json=as_json,
        none="no confirmed answers: experts confirm them under an answer in Slack",
    )


@app.command()
def withdraw(verified_id: Annotated[int, typer.Argument(help="ID as `imp verified list` shows it.")]) -> None:
    """Serve it no more."""
    from app.session import open_session
    from rag.verified import withdraw as taken_back

    with open_session() as (_, session):
        taken_back(session, verified_id)
    print(f"answer {verified_id} is withdrawn")
