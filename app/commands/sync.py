"""`imp sync`: bring sources up to date, and see how they stand."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from app.console import AsJson, Wait, plain, say, show_rows


class _SyncGroup(TyperGroup):
    """`imp sync [SOURCE] [OPTIONS]` is `imp sync now …`, so that the common case needs no verb."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        is_verb = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if is_verb else ["now", *args])


app = typer.Typer(
    help="Bring sources up to date: `imp sync [SOURCE]` is short for `imp sync now`.", cls=_SyncGroup
)
COLUMNS = {
    "name": "SOURCE", "state": "STATE", "n_current": "PAGES", "n_unindexed": "NOT YET SEARCHABLE", "n_failed": "FAILED",
    "n_closed": "DOORS UNKNOWN", "lag": "LAST SYNC", "running": "RUNNING", "error": "ERROR",
}  # fmt: skip


@app.command()
def now(
    source: Annotated[str | None, typer.Argument(help="Name or number of a source; default: all.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything, not only what changed.")] = False,
    space: Annotated[list[str] | None, typer.Option(help="Only this space; repeat for more.")] = None,
    page: Annotated[list[str] | None, typer.Option(help="Only this page id; repeat for more.")] = None,
    reconcile: Annotated[bool, typer.Option("--reconcile", help="Compare ids and versions.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change; change nothing.")
    ] = False,
    accept_deletions: Annotated[
        bool, typer.Option("--accept-deletions", help="The shorter listing of the alert is right: delete.")
    ] = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Sync one source or all: what changed, or with --full everything. `imp sync status` shows how they stand."""
    from app.session import open_context
    from core.errors import BadInput
    from workers import sources

    context = open_context()
    with context.factory.begin() as session:
        sources.ensure_confluence_source(session, context.settings)
        chosen = [one for one in sources.list_sources(session) if source in (None, one.name, str(one.id))]
    if not chosen:
        raise BadInput(
            f"no source {source!r}: see `imp source list`" if source else "no sources: `imp source add`"
        )
    if dry_run:
        _dry_run(context, chosen, space, as_json)
        return
    mode = "reconcile" if reconcile else "full" if full else "increment"
    job_ids = []
    with context.factory.begin() as session:
        for one in chosen:
            job_ids += _enqueue(session, one, mode, space, page, accept_deletions)
    say(f"{len(job_ids)} job{'s' if len(job_ids) != 1 else ''} queued")
    outcomes = _follow(context, job_ids) if wait else [{} for _ in job_ids]
    if as_json:
        found = [{"job_id": job_id, **outcome} for job_id, outcome in zip(job_ids, outcomes, strict=True)]
        show_rows(found, {}, as_json=True, none="")
    elif wait:
        _tell(outcomes)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Every source: counts, lag, what runs with the time left, what failed and why."""
    from app.session import open_session
    from workers.sync_status import sync_status

    with open_session() as (_, session):
        found = sync_status(session)
    rows = [{**asdict(one), "lag": _lag(one.lag_s), "running": _running(one.jobs)} for one in found]
    show_rows(rows, COLUMNS, as_json=as_json, none="no sources yet: `imp source add confluence`")
    if as_json:
        return
    for one in found:
        for alert in one.alerts:
            print(f"\nalert, {one.name}: {alert}")
        for failure in one.failures:
            print(f"\n{failure.kind} {failure.external_id} {plain(failure.title)!r}: {failure.error}")


def _enqueue(
    session: Any, source: Any, mode: str, spaces: list[str] | None, pages: list[str] | None, accept: bool
) -> list[int]:
    from core import jobs
    from core.errors import BadInput
    from workers import sources
    from workers.confluence_pages import enqueue_page

    if source.kind == "recordings":
        if spaces or pages or not source.settings.get("url"):
            return []
        return [jobs.enqueue(session, "scan_recordings", str(source.id), source_id=source.id)]
    if source.kind != "confluence":
        return []
    if pages:
        if wrong := [page for page in pages if not page.isdecimal()]:
            raise BadInput(f"--page {wrong[0]!r} is no page id: it is the number in the page's address")
        return [enqueue_page(session, source.id, page) for page in pages]
    return [sources.request_sync(session, source.id, mode=mode, spaces=spaces, accept_deletions=accept)]


def _follow(context: Any, job_ids: list[int]) -> list[dict[str, Any]]:
    from app.follow import follow, settle

    outcomes = follow(context.factory, job_ids)
    settle(context.factory, ("sync_page", "index_document"))
    return outcomes


def _tell(outcomes: list[dict[str, Any]]) -> None:
    for outcome in outcomes:
        if outcome.get("status") == "deleted":
            print("the page is not there, or the service account may not see it; nothing of it is answered")
            continue
        print(
            ", ".join(f"{name.removeprefix('n_')} {value}" for name, value in outcome.items() if value)
            or "nothing new"
        )


def _dry_run(context: Any, chosen: list[Any], spaces: list[str] | None, as_json: bool) -> None:
    from workers.sync_plan import dry_run

    plans = [
        {"source": one.name, **asdict(dry_run(context, one.id, spaces=spaces))}
        for one in chosen
        if one.kind == "confluence"
    ]
    if as_json:
        show_rows(plans, {}, as_json=True, none="")
        return
    for plan in plans:
        print(f"{plan['source']}: {plan['n_unchanged']} unchanged")
        for what in ("added", "changed", "removed"):
            print(f"  {what} {len(plan[what])}")
            for page in plan[what]:
                print(f"    {page['space_key']}  {page['id']}  {plain(page['title'])}")
        if not plan["is_whole"]:
            say("a listing broke off: what is said to be removed cannot be believed")


def _lag(seconds: float | None) -> str:
    return (
        "never"
        if seconds is None
        else f"{seconds / 60:.0f} min ago"
        if seconds >= 90
        else f"{seconds:.0f} s ago"
    )


def _running(jobs: tuple[Any, ...]) -> str:
    shown = []
    for job in jobs:
        left = f", about {job.left_s:.0f} s left" if job.left_s is not None else ""
        share = f" {job.done:g}/{job.total:g} {job.unit}" if job.done is not None and job.total else ""
        shown.append(f"{job.kind} {job.state}{share}{left}")
    return "; ".join(shown)
