"""Spaces that are here and should not be any more, since somebody changed which are synced: closed, then removed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from connectors.confluence.facts import SpaceFacts
from workers import deletion_guard
from workers.confluence_pages import Run
from workers.documents import close, set_status

KINDS = ("page", "blogpost", "comments", "attachment")
SPACES_HERE = text("""
    SELECT DISTINCT space_key FROM documents
    WHERE source_id = :source_id AND status = 'current' AND deleted_at IS NULL AND space_key IS NOT NULL ORDER BY 1
""")


def leave_unwanted(run: Run, visible: Sequence[SpaceFacts], *, since: datetime, accept: bool) -> list[str]:
    """Close every space that is seen but not wanted; remove it when few documents go, or when an admin accepts it.

    A label that is missing from one answer would take a whole space away, so that removing it is the guard's to allow;
    closed documents come back as they were, removed ones are read again. Returns problems for admins.
    """
    unwanted = {space.key for space in visible if not run.site.wants(space)}
    source_id, problems = run.site.source_id, []
    with run.context.factory.begin() as session:
        run.job.fence(session)
        for key in session.execute(SPACES_HERE, {"source_id": source_id}).scalars().all():
            if key not in unwanted:
                continue
            verdict = deletion_guard.judge(
                session, source_id, key, KINDS, since=since, is_whole=True, accept=accept
            )
            ids = [one.id for one in verdict.missing]
            if verdict.is_credible:
                run.counts.removed += set_status(session, source_id, ids, "deleted")
                deletion_guard.close_alert(session, source_id, key)
                continue
            close(session, source_id, ids)
            deletion_guard.alert(session, source_id, key, verdict)
            problems.append(
                f"space {key} is no longer among those to sync: {len(ids)} documents are closed to everyone; "
                "`imp sync --reconcile --accept-deletions` removes them"
            )
    return problems
