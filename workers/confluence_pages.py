"""Batches of pages into the documents table: convert outside of a transaction, write inside, one bad page alone."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from connectors.confluence import reading
from connectors.confluence.facts import FailedItem, PageFacts
from connectors.confluence.page_tasks import PageTask, added_by_people, tasks_of
from connectors.confluence.storage_format.convert import FORM
from core import jobs
from core.db import is_disconnect
from core.running_job import RunningJob
from workers.confluence_drafts import metadata_draft, page_draft
from workers.confluence_includes import IncludingResolver
from workers.confluence_people import save_users
from workers.confluence_source import Site
from workers.context import Context
from workers.documents import Draft, known, refresh, save, save_failure, set_status
from workers.doors import Doors
from workers.minutes_pages import keep_tasks, renderings

logger = logging.getLogger(__name__)


@dataclass
class Counts:
    """What a run did so far; kept in the checkpoint."""

    seen: int = 0
    added: int = 0
    changed: int = 0
    moved: int = 0
    removed: int = 0
    failed: int = 0

    def as_dict(self) -> dict[str, int]:
        return dict(vars(self))


@dataclass
class Run:
    """A sync as it goes on. `started_at` is the database's clock."""

    context: Context
    job: RunningJob
    site: Site
    counts: Counts = field(default_factory=Counts)
    total: int | None = None
    tasks: dict[str, tuple[PageTask, ...]] = field(default_factory=dict)
    """Of pages of minutes, as people left them; written with their page."""


def store_pages(
    run: Run, pages: Sequence[PageFacts], failed: Sequence[FailedItem], space_key: str | None
) -> None:
    """Keep pages that came with their bodies, in a transaction of their own; raises ClaimLost when not ours."""
    ours, written_by_us = _by_author(run, pages)
    converted = [(page, _convert(run, page)) for page in ours]
    good = [(page, draft) for page, draft in converted if isinstance(draft, Draft)]
    bad = [*failed, *(draft for _, draft in converted if isinstance(draft, FailedItem))]
    try:
        with run.context.factory.begin() as session:
            run.job.fence(session)
            _write(run, session, good, bad, written_by_us, space_key)
    except DBAPIError as exc:
        if is_disconnect(exc):
            raise
        logger.warning("batch_refused", extra={"n_pages": len(good), "why": type(exc).__name__})
        _write_alone(run, good, bad, written_by_us, space_key)
    run.counts.seen += len(pages) + len(failed)
    run.counts.failed += len(bad)


def refresh_pages(run: Run, pages: Sequence[PageFacts], *, asked_at: datetime) -> None:
    """Compare pages that came without bodies, and read those that are new, changed or converted by an older version.

    A page that comes back from the trash or the archive is read by a job of its own, with its comments and files.
    """
    source_id = run.site.source_id
    ours, written_by_us = _by_author(run, pages)
    with run.context.factory.begin() as session:
        run.job.fence(session)
        before = known(session, source_id, [page.id for page in pages])
        doors = Doors(session, source_id)
        save_users(session, (user for page in ours for user in page.people))
        kept = [page for page in ours if page.id in before]
        moved = refresh(
            session, source_id, [metadata_draft(page, doors.ids_of(page, asked_at=asked_at)) for page in kept]
        )
        _drop(session, source_id, written_by_us)
        for page in kept:
            if before[page.id].is_deleted or before[page.id].status != "current":
                enqueue_page(session, source_id, page.id)
        run.counts.moved += len(moved)
        run.counts.seen += len(pages)
    stale = [
        page.id
        for page in ours
        if (old := before.get(page.id)) is None
        or old.version != page.version
        or old.content_hash is None
        or old.error is not None
        or old.form != FORM
    ]
    if stale:
        fetch_pages(run, stale)


def fetch_pages(run: Run, ids: Sequence[str]) -> None:
    """Read these pages with their bodies and keep them."""
    for listing in reading.pages_by_id(run.site.client, ids):
        run.job.check()
        wanted = [page for page in listing.pages if run.site.wants_key(page.space_key)]
        seen = run.counts.seen
        store_pages(run, wanted, listing.failed, None)
        run.counts.seen = seen


