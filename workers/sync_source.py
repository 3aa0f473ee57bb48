"""Job: a Confluence site becomes true here. `full` and `reconcile` look at every page and read what is new or changed,
`gates` does so for pages and doors alone, `increment` asks what changed; the first run of a source is always full.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import text

from connectors.confluence import reading
from connectors.confluence.facts import Position, SpaceFacts
from core.errors import BadInput, Denied, ImpError
from core.running_job import RunningJob
from workers.confluence_doors import close_unseen_spaces, read_groups, read_space_doors
from workers.confluence_pages import Counts, Run, refresh_pages, store_pages
from workers.confluence_source import Site, open_site
from workers.context import Context
from workers.sync_changes import sync_changes
from workers.sync_space import settle_space
from workers.unwanted_spaces import leave_unwanted

logger = logging.getLogger(__name__)

T = TypeVar("T")
MOST_NAMED = 40
MODES = ("full", "increment", "reconcile", "gates")

CLOCK = text("SELECT clock_timestamp()")
MARK = text("""
    UPDATE sources SET state = :state, error = :error,
        synced_at = CASE WHEN :is_synced THEN now() ELSE synced_at END,
        full_synced_at = CASE WHEN :is_full THEN now() ELSE full_synced_at END,
        cursor = cursor || CAST(:cursor AS jsonb)
    WHERE id = :id AND state <> 'removed'
""")
IS_KNOWN = text("""
    SELECT EXISTS (SELECT 1 FROM documents WHERE source_id = :id AND space_key = :key AND kind IN ('page', 'blogpost'))
""")
# The first walk over a whole site; one that is asked for under the same key is the same job.
IS_FIRST_UNDER_WAY = text("""
    SELECT EXISTS (SELECT 1 FROM jobs WHERE kind = 'sync_source' AND state IN ('queued', 'running')
        AND id <> :own AND args->>'source_id' = CAST(:id AS text) AND NOT args ? 'spaces'
        AND coalesce(args->>'mode', 'increment') = ANY(:modes))
""")
NEWEST = text("SELECT max(updated_at) FROM documents WHERE source_id = :id")


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `source_id`, `mode` (default increment), `spaces` (keys, optional), `accept_deletions` (optional).

    Resumes from its checkpoint. Outcome: counts of pages seen, added, changed, moved, removed and failed.
    """
    mode = str(job.args.get("mode") or "increment")
    if mode not in MODES:
        raise BadInput(f"sync mode must be one of {', '.join(MODES)}, not {mode!r}")
    source_id = int(job.args["source_id"])
    site = open_site(context, source_id, check=job.check)
    if not site.is_full_synced and mode in ("increment", "gates"):
        if _is_first_under_way(context, job, source_id, mode):
            site.client.close()
            return {"mode": mode, "why": "the first full sync has not ended yet"}
        mode = "full" if mode == "increment" else mode
    run = Run(context, job, site, Counts(**job.checkpoint.get("counts", {})))
    try:
        problems = sync_changes(run) if mode == "increment" else _walk(run, mode)
    except ImpError as exc:
        # Spaces somebody mistyped say nothing about the site.
        if not (job.args.get("spaces") and isinstance(exc, BadInput)):
            _mark(context, source_id, state="failing", error=str(exc))
        raise
    finally:
        site.client.close()
    return {"mode": mode, **run.counts.as_dict(), "problems": problems[:20]}


def chosen_spaces(site: Site, visible: Sequence[SpaceFacts], keys: list[str] | None) -> list[SpaceFacts]:
    """The spaces to walk, by key; `keys` None takes those that the source is set to.

    Raises:
        BadInput: one of `keys` is not to be seen; names those that are.
        Denied: none is to be seen, or one that is configured is not; says which and what to do.
    """
    found = [space for space in visible if (space.key in keys if keys else site.wants(space))]
    there = {space.key for space in visible}
    if keys and (unknown := sorted(set(keys) - there)):
        raise BadInput(
            f"no such space, or none the service account may see: {', '.join(unknown)}; "
            f"there are: {', '.join(sorted(there)[:MOST_NAMED]) or 'none'}{' …' if len(there) > MOST_NAMED else ''}"
        )
    if not keys and (absent := sorted(site.choice.keys - there)):
        raise Denied(
            f"no such space, or none the service account may see: {', '.join(absent)}; "
            "check CONFLUENCE_SPACES and give the account view permission"
        )
    if not found:
        raise Denied("the service account sees no space: add it to a group that may view spaces")
    return found


