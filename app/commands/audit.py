"""`imp audit`: what admins did and were refused."""

from dataclasses import asdict
from typing import Annotated

import typer

from app.console import AsJson, show_rows

COLUMNS = {
    "at": "WHEN", "actor": "ACCOUNT", "person": "WHO", "action": "ACTION", "target": "ON", "is_allowed": "ALLOWED",
    "details": "DETAILS",
}  # fmt: skip


def audit(
    most: Annotated[int, typer.Option("--most", min=1, max=10_000, help="How many of the newest.")] = 50,
    action: Annotated[str | None, typer.Option(help="Only these, such as `admin_word`.")] = None,
    as_json: AsJson = False,
) -> None:
    """What admins did and were refused, the newest first."""
    from app.session import open_session
    from workers.audit import read

    with open_session() as (_, session):
        rows = [
            {**asdict(one), "at": one.at.isoformat(timespec="seconds")}
            for one in read(session, most=most, action=action)
        ]
    show_rows(rows, COLUMNS, as_json=as_json, none="no admin did anything yet")
