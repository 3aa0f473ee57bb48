"""`imp source`: what is kept in sync."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from app.console import AsJson, show_rows

app = typer.Typer(help="What is kept in sync.", no_args_is_help=True)
COLUMNS = {
    "id": "ID", "name": "NAME", "kind": "KIND", "state": "STATE", "synced_at": "LAST SYNC", "settings": "SETTINGS",
    "error": "ERROR",
}  # fmt: skip


@app.command()
def add(
    kind: Annotated[str, typer.Argument(help="confluence (the site of CONFLUENCE_URL) or recordings.")],
    name: Annotated[str | None, typer.Option(help="Name; default: made from what it is.")] = None,
    url: Annotated[str | None, typer.Option(help="recordings: folder or bucket as an fsspec URL.")] = None,
    settings: Annotated[str | None, typer.Option(help="More settings as a JSON object.")] = None,
) -> None:
    """Add a source, or change the settings of one. Credentials stay in the environment."""
    from app.session import open_session
    from core.errors import BadInput, NotConfigured
    from workers import sources

    given = _settings(settings)
    with open_session() as (context, session):
        if kind == "confluence":
            source_id = sources.ensure_confluence_source(session, context.settings)
            if source_id is None:
                raise NotConfigured("CONFLUENCE_URL is not set")
            if name or given:
                _update(session, source_id, name, given)
        elif kind in ("slack", "files"):
            raise BadInput(f"{kind} needs no source: add confluence or recordings")
        else:
            if kind == "recordings":
                _look_at(url)
            more = {"url": url, **given} if url else given
            source_id = sources.add_source(session, name or f"{kind} {url}", kind, more)
    print(f"source {source_id}: next `imp sync`")


@app.command("list")
def list_sources(as_json: AsJson = False) -> None:
    """All sources."""
    from app.session import open_session
    from workers import sources

    with open_session() as (_, session):
        rows = [asdict(one) for one in sources.list_sources(session)]
    show_rows(rows, COLUMNS, as_json=as_json, none="no sources yet: `imp source add confluence`")


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="Name of the source.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop syncing a source; its documents are not answered from any more."""
    from app.session import open_session
    from workers import sources

    if not yes:
        typer.confirm(f"Remove {name!r} and forget its documents?", abort=True)
    with open_session() as (_, session):
        n_documents = sources.remove_source(session, name)
    print(f"removed, with {n_documents} documents")


def _update(session: Any, source_id: int, name: str | None, given: dict[str, Any]) -> None:
    from core.tables.documents import Source

    source = session.get_one(Source, source_id)
    source.name = name or source.name
    source.settings = {**source.settings, **given}


def _look_at(url: str | None) -> None:
    """Refuse what cannot be listed while the person who gave the address is still there."""
    from app.console import say
    from connectors.recordings.source import scan
    from core.errors import BadInput

    if not url:
        raise BadInput("a recordings source needs --url, such as file:///meetings or s3://bucket/meetings")
    say(f"{len(scan(url))} recordings there now")


def _settings(text: str | None) -> dict[str, Any]:
    from core.errors import BadInput

    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError as exc:
        raise BadInput("--settings is not JSON") from exc
    if not isinstance(found, dict):
        raise BadInput("--settings must be a JSON object")
    return found