def enqueue_page(session: Session, source_id: int, page_id: str) -> int:
    """Have one page read whole: with its comments and files. Returns the job's id."""
    return jobs.enqueue(session, "sync_page", f"{source_id}:{page_id}", source_id=source_id, page_id=page_id)


def _by_author(run: Run, pages: Iterable[PageFacts]) -> tuple[list[PageFacts], list[str]]:
    """Pages as far as people wrote them, and ids of those that are ours alone.

    Of minutes we published only what people added is evidence: the transcript proves the rest. A page that merely
    carries our mark is left out whole, since nothing on it can be told apart.
    """
    pages = list(pages)
    ids = [page.id for page in pages if page.is_by_imp]
    if not ids:
        return pages, []
    with run.context.factory() as session:
        rendered = renderings(session, ids)
    people = [
        _human_part(run, page, rendered[page.id]) if page.is_by_imp else page
        for page in pages
        if not page.is_by_imp or page.id in rendered
    ]
    return people, [page_id for page_id in ids if page_id not in rendered]


def _human_part(run: Run, page: PageFacts, rendered: Sequence[str]) -> PageFacts:
    if page.storage is None or page.body_format != "storage":
        return replace(page, storage=None if page.storage is None else "")
    try:
        run.tasks[page.id] = tasks_of(page.storage)
        return replace(page, storage=added_by_people(page.storage, rendered))
    except Exception as exc:  # whatever people made of the page, the others go on
        logger.error("minutes_not_read_back", extra={"page_id": page.id}, exc_info=exc)
        return replace(page, storage="")


def _convert(run: Run, page: PageFacts) -> Draft | FailedItem:
    try:
        return page_draft(page, None, IncludingResolver(run.site, page, run.context.factory))
    except Exception as exc:  # whatever one page does to the converter, the others go on
        logger.error("page_not_converted", extra={"page_id": page.id}, exc_info=exc)
        return FailedItem(page.id, page.title, f"the page could not be converted ({type(exc).__name__})")


def _write(
    run: Run,
    session: Session,
    good: Sequence[tuple[PageFacts, Draft]],
    bad: Sequence[FailedItem],
    written_by_us: Sequence[str],
    space_key: str | None,
) -> None:
    source_id = run.site.source_id
    doors = Doors(session, source_id)
    save_users(session, (user for page, _ in good for user in page.people))
    drafts = [
        _closed_by(draft, None if draft.status == "draft" else doors.ids_of(page)) for page, draft in good
    ]
    saved = save(session, source_id, drafts)
    for page, _ in good:
        if page.id in run.tasks:
            keep_tasks(session, page.id, page.version, run.tasks[page.id])
    _drop(session, source_id, written_by_us)
    for item in bad:
        save_failure(
            session, source_id, item.id, title=item.title, error=item.error, kind="page", space_key=space_key
        )
    run.counts.added += len(saved.added)
    run.counts.changed += len(saved.changed)
    run.counts.moved += len(saved.moved)


def _write_alone(
    run: Run,
    good: Sequence[tuple[PageFacts, Draft]],
    bad: Sequence[FailedItem],
    written_by_us: Sequence[str],
    space_key: str | None,
) -> None:
    """Each page in a transaction of its own, since one of them is what the database refused."""
    for page, draft in good:
        try:
            with run.context.factory.begin() as session:
                run.job.fence(session)
                _write(run, session, [(page, draft)], [], [], space_key)
        except DBAPIError as exc:
            if is_disconnect(exc):
                raise
            bad = [*bad, FailedItem(page.id, page.title, f"the database refused it ({type(exc).__name__})")]
            run.counts.failed += 1
    with run.context.factory.begin() as session:
        run.job.fence(session)
        _write(run, session, [], bad, written_by_us, space_key)


def _drop(session: Session, source_id: int, ids: Sequence[str]) -> None:
    stale = (
        [one.external_id for one in known(session, source_id, ids).values() if not one.is_deleted]
        if ids
        else []
    )
    if stale:
        set_status(session, source_id, stale, "deleted")


def _closed_by(draft: Draft, gate_ids: list[int] | None) -> Draft:
    return replace(draft, gate_ids=gate_ids)
