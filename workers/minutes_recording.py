"""The recording on the page of its minutes: linked always, attached where the settings say so and the site lets us."""

import logging
from dataclasses import replace
from pathlib import PurePath

from connectors.confluence import publishing
from connectors.confluence.client import ConfluenceClient
from connectors.confluence.minutes_page import MinutesPage
from core.errors import BadInput, Denied, NotFound
from core.tables.meetings import Recording
from workers.context import Context

logger = logging.getLogger(__name__)


def announced(context: Context, recording: Recording, page: MinutesPage) -> MinutesPage:
    """The minutes as they read with the file attached; with a warning where it is too large."""
    settings = context.settings
    if settings.confluence_minutes_recording == "link":
        return page
    if recording.size_bytes > settings.confluence_minutes_attach_bytes:
        size = f"{recording.size_bytes / 1024**2:.0f} MiB"
        return _without(page, f"it is larger ({size}) than CONFLUENCE_MINUTES_ATTACH_BYTES")
    return replace(page, attached_name=_name(recording))


def attach(
    context: Context,
    client: ConfluenceClient,
    page_id: str,
    recording: Recording,
    page: MinutesPage,
    storage: str,
) -> MinutesPage:
    """Put the file on the published page, unless people took its line away. Returns the minutes as they shall be."""
    if not page.attached_name or page.attached_name not in storage:
        return page
    try:
        with context.blobs.local(recording.blob_url) as path:
            publishing.attach(client, page_id, path, name=page.attached_name)
    except (Denied, BadInput, NotFound) as exc:
        logger.warning("recording_not_attached", extra={"page_id": page_id, "why": str(exc)[:200]})
        return _without(page, "the site or the store refused it; the log says why")
    return page


def _without(page: MinutesPage, why: str) -> MinutesPage:
    sentence = f"The recording is linked, not attached: {why}."
    return replace(page, attached_name="", warnings=(*page.warnings, sentence))


def _name(recording: Recording) -> str:
    """The file's name with a part of its hash: no other file of the page has it, and every try gives it anew."""
    given = PurePath(recording.file_name.replace("\\", "/"))
    stem = "".join(char if char.isalnum() or char in " ._-" else "-" for char in given.stem)[:100].strip()
    ending = "".join(char for char in given.suffix if char.isalnum())[:8]
    return f"{stem or 'recording'}-{recording.sha256[:8]}{'.' if ending else ''}{ending}"
