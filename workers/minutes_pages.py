"""Pages of minutes as people left them: their tasks are read back, their own lines become evidence.

Which pages those are stands in the table of minutes; a page that only claims to be one is left out whole.
"""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connectors.confluence.minutes_page import line_id
from connectors.confluence.page_tasks import PageTask
from core.tables.action_items import ActionItem
from core.tables.meetings import Minutes
from workers.minutes import draft_of


def renderings(session: Session, page_ids: Sequence[str]) -> dict[str, list[str]]:
    """By page id, everything we rendered as that page; pages we did not write are missing."""
    pairs = (
        (Minutes.page_id, Minutes.published_storage),
        (Minutes.transcript_page_id, Minutes.transcript_storage),
    )
    rows = (
        row
        for page_id, storage in pairs
        for row in session.execute(
            select(page_id, storage).where(page_id.in_(page_ids), storage.is_not(None))
        )
    )
    found: dict[str, list[str]] = {}
    for page_id, storage in rows:
        found.setdefault(str(page_id), []).append(str(storage))
    return found


def keep_tasks(session: Session, page_id: str, page_version: int, tasks: Sequence[PageTask]) -> int:
    """The action items of a page are these from now on, unless a newer version was read before. Returns how many."""
    row = session.execute(
        select(Minutes).where(Minutes.page_id == page_id, Minutes.published_storage.is_not(None))
        .order_by(Minutes.version.desc()).limit(1)
    ).scalar_one_or_none()  # fmt: skip
    if row is None:
        return 0
    mine = ActionItem.recording_id == row.recording_id
    newest = session.execute(select(func.max(ActionItem.page_version)).where(mine)).scalar_one_or_none()
    if newest is not None and newest > page_version:
        return 0
    owners = _owners(row)
    for position, task in enumerate(tasks):
        values = {
            "position": position, "text": task.text[:2000], "owner": owners.get(task.id), "account_id": task.account_id,
            "due": task.due, "is_done": task.is_done, "page_id": page_id, "page_url": row.page_url or "",
            "page_version": page_version, "read_at": func.now(),
        }  # fmt: skip
        done_at = func.coalesce(ActionItem.done_at, func.now()) if task.is_done else None
        statement = insert(ActionItem).values(
            recording_id=row.recording_id,
            line_id=task.id,
            done_at=func.now() if task.is_done else None,
            **values,
        )
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["recording_id", "line_id"], set_={**values, "done_at": done_at}
            )
        )
    session.execute(delete(ActionItem).where(mine, ActionItem.line_id.not_in([task.id for task in tasks])))
    return len(tasks)


def states(session: Session, recording_id: int) -> dict[str, bool]:
    """Whether each task of a recording's page is ticked, by line id."""
    rows = session.execute(
        select(ActionItem.line_id, ActionItem.is_done).where(ActionItem.recording_id == recording_id)
    )
    return {row.line_id: row.is_done for row in rows}


def line_ids(row: Minutes) -> list[str]:
    """The id each line of a version has on its page, in the order of its lines."""
    n_same: dict[str, int] = {}
    found = []
    for line in draft_of(row).lines:
        first = line_id(line.section, line.text)
        n_same[first] = n_before = n_same.get(first, -1) + 1
        found.append(line_id(line.section, line.text, n_before))
    return found


def _owners(row: Minutes) -> dict[str, str]:
    ids = line_ids(row)
    return {own: line.owner for own, line in zip(ids, draft_of(row).lines, strict=True) if line.owner}
