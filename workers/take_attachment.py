"""Job: audio or video attached to a Confluence page becomes a recording behind the doors of its page."""

import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from connectors.confluence import reading
from connectors.confluence.client import ConfluenceClient
from connectors.confluence.facts import AttachmentFacts
from core import jobs
from core.errors import BadInput, Unavailable
from core.running_job import RunningJob
from core.tables.documents import Document
from workers.add_recording import LocalRecording, add_local
from workers.confluence_source import open_site
from workers.context import Context

# The doors of a page may change after its recording was taken in; what was made from it follows.
FOLLOW = text("""
    WITH moved AS (
        UPDATE recordings r SET gate_ids = d.gate_ids FROM documents d
        WHERE r.origin ->> 'door' = 'confluence' AND d.source_id = CAST(r.origin ->> 'source_id' AS int)
          AND d.external_id = r.origin ->> 'file_id' AND d.gate_ids IS NOT NULL
          AND r.gate_ids IS DISTINCT FROM d.gate_ids
        RETURNING r.document_id, d.gate_ids
    )
    UPDATE documents t SET gate_ids = moved.gate_ids FROM moved WHERE t.id = moved.document_id
""")


def enqueue(session: Session, source_id: int, file: AttachmentFacts) -> int:
    """Have an attachment taken in. Returns the job's id."""
    return jobs.enqueue(
        session,
        "take_attachment",
        f"{source_id}:{file.id}",
        source_id=source_id,
        page_id=file.page_id,
        file_id=file.id,
    )


def follow_pages(session: Session) -> None:
    """Give recordings from Confluence, and their transcripts, the doors their pages have now."""
    session.execute(FOLLOW)


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `source_id`, `page_id`, `file_id`. Outcome: the recording, or why there is none.

    Raises:
        Unavailable: the doors of the page are not known yet; what nobody may read is not taken in.
    """
    source_id, file_id = int(job.args["source_id"]), str(job.args["file_id"])
    with context.factory() as session:
        found = session.execute(
            select(Document.gate_ids, Document.ancestor_titles, Document.deleted_at).where(
                Document.source_id == source_id, Document.external_id == file_id
            )
        ).one_or_none()
    if found is None or found.deleted_at is not None:
        return {"recording_id": None, "why": "the attachment is gone"}
    if found.gate_ids is None:
        raise Unavailable("the doors of the page are not known yet")
    site = open_site(context, source_id, check=job.check)
    try:
        files, problem = reading.attachments(site.client, str(job.args["page_id"]))
        file = next((one for one in files if one.id == file_id), None)
        if file is None and problem is not None:
            raise Unavailable(problem)
        if file is None:
            return {"recording_id": None, "why": "the attachment is gone"}
        page_title = found.ancestor_titles[-1] if found.ancestor_titles else None
        return _take(context, job, site.client, file, found.gate_ids, page_title)
    finally:
        site.client.close()


def _take(
    context: Context,
    job: RunningJob,
    client: ConfluenceClient,
    file: AttachmentFacts,
    gate_ids: list[int],
    page_title: str | None,
) -> dict[str, Any]:
    limit = context.settings.imp_max_upload_bytes
    with tempfile.TemporaryDirectory(prefix="imp-attachment-") as folder:
        path = Path(folder) / (Path(file.file_name).name.replace("\x00", "")[-200:] or "recording")
        with reading.open_attachment(client, file, max_bytes=limit) as pieces, path.open("wb") as out:
            for n_piece, piece in enumerate(pieces):
                out.write(piece)
                if n_piece % 64 == 0:
                    job.check()
        origin = {
            "door": "confluence",
            "source_id": int(job.args["source_id"]),
            "page_id": file.page_id,
            "file_id": file.id,
            "page_title": page_title,
        }
        given = LocalRecording(path, origin=origin, gate_ids=gate_ids, page_title=page_title)
        try:
            added = add_local(context, given)
        except BadInput as exc:
            _say_on_attachment(context, job, file, str(exc))
            return {"recording_id": None, "why": str(exc)}
    return {"recording_id": added.recording_id, "is_new": added.is_new}


def _say_on_attachment(context: Context, job: RunningJob, file: AttachmentFacts, why: str) -> None:
    """The attachment's own row says why it was not heard; `imp sync status` counts it."""
    with context.factory.begin() as session:
        job.fence(session)
        row = session.execute(
            select(Document).where(
                Document.source_id == int(job.args["source_id"]), Document.external_id == file.id
            )
        ).scalar_one_or_none()
        if row is not None:
            row.error = why[:2000]
