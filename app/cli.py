"""The command `imp`: nouns, then verbs. Loads in a blink; what a command needs is imported inside it."""

import sys

import typer

from app.commands import (
    ask,
    audit,
    db,
    demo,
    doctor,
    eval,
    glossary,
    jobs,
    minutes,
    model,
    people,
    record,
    sandbox,
    source,
    sync,
    up,
    verified,
)
from app.failures import report

app = typer.Typer(
    name="imp",
    help="One memory for a company on Confluence and Slack: answers with citations, minutes with evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(up.up)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)
app.command("sandbox")(sandbox.sandbox)
app.command("ask")(ask.ask)
app.command("audit")(audit.audit)
app.add_typer(db.app, name="db")
app.add_typer(source.app, name="source")
app.add_typer(sync.app, name="sync")
app.add_typer(record.app, name="record")
app.add_typer(minutes.app, name="minutes")
app.add_typer(glossary.app, name="glossary")
app.add_typer(verified.app, name="verified")
app.add_typer(jobs.app, name="jobs")
app.add_typer(people.app, name="people")
app.add_typer(eval.app, name="eval")
app.add_typer(model.app, name="model")


def main() -> None:
    """Entry point: a failure is one line on stderr and a status (2: configuration or usage, 1: anything else)."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as exc:  # the outer edge of every command
        sys.exit(report(exc))
