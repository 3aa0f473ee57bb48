"""An increment: what changed since the cursor, with an overlap, versions compared, the cursor moved on."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from connectors.confluence import reading
from connectors.confluence.reading import Changed
from workers.confluence_doors import read_space_doors
from workers.confluence_drafts import comments_id
from workers.confluence_pages import Run, enqueue_page, fetch_pages
from workers.documents import known
from workers.doors import Doors

ADVANCE = text("""
    UPDATE sources SET synced_at = now(), state = 'ready', cursor = cursor || CAST(:cursor AS jsonb),
        error = CASE WHEN state = 'ready' THEN error END
    WHERE id = :id AND state <> 'removed'
""")
COMMENTS = text("""
    SELECT parent_id, details->'comments' AS versions FROM documents
    WHERE source_id = :source_id AND kind = 'comments' AND external_id = ANY(:ids)
""")
BATCH = 100


def sync_changes(run: Run) -> list[str]:
    """Read what is newer than what is known. Returns problems for admins."""
    site = run.site
    since = _since(site.cursor.get("since"))
    zone = site.cursor.get("time_zone")
    changes = list(
        reading.changed_since(
            site.client,
            since,
            time_zone=zone if isinstance(zone, str) else None,
            space_keys=() if site.choice.labels else sorted(site.choice.keys),
            cql=str(site.settings.get("cql") or ""),
        )
    )
    problems = _unknown_spaces(run)
    for at in range(0, len(changes), BATCH):
        run.job.check()
        _apply(run, changes[at : at + BATCH])
        run.job.progress(min(at + BATCH, len(changes)), len(changes), "changes")
    newest = max((one.updated_at for one in changes if one.updated_at), default=since)
    cursor = {"since": max(since, min(newest, datetime.now(UTC))).isoformat()}
    with run.context.factory.begin() as session:
        run.job.fence(session)
        session.execute(ADVANCE, {"id": site.source_id, "cursor": json.dumps(cursor)})
    run.counts.seen += len(changes)
    return problems


def _apply(run: Run, changes: Sequence[Changed]) -> None:
    source_id = run.site.source_id
    pages = [one for one in changes if one.kind in ("page", "blogpost")]
    others = [one for one in changes if one.kind in ("comment", "attachment")]
    with run.context.factory.begin() as session:
        run.job.fence(session)
        before = known(session, source_id, [one.id for one in (*pages, *others)])
        holders = sorted({one.page_id for one in others})
        values = {"source_id": source_id, "ids": [comments_id(page_id) for page_id in holders]}
        comments = {row.parent_id: row.versions or {} for row in session.execute(COMMENTS, values)}
        for one in others:
            old = before.get(one.id)
            version = (
                comments.get(one.page_id, {}).get(one.id) if one.kind == "comment" else old and old.version
            )
            if version != one.version:
                enqueue_page(session, source_id, one.page_id)
        back = [one.id for one in pages if one.id in before and before[one.id].status != "current"]
        for page_id in back:
            enqueue_page(session, source_id, page_id)
    stale = [
        one.id
        for one in pages
        if (old := before.get(one.id)) is None or old.version != one.version or old.error is not None
    ]
    if stale:
        fetch_pages(run, stale)


def _unknown_spaces(run: Run) -> list[str]:
    """Doors of spaces that appeared since the last look; without them their pages would stay closed."""
    with run.context.factory.begin() as session:
        doors = Doors(session, run.site.source_id)
    fresh = [
        space
        for space in reading.spaces(run.site.client)
        if run.site.wants(space) and not doors.has_space(space.key)
    ]
    return read_space_doors(run.context.factory, run.site, fresh)


def _since(value: object) -> datetime:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return datetime.now(UTC) - timedelta(days=1)
