"""Documents in and out of their table, many at a time: what is new, what changed, what only moved, what is gone.

Knows no source: a connector's facts arrive here as `Draft`s. Enqueues the indexing of what needs it.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import jobs
from workers import included

# Content and what is said about it are written by one statement; an older version never replaces a newer one.
UPSERT = text("""
    INSERT INTO documents (source_id, external_id, kind, title, url, space_key, parent_id, ancestors,
        ancestor_titles, labels, author, editor, language, markdown, version, content_hash, gate_ids, included,
        status, details, error, created_at, updated_at, seen_at)
    SELECT :source_id, r.external_id, r.kind, r.title, r.url, r.space_key, r.parent_id, r.ancestors,
        r.ancestor_titles, r.labels, r.author, r.editor, r.language, r.markdown, r.version, r.content_hash,
        r.gate_ids, r.included, r.status, r.details, r.error, r.created_at, r.updated_at, clock_timestamp()
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(external_id text, kind text, title text, url text,
        space_key text, parent_id text, ancestors text[], ancestor_titles text[], labels text[], author text,
        editor text, language text, markdown text, version int, content_hash text, gate_ids int[], included text[],
        status text, details jsonb, error text, created_at timestamptz, updated_at timestamptz)
    ORDER BY r.external_id
    ON CONFLICT (source_id, external_id) DO UPDATE SET
        kind = excluded.kind, title = excluded.title, url = excluded.url, space_key = excluded.space_key,
        parent_id = excluded.parent_id, ancestors = excluded.ancestors,
        ancestor_titles = excluded.ancestor_titles, labels = excluded.labels, author = excluded.author,
        editor = excluded.editor, language = excluded.language, markdown = excluded.markdown,
        version = excluded.version, content_hash = excluded.content_hash, gate_ids = excluded.gate_ids,
        included = excluded.included, status = excluded.status, details = excluded.details, error = excluded.error,
        created_at = excluded.created_at, updated_at = excluded.updated_at, seen_at = clock_timestamp(), deleted_at = NULL
        WHERE documents.version <= excluded.version
    RETURNING id, external_id, content_hash IS DISTINCT FROM indexed_hash AS is_due
""")

# What a listing without bodies knows; the content stays as it is.
REFRESH = text("""
    UPDATE documents d SET title = r.title, url = r.url, space_key = r.space_key, parent_id = r.parent_id,
        ancestors = r.ancestors, ancestor_titles = r.ancestor_titles, labels = r.labels, status = r.status,
        gate_ids = r.gate_ids, seen_at = clock_timestamp(), deleted_at = NULL
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(external_id text, title text, url text, space_key text,
        parent_id text, ancestors text[], ancestor_titles text[], labels text[], status text, gate_ids int[])
    WHERE d.source_id = :source_id AND d.external_id = r.external_id
""")

# Comments and files stand behind the doors of their page, and are where it is.
FOLLOW_PAGE = text("""
    UPDATE documents d SET space_key = p.space_key, ancestors = p.ancestors || p.external_id,
        ancestor_titles = p.ancestor_titles || p.title, gate_ids = p.gate_ids
    FROM documents p
    WHERE p.source_id = :source_id AND p.external_id = ANY(:page_ids) AND d.source_id = p.source_id
      AND d.parent_id = p.external_id AND d.kind IN ('attachment', 'comments')
      AND (d.space_key, d.ancestors, d.ancestor_titles, d.gate_ids) IS DISTINCT FROM
          (p.space_key, p.ancestors || p.external_id, p.ancestor_titles || p.title, p.gate_ids)
""")

FAILED = text("""
    INSERT INTO documents (source_id, external_id, kind, title, url, space_key, error, seen_at)
    VALUES (:source_id, :external_id, :kind, :title, :url, :space_key, :error, clock_timestamp())
    ON CONFLICT (source_id, external_id) DO UPDATE SET error = excluded.error, seen_at = clock_timestamp()
""")

KNOWN = text("""
    SELECT id, external_id, title, url, space_key, parent_id, ancestors, ancestor_titles, labels, version,
           content_hash, gate_ids, included, status, error, deleted_at IS NOT NULL AS is_deleted,
           CAST(details->>'form' AS int) AS form
    FROM documents WHERE source_id = :source_id AND external_id = ANY(:ids)
""")

SEEN = text(
    "UPDATE documents SET seen_at = clock_timestamp() WHERE source_id = :source_id AND external_id = ANY(:ids)"
)

SET_STATUS = text("""
    UPDATE documents SET status = :status,
        deleted_at = CASE WHEN :status IN ('deleted', 'trashed') THEN coalesce(deleted_at, now()) END
    WHERE source_id = :source_id AND (external_id = ANY(:ids)
          OR parent_id = ANY(:ids) AND kind IN ('attachment', 'comments'))
    RETURNING id
""")

CLOSE = text("""
    UPDATE documents SET gate_ids = NULL
    WHERE source_id = :source_id AND (external_id = ANY(:ids)
          OR parent_id = ANY(:ids) AND kind IN ('attachment', 'comments'))
""")


@dataclass(frozen=True, slots=True)
class Draft:
    """A document as it shall be. Fields as in `core.tables.documents.Document`."""

    external_id: str
    kind: str
    title: str
    url: str
    version: int
    markdown: str = ""
    space_key: str | None = None
    parent_id: str | None = None
    ancestors: list[str] = field(default_factory=list)
    ancestor_titles: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    author: str | None = None
    editor: str | None = None
    language: str = "simple"
    content_hash: str | None = None
    gate_ids: list[int] | None = None
    included: list[str] = field(default_factory=list)
    status: str = "current"
    details: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


METADATA = (
    "title",
    "url",
    "space_key",
    "parent_id",
    "ancestors",
    "ancestor_titles",
    "labels",
    "gate_ids",
    "status",
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the table says of a document, without its text. `form`: by which converter that was made."""

    id: int
    external_id: str
    version: int
    content_hash: str | None
    error: str | None
    metadata: tuple[Any, ...]
    status: str
    is_deleted: bool
    form: int | None
    included: list[str]


