"""The end of a space's walk: its comments and files, and what is no longer there."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from connectors.confluence import reading
from connectors.confluence.facts import AttachmentFacts, CommentFacts
from core.errors import BadInput, Denied, ImpError, NotFound, Unavailable
from workers import deletion_guard
from workers.confluence_drafts import comments_id
from workers.confluence_pages import Run, enqueue_page
from workers.documents import close, known, mark_seen

logger = logging.getLogger(__name__)

BATCH = 200
COMMENTS = text("""
    SELECT parent_id, details->'comments' AS versions FROM documents
    WHERE source_id = :source_id AND kind = 'comments' AND external_id = ANY(:ids) AND deleted_at IS NULL
""")
INDEXED_PAGES = text("""
    SELECT external_id FROM documents
    WHERE source_id = :source_id AND external_id = ANY(:ids) AND kind IN ('page', 'blogpost') AND status = 'current'
      AND deleted_at IS NULL
""")


def settle_space(
    run: Run, key: str, *, since: datetime, is_whole: bool, accept: bool, mode: str
) -> list[str]:
    """Have pages with new comments or files read whole, then remove what is gone. Returns problems for admins."""
    problems: list[str] = []
    kinds = ["page", "blogpost"]
    if mode == "gates":  # comments and files change with their pages' own events and the nightly comparison
        problem = _remove_missing(run, key, kinds, since=since, is_whole=is_whole, accept=accept)
        return [problem] if problem else []
    try:
        _compare_comments(run, reading.comments_of_space(run.site.client, key))
        kinds.append("comments")
    except (BadInput, Denied, NotFound, Unavailable) as exc:
        problems.append(f"space {key}: comments were not compared: {exc}")
    try:
        files, problem = reading.attachments_of_space(run.site.client, key)
        _compare_files(run, files)
        if problem is None:
            kinds.append("attachment")
        else:  # what was listed is kept; what was not may be there all the same
            problems.append(f"space {key}: not all attachments were compared: {problem}")
    except (BadInput, Denied, NotFound, Unavailable) as exc:
        problems.append(f"space {key}: attachments were not compared: {exc}")
    problem = _remove_missing(run, key, kinds, since=since, is_whole=is_whole, accept=accept)
    return [*problems, *([problem] if problem else [])]


def _compare_comments(run: Run, found: Mapping[str, Sequence[CommentFacts]]) -> None:
    source_id = run.site.source_id
    for page_ids in _in_batches(sorted(found)):
        run.job.check()
        with run.context.factory.begin() as session:
            run.job.fence(session)
            ids = [comments_id(page_id) for page_id in page_ids]
            values = {"source_id": source_id, "ids": ids}
            before = {row.parent_id: row.versions for row in session.execute(COMMENTS, values)}
            for page_id in _indexed(run, session, page_ids):
                if before.get(page_id) != {one.id: one.version for one in found[page_id]}:
                    enqueue_page(session, source_id, page_id)
            mark_seen(session, source_id, ids)


def _compare_files(run: Run, found: Mapping[str, Sequence[AttachmentFacts]]) -> None:
    source_id = run.site.source_id
    for page_ids in _in_batches(sorted(found)):
        run.job.check()
        with run.context.factory.begin() as session:
            run.job.fence(session)
            files = [file for page_id in page_ids for file in found[page_id]]
            before = known(session, source_id, [file.id for file in files])
            for page_id in _indexed(run, session, page_ids):
                if any(_is_new(file, before.get(file.id)) for file in found[page_id]):
                    enqueue_page(session, source_id, page_id)
            mark_seen(session, source_id, [file.id for file in files])


def _is_new(file: AttachmentFacts, old: object) -> bool:
    return (
        old is None
        or getattr(old, "version", None) != file.version
        or bool(getattr(old, "is_deleted", False))
    )


def _indexed(run: Run, session: Session, page_ids: Sequence[str]) -> list[str]:
    """Those of the pages that are documents here: not written by this product, not failed, not left out."""
    rows = session.execute(INDEXED_PAGES, {"source_id": run.site.source_id, "ids": list(page_ids)})
    return sorted(rows.scalars())


def _remove_missing(
    run: Run, key: str, kinds: Sequence[str], *, since: datetime, is_whole: bool, accept: bool
) -> str | None:
    source_id, factory = run.site.source_id, run.context.factory
    with factory.begin() as session:
        run.job.fence(session)
        verdict = deletion_guard.judge(
            session, source_id, key, kinds, since=since, is_whole=is_whole, accept=accept
        )
        if verdict.missing and not verdict.is_credible:
            deletion_guard.alert(session, source_id, key, verdict)
            return f"space {key}: nothing was removed, since {verdict.reason}"
    statuses: dict[str, str] = {}
    unknown: list[deletion_guard.Missing] = []
    for one in verdict.missing:
        run.job.check()
        try:
            if one.kind == "comments":
                with factory.begin() as session:
                    enqueue_page(session, source_id, one.page_id or "")
            else:
                statuses[one.id] = deletion_guard.true_status(run.site.client, one.id)
        except ImpError as exc:
            logger.warning("status_unknown", extra={"content_id": one.id, "why": str(exc)[:200]})
            if isinstance(exc, Unavailable):  # neither listed nor shown: it may have been closed to us
                unknown.append(one)
    with factory.begin() as session:
        run.job.fence(session)
        run.counts.removed += deletion_guard.apply(session, source_id, statuses)
        for content_id, status in statuses.items():
            if status == "current":  # not listed here any more but there: it moved to another space
                _reread(run, session, verdict.missing, content_id)
        close(session, source_id, [one.id for one in unknown])
        if is_whole:
            deletion_guard.close_alert(session, source_id, key)
    if unknown:
        named = ", ".join(f"{one.title or one.kind} ({one.id})" for one in unknown[:5])
        return f"space {key}: {len(unknown)} closed to everyone, since the site neither lists nor shows them: {named}"
    return None


def _reread(run: Run, session: Session, missing: Sequence[deletion_guard.Missing], content_id: str) -> None:
    one = next(one for one in missing if one.id == content_id)
    enqueue_page(
        session, run.site.source_id, one.page_id if one.kind == "attachment" and one.page_id else one.id
    )


def _in_batches(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[at : at + BATCH] for at in range(0, len(ids), BATCH)]
