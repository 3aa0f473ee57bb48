"""Job: the minutes of one recording become its Confluence page, or the page follows a newer draft.

Human edits win: the new draft is merged into the page as it is now. The page is found by the recording's
content hash, so a second run, a retry or another worker updates the same page.
"""

import html
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from connectors.confluence import publishing
from connectors.confluence.client import ConfluenceClient
from connectors.confluence.merge import Conflict as MergeConflict
from connectors.confluence.merge import merge
from connectors.confluence.minutes_page import MinutesPage, render
from connectors.confluence.page_tasks import tasks_of
from connectors.confluence.publishing import Place, PublishedPage
from core import jobs
from core.errors import Conflict, NotFound
from core.running_job import RunningJob
from core.tables.meetings import Minutes, Recording
from core.tables.people import Account
from workers import minutes_recording, minutes_transcript, series
from workers.confluence_site import connect
from workers.context import Context
from workers.minutes import draft_of
from workers.minutes_pages import keep_tasks
from workers.minutes_places import choose_place
from workers.recordings import load_transcript

logger = logging.getLogger(__name__)

N_SAVE_TRIES = 3


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `minutes_id`. Outcome: the page's id, version and URL, how many conflicts were left to people, and the
    id of the transcript's own page and the name of the attached recording where there are any.
    """
    client = connect(context.settings, check=job.check)
    try:
        recording, row, page, base = _read(context, int(job.args["minutes_id"]), is_cloud=client.is_cloud)
        place = choose_place(context.settings, client, recording.title).place
        spoken = minutes_transcript.look(client, context.settings, recording, row, place, _title(recording))
        page = minutes_recording.announced(context, recording, spoken.shown_on(page))
        ours = render(page)
        labels = (publishing.LABEL, *context.settings.confluence_minutes_labels)
        published, conflicts = _write(client, place, recording, row.page_id, base, ours, labels)
        told = minutes_recording.attach(context, client, published.id, recording, page, published.storage)
        told, transcript = minutes_transcript.write(
            client, context.settings, recording, row, place, published, spoken, told
        )
        if (again := render(told)) != ours:
            published, more = _write(client, place, recording, published.id, ours, again, labels)
            ours, conflicts = again, (*conflicts, *more)
        if conflicts:
            publishing.comment(client, published.id, _conflict_comment(conflicts))
    finally:
        client.close()
    with context.factory.begin() as session:
        job.fence(session)
        for older in session.execute(
            select(Minutes).where(
                Minutes.recording_id == recording.id, Minutes.state == "published", Minutes.id != row.id
            )
        ).scalars():
            older.state = "superseded"
        now = session.get_one(Minutes, row.id)
        now.state, now.page_id, now.page_version = "published", published.id, published.version
        now.page_url, now.published_storage = published.url, ours
        if transcript is not None:
            now.transcript_page_id, now.transcript_storage = transcript.page_id, transcript.storage
        now.published_at = now.published_at or datetime.now(UTC)
        session.flush()
        keep_tasks(session, published.id, published.version, tasks_of(published.storage))
        if now.announced_at is None and context.settings.slack_announce_channel:
            jobs.enqueue(session, "announce_minutes", str(recording.id), minutes_id=row.id)
    return {
        "page_id": published.id,
        "page_version": published.version,
        "page_url": published.url,
        "n_conflicts": len(conflicts),
        "transcript_page_id": transcript.page_id if transcript else None,
        "attached": told.attached_name or None,
    }


@dataclass(frozen=True, slots=True)
class Preview:
    """What a publication would do: `page_url` None means a new page. `storage` is the body it would have."""

    title: str
    space_key: str
    parent_id: str | None
    why: str
    page_url: str | None
    is_change: bool
    n_conflicts: int
    storage: str


def preview(context: Context, minutes_id: int) -> Preview:
    """Where and what `run` would write; writes nothing. Raises what `run` raises before it writes."""
    client = connect(context.settings)
    try:
        recording, row, page, base = _read(
            context, minutes_id, is_cloud=client.is_cloud, states=("draft", "approved", "published")
        )
        chosen, title = choose_place(context.settings, client, recording.title), _title(recording)
        spoken = minutes_transcript.look(client, context.settings, recording, row, chosen.place, title)
        ours = render(minutes_recording.announced(context, recording, spoken.shown_on(page)))
        there = publishing.find_page(client, recording.sha256, chosen.place, title, known_id=row.page_id)
        merged = merge(_base(base, there, ours), there.storage, ours) if there is not None else None
    finally:
        client.close()
    return Preview(
        title=there.title if there else title, space_key=chosen.place.space_key, parent_id=chosen.place.parent_id,
        why=chosen.why, page_url=there.url if there else None, is_change=merged is None or merged.changed,
        n_conflicts=len(merged.conflicts) if merged else 0, storage=merged.storage if merged else ours,
    )  # fmt: skip


def _read(
    context: Context,
    minutes_id: int,
    *,
    is_cloud: bool,
    states: tuple[str, ...] = ("approved", "published"),
) -> tuple[Recording, Minutes, MinutesPage, str | None]:
    """The version to publish, the page it makes, and what was rendered last time (the base of the merge)."""
    with context.factory() as session:
        row = session.get(Minutes, minutes_id)
        if row is None:
            raise NotFound(f"minutes {minutes_id} do not exist")
        if row.state not in states:
            raise Conflict(f"minutes {minutes_id} are {row.state}, so they are not published")
        recording, transcript = load_transcript(session, row.recording_id)
        before = session.execute(
            select(Minutes)
            .where(Minutes.recording_id == recording.id, Minutes.page_id.is_not(None))
            .order_by(Minutes.version.desc()).limit(1)
        ).scalar_one_or_none()  # fmt: skip
        accounts = session.execute(
            select(Account.name, Account.external_id).where(Account.provider == "confluence")
        ).tuples().all()  # fmt: skip
        page = MinutesPage(
            recording_id=str(recording.id),
            title=recording.title,
            public_url=context.settings.public_url,
            draft=draft_of(row),
            transcript=transcript,
            started_at=recording.started_at,
            duration_s=recording.duration_s,
            participants=tuple(recording.participants),
            source=recording.file_name,
            account_ids=_mentions(accounts) if is_cloud else {},
            decision_style="list" if is_cloud else "panel",
            carried=series.carried(session, recording, context.settings.public_url),
            earlier=series.earlier_decisions(session, recording, row, context.settings.public_url),
        )
        if before is not None:
            row.page_id = row.page_id or before.page_id
            row.transcript_page_id, row.transcript_storage = (
                before.transcript_page_id,
                before.transcript_storage,
            )
        base = before.published_storage if before is not None else None
        session.expunge_all()
    return recording, row, page, base


def _mentions(accounts: Iterable[tuple[str | None, str]]) -> dict[str, str]:
    """Name -> account id; a name that two accounts carry mentions nobody, or it might be the wrong one."""
    found: dict[str, set[str]] = {}
    for name, account_id in accounts:
        if name:
            found.setdefault(name.casefold().strip(), set()).add(account_id)
    return {name: ids.pop() for name, ids in found.items() if len(ids) == 1}


def _write(
    client: ConfluenceClient,
    place: Place,
    recording: Recording,
    known_id: str | None,
    base: str | None,
    ours: str,
    labels: Sequence[str] = (publishing.LABEL,),
) -> tuple[PublishedPage, tuple[MergeConflict, ...]]:
    title = _title(recording)
    for attempt in range(1, N_SAVE_TRIES + 1):
        there = publishing.find_page(client, recording.sha256, place, title, known_id=known_id)
        try:
            if there is None:
                return publishing.create(client, recording.sha256, place, title, ours, labels), ()
            merged = merge(_base(base, there, ours), there.storage, ours)
            if not merged.changed:
                return there, merged.conflicts
            return publishing.update(client, there, merged.storage), merged.conflicts
        except Conflict:
            if attempt == N_SAVE_TRIES:
                raise
            logger.info("page_changed_meanwhile", extra={"recording_id": recording.id, "attempt": attempt})
    raise AssertionError("N_SAVE_TRIES is at least 1")


def _base(base: str | None, there: PublishedPage, ours: str) -> str:
    """What the page said before people touched it.

    Without a known base a run created the page and died. Nobody touched its first version; later ones are taken
    as edits of what is rendered now, which is what that run rendered: then nothing of theirs can be overwritten.
    """
    if base is not None:
        return base
    return there.storage if there.version == 1 else ours


def _title(recording: Recording) -> str:
    day = f" – {recording.started_at:%Y-%m-%d}" if recording.started_at else ""
    return f"Minutes: {recording.title}{day}"


def _conflict_comment(conflicts: tuple[MergeConflict, ...]) -> str:
    lines = "".join(
        f"<li>kept: {html.escape(one.kept or '(deleted)')}; the new draft says: {html.escape(one.dropped)}</li>"
        for one in conflicts[:20]
    )
    return f"<p>A new draft differs from what people wrote here. Nothing of yours was changed:</p><ul>{lines}</ul>"
