"""Sources: add, list, remove. What is secret stays in the settings and never enters the table."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connectors.confluence.client import site_url
from core import jobs
from core.errors import BadInput, NotFound
from core.settings import Settings
from core.tables.documents import Source

KINDS = ("confluence", "recordings", "slack", "files")
SECRET = re.compile(r"token|secret|password|api_?key|\bpat\b|credential", re.IGNORECASE)

TOMBSTONES = text("""
    UPDATE documents SET deleted_at = now(), status = 'deleted'
    WHERE source_id = :source_id AND deleted_at IS NULL RETURNING id
""")


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """A source for people to see."""

    id: int
    name: str
    kind: str
    state: str
    settings: dict[str, Any]
    error: str | None
    synced_at: datetime | None
    full_synced_at: datetime | None


def add_source(session: Session, name: str, kind: str, settings: dict[str, Any] | None = None) -> int:
    """Add a source, or bring the settings of the one with that name up to date. Returns its id.

    Raises:
        BadInput: unknown kind, a name taken by another kind, or settings that hold a secret.
    """
    if kind not in KINDS:
        raise BadInput(f"source kind must be one of {', '.join(KINDS)}, not {kind!r}")
    if not name.strip():
        raise BadInput("a source needs a name")
    given = settings or {}
    if held := sorted(key for key in given if SECRET.search(key)):
        raise BadInput(
            f"secrets belong into the environment, not into a source's settings: {', '.join(held)}"
        )
    statement = (
        insert(Source)
        .values(name=name.strip(), kind=kind, settings=given)
        .on_conflict_do_update(index_elements=["name"], set_={"settings": given}, where=Source.kind == kind)
        .returning(Source.id, Source.state)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        raise BadInput(f"the name {name!r} is taken by a source of another kind")
    if row.state == "removed":
        source = session.get_one(Source, row.id)
        source.state, source.cursor, source.full_synced_at, source.error = "new", {}, None, None
    return int(row.id)


def ensure_confluence_source(session: Session, settings: Settings) -> int | None:
    """The source of CONFLUENCE_URL, made if there is none. Returns its id; None when no site is configured."""
    if not settings.confluence_url:
        return None
    url = site_url(settings.confluence_url)
    given: dict[str, Any] = {"url": url}
    if settings.confluence_spaces:
        given["spaces"] = list(settings.confluence_spaces)
    found = session.execute(
        select(Source.id, Source.settings, Source.state).where(
            Source.kind == "confluence", Source.settings["url"].astext == url
        )
    ).first()
    if found is None:
        return add_source(session, f"confluence {url}", "confluence", given)
    if found.state == "removed":
        return int(found.id)
    source = session.get_one(Source, found.id)
    kept = {key: value for key, value in source.settings.items() if key != "spaces"}
    source.settings = {**kept, **given}
    return int(found.id)


def list_sources(session: Session) -> list[SourceInfo]:
    """All sources that were not removed, by name."""
    rows = session.scalars(select(Source).where(Source.state != "removed").order_by(Source.name))
    return [
        SourceInfo(
            row.id, row.name, row.kind, row.state, row.settings, row.error, row.synced_at, row.full_synced_at
        )
        for row in rows
    ]


def remove_source(session: Session, name: str) -> int:
    """Stop syncing a source and put tombstones on its documents. Returns how many documents went.

    Raises:
        NotFound: no source of that name.
    """
    source = session.scalar(select(Source).where(Source.name == name, Source.state != "removed"))
    if source is None:
        raise NotFound(f"there is no source called {name!r}")
    source.state = "removed"
    rows = session.execute(TOMBSTONES, {"source_id": source.id}).all()
    for row in rows:
        jobs.enqueue(session, "index_document", str(row.id), document_id=row.id)
    return len(rows)


def request_sync(
    session: Session,
    source_id: int,
    *,
    mode: str = "increment",
    spaces: list[str] | None = None,
    accept_deletions: bool = False,
) -> int:
    """Have a Confluence source synced. Returns the job's id.

    Args:
        mode: `increment`, `full` or `reconcile`; chosen `spaces` (keys) are always read whole, not by change.
        accept_deletions: an admin saw the diff of the alert and says that it is right.
    """
    if spaces and mode == "increment":
        mode = "full"
    if mode == "increment":
        return jobs.enqueue(session, "sync_source", str(source_id), source_id=source_id)
    key = f"{source_id}:{mode}" + (f":{','.join(sorted(spaces))}" if spaces else "")
    more: dict[str, Any] = {"spaces": sorted(spaces)} if spaces else {}
    if accept_deletions:
        more["accept_deletions"] = True
    return jobs.enqueue(session, "sync_source", key, source_id=source_id, mode=mode, **more)
