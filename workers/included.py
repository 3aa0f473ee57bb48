"""Pages whose text stands in other pages: nobody reads it there who may not read it where it comes from.

`documents.included` holds the external ids of what is shown, and `name:SPACE:title` of every page a macro names, shown
or not. Where an included page changes, or its doors do, the pages around it are closed at once and read again.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import jobs

# Whoever changes the doors of an included page holds its row: wait for that, or let it see what we wrote.
LOCK = text("""
    SELECT id FROM documents WHERE source_id = :source_id AND external_id IN (
        SELECT unnest(included) FROM documents
        WHERE source_id = :source_id AND external_id = ANY(:ids) AND included <> '{}')
    ORDER BY id FOR SHARE
""")

_CLOSE = """
    WITH around AS (
        SELECT id, external_id, gate_ids, included, details->'included' AS versions FROM documents
        WHERE source_id = :source_id AND included <> '{}' AND ({which})
    ), state AS (
        SELECT a.id, a.external_id,
            bool_or(p.gate_ids IS NULL OR p.status <> 'current' OR p.deleted_at IS NOT NULL) AS is_shut,
            bool_or(p.version > coalesce(CAST(a.versions->>p.external_id AS int), 0)
                OR NOT ('name:' || p.space_key || ':' || lower(p.title)) = ANY(a.included)) AS is_older
        FROM around a JOIN documents p ON p.source_id = :source_id AND p.external_id = ANY(a.included)
        GROUP BY a.id, a.external_id
    ), doors AS (
        SELECT a.id, array_agg(DISTINCT gate) AS gates
        FROM around a JOIN documents p ON p.source_id = :source_id AND p.external_id = ANY(a.included)
        CROSS JOIN unnest(p.gate_ids) AS gate GROUP BY a.id
    ), closed AS (
        UPDATE documents d SET gate_ids = CASE WHEN NOT s.is_shut THEN
            (SELECT array_agg(DISTINCT gate ORDER BY gate) FROM unnest(d.gate_ids || doors.gates) AS gate) END
        FROM state s LEFT JOIN doors ON doors.id = s.id
        WHERE d.id = s.id AND d.gate_ids IS NOT NULL AND (s.is_shut OR NOT doors.gates <@ d.gate_ids)
        RETURNING d.external_id
    )
    SELECT external_id FROM closed UNION SELECT external_id FROM state WHERE is_older
"""
CLOSE_AROUND = text(_CLOSE.replace("{which}", "external_id = ANY(:ids) OR included && CAST(:ids AS text[])"))
CLOSE_EVERYWHERE = text(_CLOSE.replace("{which}", "true"))

# Pages that name one of these in a macro and do not show it, though everyone who reads them may read it.
_WANTED = """
    SELECT DISTINCT d.external_id FROM documents p JOIN documents d
        ON d.source_id = p.source_id AND d.included <> '{}'
        AND d.included && ARRAY['name:' || p.space_key || ':' || lower(p.title)]
    WHERE p.source_id = :source_id AND ({which}) AND p.kind IN ('page', 'blogpost')
      AND p.status = 'current' AND p.deleted_at IS NULL AND p.gate_ids IS NOT NULL
      AND d.external_id <> p.external_id AND NOT p.external_id = ANY(d.included) AND p.gate_ids <@ d.gate_ids
"""
WANTED = text(_WANTED.replace("{which}", "p.external_id = ANY(:ids)"))
WANTED_BEHIND = text(_WANTED.replace("{which}", "p.external_id = :page_id OR :page_id = ANY(p.ancestors)"))


def name_key(space_key: str, title: str) -> str:
    """What `included` holds of a page that a macro names."""
    return f"name:{space_key}:{title.lower()}"


def follow(session: Session, source_id: int, ids: Sequence[str]) -> None:
    """These pages were written in this transaction: close what shows them too openly, and have it read again."""
    if not ids:
        return
    values = {"source_id": source_id, "ids": list(ids)}
    session.execute(LOCK, values)
    stale = {*session.execute(CLOSE_AROUND, values).scalars(), *session.execute(WANTED, values).scalars()}
    _read_again(session, source_id, stale)


def follow_doors(session: Session, source_id: int, page_id: str) -> None:
    """The restriction of a page was changed in this transaction, for all below it too: the same for them."""
    values = {"source_id": source_id, "page_id": page_id}
    stale = {
        *session.execute(CLOSE_EVERYWHERE, values).scalars(),
        *session.execute(WANTED_BEHIND, values).scalars(),
    }
    _read_again(session, source_id, stale)


def _read_again(session: Session, source_id: int, page_ids: set[str]) -> None:
    for page_id in sorted(page_ids):
        jobs.enqueue(session, "sync_page", f"{source_id}:{page_id}", source_id=source_id, page_id=page_id)
