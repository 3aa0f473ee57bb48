"""A page of ours taken away for good: into the trash, then out of it. Knows no recording but its content's key."""

import logging
from typing import Any

from connectors.confluence.client import ConfluenceClient
from connectors.confluence.facts import RECORDING_PROPERTY
from connectors.confluence.reading import quoted
from core.errors import BadInput, Conflict, Denied, NotFound

logger = logging.getLogger(__name__)

CONTENT = "rest/api/content"
EXPAND = f"version,metadata.properties.{RECORDING_PROPERTY}"


def pages_of(client: ConfluenceClient, recording_key: str) -> list[str]:
    """Ids of current pages that carry the label of this recording."""
    cql = f"type = page and label = {quoted(f'imp-recording-{recording_key[:16]}')}"
    listed = client.get(f"{CONTENT}/search", {"cql": cql, "limit": 25}, what="pages of minutes")
    return [str(found["id"]) for found in listed.get("results", [])]


def erase_page(client: ConfluenceClient, page_id: str, recording_keys: tuple[str, ...]) -> str:
    """Delete a page and its history; a second call finds nothing and says so.

    Returns:
        `gone` (it is, now or already), `trashed` (only somebody with more rights can empty the trash), or
        `not_ours` (the page carries none of these marks, so it is left alone).

    Raises:
        Denied: the account may not delete the page.
    """
    found = _read(client, page_id)
    if found is None:
        return "gone"
    if not _is_marked(found, recording_keys):
        return "not_ours"
    what = f"page {page_id}"
    if found.get("status") != "trashed":
        try:
            client.send("DELETE", f"{CONTENT}/{page_id}", None, what=what)
        except NotFound:
            return "gone"
    try:
        client.send("DELETE", f"{CONTENT}/{page_id}", None, {"status": "trashed"}, what=what)
    except NotFound:
        return "gone"
    except (Denied, Conflict, BadInput) as exc:
        logger.warning("page_left_in_trash", extra={"page_id": page_id, "why": type(exc).__name__})
        return "trashed"
    return "gone"


def _read(client: ConfluenceClient, page_id: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client.get(
            f"{CONTENT}/{page_id}", {"expand": EXPAND, "status": "any"}, what=f"page {page_id}"
        )
    except NotFound:
        return None
    return found


def _is_marked(found: dict[str, Any], recording_keys: tuple[str, ...]) -> bool:
    properties = (found.get("metadata") or {}).get("properties") or {}
    value = (properties.get(RECORDING_PROPERTY) or {}).get("value")
    return isinstance(value, dict) and value.get("recording") in recording_keys
