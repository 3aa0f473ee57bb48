"""Job: who may read what, read again. For one page after a webhook, for a whole site by the clock."""

from typing import Any

from connectors.confluence import permissions, reading
from core.errors import NotFound, Unavailable
from core.running_job import RunningJob
from workers import sync_source
from workers.confluence_doors import read_groups, read_space_doors
from workers.confluence_people import save_users
from workers.confluence_source import Site, open_site
from workers.context import Context
from workers.doors import restrict_page


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `source_id`; `page_id` or `space_key` for one door only. Outcome: what was read and what changed.

    A whole site is walked by its listings without bodies, which tell ancestors and restrictions of 200 pages at once.
    """
    if not job.args.get("page_id") and not job.args.get("space_key"):
        job.args = {**job.args, "mode": "gates"}
        return sync_source.run(context, job)
    site = open_site(context, int(job.args["source_id"]), check=job.check)
    try:
        if job.args.get("page_id"):
            return _refresh_page(context, site, str(job.args["page_id"]))
        return _refresh_space(context, site, str(job.args["space_key"]))
    finally:
        site.client.close()


def _refresh_page(context: Context, site: Site, page_id: str) -> dict[str, Any]:
    try:
        found = permissions.page_readers(site.client, page_id)
    except NotFound:
        # We may not look behind this door any more, so nobody may through us.
        with context.factory.begin() as session:
            return {"n_documents": restrict_page(session, site.source_id, page_id, []), "is_restricted": True}
    except Unavailable:
        # Some servers fail where they mean 'forbidden'; the door stays shut until one of the next tries is answered.
        with context.factory.begin() as session:
            restrict_page(session, site.source_id, page_id, [])
        raise
    with context.factory.begin() as session:
        save_users(session, found.people if found else ())
        n_documents = restrict_page(session, site.source_id, page_id, found.principals if found else None)
    n_groups, problems = read_groups(context.factory, site) if found else (0, [])
    return {
        "n_documents": n_documents,
        "is_restricted": found is not None,
        "n_groups": n_groups,
        "problems": problems,
    }


def _refresh_space(context: Context, site: Site, key: str) -> dict[str, Any]:
    spaces = [space for space in reading.spaces(site.client) if space.key == key and site.wants(space)]
    problems = read_space_doors(context.factory, site, spaces)
    n_groups, more = read_groups(context.factory, site)
    return {"n_spaces": len(spaces), "n_groups": n_groups, "problems": [*problems, *more]}