@dataclass(frozen=True, slots=True)
class Saved:
    """External ids by what became of them."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


def content_hash(markdown: str) -> str:
    """Changes when the text does, and with nothing else: a rename or a move is no new content."""
    return hashlib.sha256(markdown.encode("utf-8", "replace")).hexdigest()


def known(session: Session, source_id: int, ids: Sequence[str]) -> dict[str, Known]:
    """What is known of these documents, by external id."""
    rows = session.execute(KNOWN, {"source_id": source_id, "ids": list(ids)})
    return {
        row.external_id: Known(
            id=row.id,
            external_id=row.external_id,
            version=row.version,
            content_hash=row.content_hash,
            error=row.error,
            metadata=tuple(getattr(row, name) for name in METADATA),
            status=row.status,
            is_deleted=row.is_deleted,
            form=row.form,
            included=list(row.included),
        )
        for row in rows
    }


def save(session: Session, source_id: int, drafts: Sequence[Draft]) -> Saved:
    """Write documents with their text; what is as it was is only marked as seen."""
    before = known(session, source_id, [draft.external_id for draft in drafts])
    groups: dict[str, list[Draft]] = {"added": [], "changed": [], "moved": [], "unchanged": []}
    for draft in drafts:
        groups[_what_became(draft, before.get(draft.external_id))].append(draft)
    written = [*groups["added"], *groups["changed"], *groups["moved"]]
    if written:
        rows = session.execute(UPSERT, {"source_id": source_id, "rows": _rows(written)}).all()
        for row in rows:
            if row.is_due:
                enqueue_index(session, row.id)
    mark_seen(session, source_id, [draft.external_id for draft in groups["unchanged"]])
    _follow(session, source_id, [draft.external_id for draft in written])
    included.follow(session, source_id, [draft.external_id for draft in written])
    return Saved(**{name: tuple(one.external_id for one in some) for name, some in groups.items()})


def refresh(session: Session, source_id: int, drafts: Sequence[Draft]) -> tuple[str, ...]:
    """Write what is said about documents, not their text. Returns the external ids that changed."""
    before = known(session, source_id, [draft.external_id for draft in drafts])
    moved = [
        draft
        for draft in drafts
        if (old := before.get(draft.external_id)) is not None
        and (old.is_deleted or old.metadata != _metadata(draft))
    ]
    if moved:
        session.execute(REFRESH, {"source_id": source_id, "rows": _rows(moved)})
        for draft in moved:
            if before[draft.external_id].is_deleted:
                enqueue_index(session, before[draft.external_id].id)
    same = {draft.external_id for draft in drafts} - {draft.external_id for draft in moved}
    mark_seen(session, source_id, sorted(same))
    _follow(session, source_id, [draft.external_id for draft in moved])
    included.follow(session, source_id, [draft.external_id for draft in moved])
    return tuple(draft.external_id for draft in moved)


def save_failure(
    session: Session,
    source_id: int,
    external_id: str,
    *,
    title: str,
    error: str,
    kind: str,
    space_key: str | None,
) -> None:
    """Remember why a document could not be read; what was known of it stays. A new one is closed to everyone."""
    values = {
        "source_id": source_id, "external_id": external_id, "kind": kind, "title": title or external_id,
        "url": "", "space_key": space_key, "error": error[:2000],
    }  # fmt: skip
    session.execute(FAILED, values)


def set_status(session: Session, source_id: int, ids: Sequence[str], status: str) -> int:
    """Give documents (and the comments and files of pages) a status; gone ones get a tombstone. Returns how many."""
    rows = session.execute(SET_STATUS, {"source_id": source_id, "ids": list(ids), "status": status}).all()
    for row in rows:
        enqueue_index(session, row.id)
    included.follow(session, source_id, ids)
    return len(rows)


def close(session: Session, source_id: int, ids: Sequence[str]) -> None:
    """Nobody may read these (nor the comments and files of pages) until their doors are known again."""
    if ids:
        session.execute(CLOSE, {"source_id": source_id, "ids": list(ids)})
        included.follow(session, source_id, ids)


def mark_seen(session: Session, source_id: int, ids: Sequence[str]) -> None:
    if ids:
        session.execute(SEEN, {"source_id": source_id, "ids": list(ids)})


def enqueue_index(session: Session, document_id: int) -> None:
    jobs.enqueue(session, "index_document", str(document_id), document_id=document_id)


def _follow(session: Session, source_id: int, page_ids: Sequence[str]) -> None:
    if page_ids:
        session.execute(FOLLOW_PAGE, {"source_id": source_id, "page_ids": list(page_ids)})


def _what_became(draft: Draft, old: Known | None) -> str:
    if old is None:
        return "added"
    if old.is_deleted or old.content_hash != draft.content_hash or old.error != draft.error:
        return "changed"
    is_same = (
        old.version == draft.version and old.metadata == _metadata(draft) and old.included == draft.included
    )
    return "unchanged" if is_same else "moved"


def _metadata(draft: Draft) -> tuple[Any, ...]:
    return tuple(getattr(draft, name) for name in METADATA)


def _rows(drafts: Iterable[Draft]) -> str:
    """JSON for Postgres, which takes no NUL and no lone surrogate in text."""
    written = json.dumps([asdict(draft) for draft in drafts], default=str).replace("\\u0000", "")
    return written.encode("utf-8", "replace").decode()
