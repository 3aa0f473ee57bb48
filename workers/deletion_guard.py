"""What is no longer listed: asked for one by one, and left alone when too much is missing at once.

A listing that is short by a fifth is more likely broken than true; an admin decides then.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from connectors.confluence.client import ConfluenceClient
from core.errors import NotFound
from workers.documents import mark_seen, set_status

logger = logging.getLogger(__name__)

MAX_SHARE = 0.2
FEW = 2
"""So many may always go: in a small space each is more than a fifth. Each is asked for by its id before."""
MAX_SHOWN = 200

MISSING = text("""
    SELECT external_id, kind, title, parent_id, seen_at < CAST(:since AS timestamptz) AS is_missing
    FROM documents
    WHERE source_id = :source_id AND space_key = :space_key AND kind = ANY(:kinds) AND status = 'current'
      AND deleted_at IS NULL
""")
RAISE_ALERT = text("""
    INSERT INTO alerts (key, message, details) VALUES (:key, :message, CAST(:details AS jsonb))
    ON CONFLICT (key) WHERE closed_at IS NULL DO UPDATE SET message = excluded.message, details = excluded.details
""")
CLOSE_ALERT = text("UPDATE alerts SET closed_at = now() WHERE key = :key AND closed_at IS NULL")


@dataclass(frozen=True, slots=True)
class Missing:
    """A document that was not listed. `page_id` is the page of an attachment or of comments."""

    id: str
    kind: str
    title: str
    page_id: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is missing, and whether it may be believed."""

    missing: tuple[Missing, ...]
    n_known: int
    is_credible: bool
    reason: str = ""


def judge(
    session: Session,
    source_id: int,
    space_key: str,
    kinds: Sequence[str],
    *,
    since: datetime,
    is_whole: bool,
    accept: bool = False,
) -> Verdict:
    """Compare what is known of a space with what was seen since `since`.

    Args:
        is_whole: False when the listing broke off or failed in part: nothing is believed then.
        accept: an admin looked at the diff and said that it is true.
    """
    values = {"source_id": source_id, "space_key": space_key, "kinds": list(kinds), "since": since}
    rows = session.execute(MISSING, values).all()
    missing = tuple(
        Missing(row.external_id, row.kind, row.title, row.parent_id) for row in rows if row.is_missing
    )
    if not is_whole:
        return Verdict(missing, len(rows), False, "the listing broke off or failed in part")
    if accept or len(missing) <= max(FEW, MAX_SHARE * len(rows)):
        return Verdict(missing, len(rows), True)
    reason = f"the listing is {len(missing)} of {len(rows)} documents shorter than what is known"
    return Verdict(missing, len(rows), False, reason)


def alert(session: Session, source_id: int, space_key: str, verdict: Verdict) -> None:
    """Raise (or bring up to date) the alert of a space, with what would have been removed."""
    logger.warning("deletion_refused", extra={"space_key": space_key, "n_missing": len(verdict.missing)})
    details = {
        "source_id": source_id,
        "space_key": space_key,
        "n_known": verdict.n_known,
        "n_missing": len(verdict.missing),
        "missing": [
            {"id": one.id, "kind": one.kind, "title": one.title} for one in verdict.missing[:MAX_SHOWN]
        ],
    }
    message = (
        f"Space {space_key}: nothing was removed, since {verdict.reason}. "
        "Look at the diff; run the sync with accepted deletions if it is right."
    )
    values = {"key": alert_key(source_id, space_key), "message": message, "details": json.dumps(details)}
    session.execute(RAISE_ALERT, values)


def close_alert(session: Session, source_id: int, space_key: str) -> None:
    session.execute(CLOSE_ALERT, {"key": alert_key(source_id, space_key)})


def tell_files(session: Session, source_id: int, page_id: str, title: str, problem: str | None) -> None:
    """Raise or close the alert of a page whose files could be listed in part only; None: they are all there."""
    key = f"files:{source_id}:{page_id}"
    if problem is None:
        session.execute(CLOSE_ALERT, {"key": key})
        return
    message = f"Page {title} ({page_id}): not all of its files were read, and none was removed: {problem}"
    details = {"source_id": source_id, "page_id": page_id}
    session.execute(RAISE_ALERT, {"key": key, "message": message[:2000], "details": json.dumps(details)})


def alert_key(source_id: int, space_key: str) -> str:
    return f"deletions:{source_id}:{space_key}"


def true_status(client: ConfluenceClient, content_id: str) -> str:
    """Where a document that was not listed is now: `current`, `archived`, `trashed`, `draft` or `deleted`.

    Raises:
        TryAgain: the site does not say now; nothing may be concluded.
    """
    try:
        found = client.get(f"rest/api/content/{content_id}", {"status": "any"}, what=f"content {content_id}")
    except NotFound:
        return "deleted"
    status = found.get("status") if isinstance(found, dict) else None
    return str(status) if status in ("archived", "trashed", "draft") else "current"


def apply(session: Session, source_id: int, statuses: dict[str, str]) -> int:
    """Write what was found out. What is current after all is only marked as seen. Returns how many went."""
    still = [content_id for content_id, status in statuses.items() if status == "current"]
    mark_seen(session, source_id, still)
    n_gone = 0
    for status in sorted(set(statuses.values()) - {"current"}):
        ids = [content_id for content_id, found in statuses.items() if found == status]
        set_status(session, source_id, ids, status)
        n_gone += len(ids)
    return n_gone
