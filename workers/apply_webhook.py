"""Job: what a webhook told of is done: a page read again, a status set, a door refreshed.

Webhooks only say where to look. Their bodies are not believed about content, and repeating one changes nothing.
"""

from typing import Any

from sqlalchemy.orm import Session

from core import jobs
from core.errors import NotFound
from core.running_job import RunningJob
from core.tables.documents import Source
from workers.confluence_pages import enqueue_page
from workers.context import Context

DOOR_WORDS = ("permission", "restriction")
MOVES = ("moved", "children_reordered", "copied")


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `source_id`, `event`, `content_id`, `content_type`, `page_id`, `space_key` (see `WebhookEvent`).

    Trashed, removed and restored look alike in Cloud's bodies, so each of them has the page asked for its status.
    Outcome: the jobs it became.
    """
    args = job.args
    source_id, event = int(args["source_id"]), str(args.get("event") or "")
    page_id = str(args["page_id"]) if args.get("page_id") else None
    space_key = str(args["space_key"]) if args.get("space_key") else None
    with context.factory.begin() as session:
        source = session.get(Source, source_id)
        if source is None or source.kind != "confluence" or source.state == "removed":
            raise NotFound(f"there is no Confluence source {source_id} (any more)")
        became = _enqueue(session, source_id, event, page_id, space_key)
    return {"event": event, "became": became}


def _enqueue(
    session: Session, source_id: int, event: str, page_id: str | None, space_key: str | None
) -> list[str]:
    if any(word in event for word in DOOR_WORDS):
        if event.startswith("space") and space_key:
            key = f"{source_id}:space:{space_key}"
            jobs.enqueue(session, "refresh_gates", key, source_id=source_id, space_key=space_key)
            return [f"refresh_gates {key}"]
        if page_id:
            key = f"{source_id}:page:{page_id}"
            jobs.enqueue(session, "refresh_gates", key, source_id=source_id, page_id=page_id)
            return [f"refresh_gates {key}"]
    if event.startswith(("group", "user")) or any(word in event for word in DOOR_WORDS):
        jobs.enqueue(session, "refresh_gates", str(source_id), source_id=source_id)
        return [f"refresh_gates {source_id}"]
    became = []
    if page_id:
        enqueue_page(session, source_id, page_id)
        became.append(f"sync_page {source_id}:{page_id}")
    if any(word in event for word in MOVES):
        # What stands below a moved page has other ancestors now, and other doors.
        jobs.enqueue(session, "refresh_gates", str(source_id), source_id=source_id)
        became.append(f"refresh_gates {source_id}")
    if not became:
        jobs.enqueue(session, "sync_source", str(source_id), source_id=source_id)
        became.append(f"sync_source {source_id}")
    return became
