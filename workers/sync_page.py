"""Job: one Confluence page becomes true here, whole: its text, its doors, its comments and its files."""

import logging
from typing import Any

from sqlalchemy import text

from connectors.confluence import reading
from connectors.confluence.facts import AttachmentFacts, PageFacts
from core.errors import BadInput, Denied, ImpError, NotFound, Unavailable
from core.running_job import RunningJob
from workers import deletion_guard, take_attachment
from workers.confluence_doors import read_groups, read_space_doors
from workers.confluence_drafts import attachment_draft, comments_draft, comments_id
from workers.confluence_pages import Run, store_pages
from workers.confluence_source import open_site
from workers.context import Context
from workers.documents import Draft, Known, known, save, save_failure, set_status
from workers.doors import Doors

logger = logging.getLogger(__name__)

FILES_OF_PAGE = text("""
    SELECT external_id FROM documents
    WHERE source_id = :source_id AND parent_id = :page_id AND kind = 'attachment' AND deleted_at IS NULL
""")
MAX_FILES = 500


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `source_id`, `page_id`. Outcome: the page's status and how many files were read and failed."""
    site = open_site(context, int(job.args["source_id"]), check=job.check)
    run = Run(context, job, site)
    try:
        return _sync(run, str(job.args["page_id"]))
    finally:
        site.client.close()


def _sync(run: Run, page_id: str) -> dict[str, Any]:
    try:
        page = reading.page(run.site.client, page_id)
    except NotFound:
        return {"status": "deleted", "n_documents": _set_status(run, page_id, "deleted")}
    except ImpError as exc:
        _note_failure(run, page_id, exc)
        raise
    if not run.site.wants_key(page.space_key):
        return {"status": "not chosen", "n_documents": _set_status(run, page_id, "deleted")}
    if page.status in ("trashed", "archived"):
        return {"status": page.status, "n_documents": _set_status(run, page_id, page.status)}
    _know_space(run, page)
    store_pages(run, [page], [], page.space_key)
    if page.is_by_imp or page.status != "current":
        return {"status": page.status, "is_by_imp": page.is_by_imp, **run.counts.as_dict()}
    _sync_comments(run, page)
    n_read, n_failed = _sync_files(run, page)
    return {"status": page.status, "n_files_read": n_read, "n_files_failed": n_failed, **run.counts.as_dict()}


def _sync_comments(run: Run, page: PageFacts) -> None:
    found = reading.comments(run.site.client, page.id)
    with run.context.factory.begin() as session:
        run.job.fence(session)
        if found:
            gate_ids = Doors(session, run.site.source_id).ids_of(page)
            save(session, run.site.source_id, [comments_draft(run.site, page, found, gate_ids)])
        elif comments_id(page.id) in known(session, run.site.source_id, [comments_id(page.id)]):
            set_status(session, run.site.source_id, [comments_id(page.id)], "deleted")


def _sync_files(run: Run, page: PageFacts) -> tuple[int, int]:
    """Read files that are new or changed; forget those that are gone, unless the listing failed."""
    source_id, job = run.site.source_id, run.job
    files, problem = reading.attachments(run.site.client, page.id)
    with run.context.factory.begin() as session:
        before = known(session, source_id, [file.id for file in files])
        gate_ids = Doors(session, source_id).ids_of(page)
        listed = session.execute(FILES_OF_PAGE, {"source_id": source_id, "page_id": page.id}).scalars().all()
    n_read = n_failed = 0
    for n_done, file in enumerate(files[:MAX_FILES]):
        job.check()
        old = before.get(file.id)
        if old is not None and _is_fresh(old, file):
            continue
        draft = _read_file(run, page, file, gate_ids)
        with run.context.factory.begin() as session:
            job.fence(session)
            save(session, source_id, [draft])
            if draft.details.get("media") and run.context.settings.confluence_recordings:
                take_attachment.enqueue(session, source_id, file)
        n_read, n_failed = n_read + 1, n_failed + (draft.error is not None)
        job.progress(n_done + 1, len(files), "files")
    gone = sorted(set(listed) - {file.id for file in files}) if problem is None else []
    with run.context.factory.begin() as session:
        job.fence(session)
        set_status(session, source_id, gone, "deleted")
        deletion_guard.tell_files(session, source_id, page.id, page.title, problem)
    return n_read, n_failed


def _is_fresh(old: Known, file: AttachmentFacts) -> bool:
    return (
        old.version == file.version
        and old.status == "current"
        and not old.is_deleted
        and bool(old.content_hash)
    )


def _read_file(run: Run, page: PageFacts, file: AttachmentFacts, gate_ids: list[int] | None) -> Draft:
    settings = run.context.settings
    limit, has_ocr = settings.imp_max_attachment_bytes, settings.imp_ocr == "auto"
    return attachment_draft(run.site, page, file, gate_ids, max_bytes=limit, has_ocr=has_ocr)


def _know_space(run: Run, page: PageFacts) -> None:
    """The doors of a space nobody looked at yet; where they stay unknown the page stays closed."""
    with run.context.factory.begin() as session:
        is_known = Doors(session, run.site.source_id).has_space(page.space_key)
    if not is_known:
        spaces = [space for space in reading.spaces(run.site.client) if space.key == page.space_key]
        read_space_doors(run.context.factory, run.site, spaces)
        read_groups(run.context.factory, run.site)


def _set_status(run: Run, page_id: str, status: str) -> int:
    with run.context.factory.begin() as session:
        run.job.fence(session)
        return set_status(session, run.site.source_id, [page_id], status)


def _note_failure(run: Run, page_id: str, exc: ImpError) -> None:
    """The page's own row says why it is not fresh; the job is tried again or shown as failed besides."""
    if isinstance(exc, (Denied, BadInput, Unavailable)):
        with run.context.factory.begin() as session:
            run.job.fence(session)
            save_failure(
                session, run.site.source_id, page_id, title="", error=str(exc), kind="page", space_key=None
            )
