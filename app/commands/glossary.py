"""`imp glossary`: how the house writes its names and terms, and what they are misheard as."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.console import AsJson, show_rows

app = typer.Typer(help="Names and terms to listen for, and what they are misheard as.", no_args_is_help=True)
COLUMNS = {"term": "TERM", "heard_as": "HEARD AS", "origin": "FROM"}


@app.command()
def add(
    term: Annotated[str, typer.Argument(help="The word or name as it is to be written.")],
    heard_as: Annotated[
        list[str] | None, typer.Option(help="What engines or people make of it; repeat for each.")
    ] = None,
) -> None:
    """Listen for a term from now on, and mend recordings that have it wrong."""
    from app.session import open_session
    from workers import glossary

    with open_session() as (_, session):
        glossary.add_term(session, term, heard_as or ())
    print(f"{term!r} is in the glossary" + ("; recordings are being mended" if heard_as else ""))


@app.command("list")
def list_terms(as_json: AsJson = False) -> None:
    """All terms."""
    from app.session import open_session
    from workers import glossary

    with open_session() as (_, session):
        rows = [asdict(one) for one in glossary.list_terms(session)]
    show_rows(rows, COLUMNS, as_json=as_json, none="no terms yet: `imp glossary add TERM --heard-as WRONG`")


@app.command()
def remove(term: Annotated[str, typer.Argument(help="A term of the glossary.")]) -> None:
    """Forget a term; what it mended stays mended."""
    from app.session import open_session
    from workers import glossary

    with open_session() as (_, session):
        glossary.remove_term(session, term)
    print(f"{term!r} is forgotten")


@app.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(help="CSV: the term, then what it is misheard as.", exists=True, dir_okay=False),
    ],
) -> None:
    """Add many terms: one a line, as CSV; all of them or, when a line is wrong, none."""
    from app.session import open_session
    from workers import glossary

    with file.open("rb") as source:
        raw = source.read(glossary.MOST_IMPORT_BYTES + 1)
    with open_session() as (_, session):
        n_added = glossary.import_terms(session, raw)
    print(f"{n_added} terms imported")