def _walk(run: Run, mode: str) -> list[str]:
    context, job, site = run.context, run.job, run.site
    account = reading.account(site.client)
    with context.factory.begin() as session:
        now: datetime = session.execute(CLOCK).scalar_one()
        started_at = datetime.fromisoformat(job.checkpoint.get("started_at") or now.isoformat())
        job.save(session, started_at=started_at.isoformat(), mode=mode)
    visible = reading.spaces(site.client)
    spaces = chosen_spaces(site, visible, job.args.get("spaces"))
    _mark(context, site.source_id, state="syncing", error=None)
    problems = close_unseen_spaces(context.factory, site, visible)
    if not job.args.get("spaces"):
        accept = bool(job.args.get("accept_deletions"))
        problems += leave_unwanted(run, visible, since=started_at, accept=accept)
    run.total = reading.n_pages(site.client, [space.key for space in spaces])
    problems += read_space_doors(context.factory, site, spaces)
    problems += read_groups(context.factory, site)[1]
    done = set(job.checkpoint.get("done_spaces", []))
    for space in spaces:
        if space.key not in done:
            problems += _walk_space(run, space, mode, started_at)
            done.add(space.key)
            with context.factory.begin() as session:
                job.save(
                    session, done_spaces=sorted(done), space=None, position=None, counts=run.counts.as_dict()
                )
    # Restrictions name groups that no space does; those are known only now.
    problems += [one for one in read_groups(context.factory, site)[1] if one not in problems]
    if run.counts.seen == 0:
        problems.append(
            "the sync succeeded with 0 pages: the spaces are empty, or nothing in them may be seen"
        )
    is_all = not job.args.get("spaces")
    _mark(
        context,
        site.source_id,
        state="ready",
        error="; ".join(problems)[:2000] or None,
        is_synced=is_all,
        is_full=mode == "full" and is_all,
        cursor=_cursor(run, started_at, account.time_zone)
        if is_all and mode in ("full", "reconcile")
        else None,
    )
    return problems


def _walk_space(run: Run, space: SpaceFacts, mode: str, started_at: datetime) -> list[str]:
    """All pages of a space, then what belongs to them, then what is missing."""
    job, checkpoint = run.job, run.job.checkpoint
    position, is_whole = None, True
    if checkpoint.get("space") == space.key and checkpoint.get("position"):
        position, is_whole = Position(**checkpoint["position"]), bool(checkpoint.get("is_whole", True))
    has_body = mode == "full" and (position is not None or not _is_known(run, space.key))
    listings = reading.pages(run.site.client, space.key, has_body=has_body, position=position)
    for asked_at, listing in _ahead(run, listings):
        job.check()
        is_whole = is_whole and listing.is_whole and not listing.failed
        if has_body:
            store_pages(run, listing.pages, listing.failed, space.key)
        else:
            refresh_pages(run, listing.pages, asked_at=asked_at)
        following = listing.following
        saved = {"start": following.start, "cursor": following.cursor} if following else None
        with run.context.factory.begin() as session:
            job.save(session, space=space.key, position=saved, is_whole=is_whole, counts=run.counts.as_dict())
        total = None if run.total is None else max(run.total, run.counts.seen)
        job.progress(run.counts.seen, total, "pages", space=space.key)
    accept = bool(job.args.get("accept_deletions"))
    return settle_space(run, space.key, since=started_at, is_whole=is_whole, accept=accept, mode=mode)


def _is_first_under_way(context: Context, job: RunningJob, source_id: int, mode: str) -> bool:
    """Another job walks this site for the first time already; polls and door walks would walk it all again."""
    modes = ["full"] if mode == "increment" else ["full", "increment"]
    with context.factory.begin() as session:
        values = {"own": job.claimed.id, "id": source_id, "modes": modes}
        return bool(session.execute(IS_FIRST_UNDER_WAY, values).scalar_one())


def _is_known(run: Run, space_key: str) -> bool:
    """Something of this space is here already: then pages are compared first, and only what differs is read."""
    with run.context.factory.begin() as session:
        return bool(session.execute(IS_KNOWN, {"id": run.site.source_id, "key": space_key}).scalar_one())


def _ahead(run: Run, some: Iterator[T]) -> Iterator[tuple[datetime, T]]:
    """Each with the database's moment before it was asked for; the next is fetched while one is worked on."""
    with ThreadPoolExecutor(1, thread_name_prefix="fetch") as pool:
        asked_at, coming = _clock(run), pool.submit(next, some, None)
        while (found := coming.result()) is not None:
            found_at = asked_at
            asked_at, coming = _clock(run), pool.submit(next, some, None)
            yield found_at, found


def _clock(run: Run) -> datetime:
    with run.context.factory.begin() as session:
        moment: datetime = session.execute(CLOCK).scalar_one()
    return moment


def _cursor(run: Run, started_at: datetime, time_zone: str | None) -> dict[str, Any]:
    """Where increments begin: the newest change seen, but none from after the start, which may have been passed by."""
    with run.context.factory.begin() as session:
        newest = session.execute(NEWEST, {"id": run.site.source_id}).scalar_one()
    since = min(newest or started_at, started_at)
    return {"since": since.isoformat(), "time_zone": time_zone}


def _mark(
    context: Context,
    source_id: int,
    *,
    state: str,
    error: str | None,
    is_synced: bool = False,
    is_full: bool = False,
    cursor: dict[str, Any] | None = None,
) -> None:
    values = {
        "id": source_id, "state": state, "error": error, "is_synced": is_synced, "is_full": is_full,
        "cursor": json.dumps(cursor or {}),
    }  # fmt: skip
    with context.factory.begin() as session:
        session.execute(MARK, values)
