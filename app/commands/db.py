"""`imp db`: the schema of the database."""

import typer

app = typer.Typer(help="The database's schema.", no_args_is_help=True)


@app.command()
def upgrade(revision: str = typer.Argument("head", help="Revision to go to.")) -> None:
    """Bring the schema to the newest revision (or the one given)."""
    from alembic.util.exc import CommandError

    from app.session import installed_settings
    from core.db import make_engine
    from core.errors import BadInput
    from migrations import schema

    engine = make_engine(installed_settings().require_database_url())
    try:
        schema.upgrade(engine, revision)
    except CommandError as exc:
        raise BadInput(f"the schema cannot be brought to {revision!r}: {exc}") from exc
    print(f"schema is at {schema.current(engine)[0]}")


@app.command()
def check() -> None:
    """Say whether the schema is the newest one and agrees with the models; status 1 when not."""
    from alembic.util.exc import CommandError

    from app.session import installed_settings
    from core.db import make_engine
    from core.errors import ImpError
    from migrations import schema

    engine = make_engine(installed_settings().require_database_url())
    now, newest = schema.current(engine)
    if now != newest:
        raise ImpError(f"the schema is at {now}, the newest is {newest}: run `imp db upgrade`")
    try:
        schema.check(engine)
    except CommandError as exc:
        raise ImpError(f"models and migrations disagree: {exc}") from exc
    print(f"schema is at {now}, the newest; models agree")
