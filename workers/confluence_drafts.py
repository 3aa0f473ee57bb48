"""Facts of Confluence as documents: Markdown of pages and comments, text of attachments.

Opens no session; what it reads over HTTP are attachments only.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.confluence import reading
from connectors.confluence.facts import AttachmentFacts, CommentFacts, PageFacts
from connectors.confluence.storage_format.convert import FORM, to_markdown
from connectors.files.extract import check_readable, extract
from connectors.files.kinds import is_media, text_format
from core.errors import BadInput, NotFound
from workers.confluence_includes import IncludingResolver
from workers.confluence_source import PageResolver, Site
from workers.documents import Draft, content_hash
from workers.language import language_of

UNSURE = 0
"""The form of a page that was converted while the site did not tell all: no converter's, so the next pass reads it."""
MAX_LISTED = 200
"""Tasks and mentions kept of one page; more would only bloat the row."""
NOT_READ = 0
"""The version of a file that came in part: older than any, so that the next comparison reads it again."""
N_DOWNLOADS = 3


class _CutOff(Exception):
    """Fewer bytes came than the site said there are, each time."""


def comments_id(page_id: str) -> str:
    """External id of the document that holds a page's comments."""
    return f"comments:{page_id}"


def page_draft(page: PageFacts, gate_ids: list[int] | None, resolver: IncludingResolver) -> Draft:
    """A page as Markdown; drafts stand behind no known door, since only their author may see them."""
    found = to_markdown(page.storage or "", resolve=resolver)
    details: dict[str, Any] = {
        "form": UNSURE if resolver.is_unsure else FORM,
        "warnings": list(found.warnings)[:20],
        "mentions": list(found.mentions)[:MAX_LISTED],
    }
    if found.tasks:
        details["tasks"] = [
            {"id": task.id, "text": task.text[:500], "is_done": task.is_done, "assignee": task.assignee,
             "due": task.due.isoformat() if task.due else None}
            for task in found.tasks[:MAX_LISTED]
        ]  # fmt: skip
    if page.body_format != "storage":
        details["body_format"] = page.body_format
    if resolver.versions:
        details["included"] = resolver.versions
    return replace(
        _of_page(page, gate_ids, markdown=found.markdown, details=details), included=resolver.included
    )


def metadata_draft(page: PageFacts, gate_ids: list[int] | None) -> Draft:
    """What a listing without bodies says of a page."""
    return _of_page(page, gate_ids, markdown="", details={})


def comments_draft(
    site: Site, page: PageFacts, comments: Sequence[CommentFacts], gate_ids: list[int] | None
) -> Draft:
    """All comments of a page as one document beside it, so that a comment makes no page new."""
    current = [one for one in comments if one.status == "current"]
    resolver = PageResolver(site, page.id, page.space_key)
    markdown = "\n\n".join(_comment(one, resolver) for one in current)
    moments = [one.updated_at for one in current if one.updated_at]
    return Draft(
        external_id=comments_id(page.id),
        kind="comments",
        title=page.title,
        url=page.url,
        version=0,
        markdown=markdown,
        space_key=page.space_key,
        parent_id=page.id,
        ancestors=[*(one.id for one in page.ancestors), page.id],
        ancestor_titles=[*(one.title for one in page.ancestors), page.title],
        labels=list(page.labels),
        author=current[-1].author if current else None,
        language=language_of(markdown),
        content_hash=content_hash(markdown),
        gate_ids=gate_ids,
        details={"comments": {one.id: one.version for one in current}},
        created_at=min(moments, default=None),
        updated_at=max(moments, default=None),
    )


def attachment_draft(
    site: Site,
    page: PageFacts,
    file: AttachmentFacts,
    gate_ids: list[int] | None,
    *,
    max_bytes: int,
    has_ocr: bool = True,
) -> Draft:
    """A file as Markdown. One that cannot be read is kept by its name with the reason; nothing is raised for it.

    A picture without readable text is no failure: `details["note"]` says why there is none.

    Raises:
        TryAgain: the download failed for a passing reason.
    """
    markdown, error, details = "", None, {"media_type": file.media_type, "size_bytes": file.size_bytes}
    version = file.version
    if is_media(file.file_name, file.media_type):
        details["media"] = True
    elif text_format(file.file_name, file.media_type) is None:
        details["is_text"] = False
    else:
        try:
            markdown = _read(site, file, max_bytes, has_ocr)
        except (BadInput, NotFound) as exc:
            if text_format(file.file_name, file.media_type) == "image":
                details["note"] = str(exc)
            else:
                error = str(exc)
        except _CutOff as exc:
            version, error = NOT_READ, str(exc)
    return Draft(
        external_id=file.id,
        kind="attachment",
        title=file.file_name,
        url=site.client.page_url(file.download_path) if file.download_path else file.url,
        version=version,
        markdown=markdown,
        space_key=page.space_key,
        parent_id=page.id,
        ancestors=[*(one.id for one in page.ancestors), page.id],
        ancestor_titles=[*(one.title for one in page.ancestors), page.title],
        author=file.author,
        editor=file.author,
        language=language_of(markdown),
        content_hash=content_hash(markdown),
        gate_ids=gate_ids,
        status=page.status if file.status == "current" else file.status,
        details=details,
        error=error,
        created_at=file.created_at,
        updated_at=file.updated_at,
    )


def _of_page(page: PageFacts, gate_ids: list[int] | None, *, markdown: str, details: dict[str, Any]) -> Draft:
    return Draft(
        external_id=page.id,
        kind=page.kind,
        title=page.title,
        url=page.url,
        version=page.version,
        markdown=markdown,
        space_key=page.space_key,
        parent_id=page.ancestors[-1].id if page.ancestors else None,
        ancestors=[one.id for one in page.ancestors],
        ancestor_titles=[one.title for one in page.ancestors],
        labels=list(page.labels),
        author=page.author,
        editor=page.editor,
        language=language_of(markdown),
        content_hash=content_hash(markdown),
        gate_ids=None if page.status == "draft" else gate_ids,
        status=page.status,
        details=details,
        created_at=page.created_at,
        updated_at=page.updated_at,
    )


def _comment(comment: CommentFacts, resolver: PageResolver) -> str:
    when = f", {comment.created_at:%Y-%m-%d}" if comment.created_at else ""
    state = " (resolved)" if comment.is_resolved else ""
    reply = "Reply" if comment.parent_id else "Comment"
    quote = f"> {' '.join(comment.quote.split())}\n\n" if comment.quote else ""
    words = to_markdown(comment.storage, resolve=resolver).markdown
    return f"**{reply} by {comment.author or 'somebody'}{when}{state}**\n\n{quote}{words}"


def _read(site: Site, file: AttachmentFacts, max_bytes: int, has_ocr: bool) -> str:
    check_readable(file.file_name, file.media_type, has_ocr=has_ocr)
    if file.size_bytes > max_bytes:
        raise BadInput(f"{file.file_name}: larger than IMP_MAX_ATTACHMENT_BYTES ({max_bytes} bytes)")
    for _ in range(N_DOWNLOADS):
        with tempfile.NamedTemporaryFile(prefix="imp-attachment-") as spool:
            with reading.open_attachment(site.client, file, max_bytes=max_bytes) as pieces:
                for piece in pieces:
                    spool.write(piece)
            spool.flush()
            n_bytes = spool.tell()
            if n_bytes >= file.size_bytes:
                path = Path(spool.name)
                return extract(path, file_name=file.file_name, media_type=file.media_type).markdown
    raise _CutOff(f"{file.file_name}: only {n_bytes} of {file.size_bytes} bytes came; it is tried again")
