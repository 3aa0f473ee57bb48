"""How commands speak: tables and sentences for people, JSON for scripts, progress on stderr."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is done, showing progress.")]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would go; change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")]


def confirm(question: str, *, yes: bool) -> None:
    """Go on only when a person says so, or said so before with `--yes`."""
    if not yes and not typer.confirm(question, err=True):
        raise typer.Abort()


def show_rows(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, as_json: bool, none: str
) -> None:
    """A table of `columns` (key -> heading), or all of each row as JSON; `none` is said when there are no rows."""
    if as_json:
        print(json.dumps(list(rows), default=plain, ensure_ascii=False, indent=2))
        return
    if not rows:
        print(none)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(key)) for key in columns))
    Console().print(table, markup=False)


def show_one(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing: `name  value` lines, or JSON."""
    if as_json:
        print(json.dumps(dict(facts), default=plain, ensure_ascii=False, indent=2))
        return
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        print(f"{name.replace('_', ' '):<{width}}  {_cell(value)}")


def say(message: str) -> None:
    """A sentence about what is going on; stdout stays free for results."""
    print(message, file=sys.stderr, flush=True)


def hint(message: str) -> None:
    """What takes a moment, said only while a person watches."""
    if sys.stderr.isatty():
        say(message)


def plain(value: object) -> Any:
    """JSON for what rows hold."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def ago(moment: datetime | None) -> str:
    """`3 min ago`."""
    if moment is None:
        return "never"
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return ago(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    if isinstance(value, dict):
        return json.dumps(value, default=plain, ensure_ascii=False) if value else ""
    return str(value)
