"""What a sync would do, without doing it: ids and titles of what would be added, changed and removed."""

from dataclasses import dataclass

from sqlalchemy import text

from connectors.confluence import reading
from workers.confluence_source import Site, open_site
from workers.context import Context
from workers.documents import known
from workers.sync_source import chosen_spaces

KNOWN_PAGES = text("""
    SELECT external_id, title FROM documents
    WHERE source_id = :source_id AND space_key = ANY(:keys) AND kind IN ('page', 'blogpost')
      AND status = 'current' AND deleted_at IS NULL ORDER BY external_id
""")


@dataclass(frozen=True, slots=True)
class Planned:
    """A page a sync would touch."""

    id: str
    title: str
    space_key: str


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """`is_whole` False: a listing broke off, so that `removed` cannot be believed."""

    added: tuple[Planned, ...]
    changed: tuple[Planned, ...]
    removed: tuple[Planned, ...]
    n_unchanged: int
    is_whole: bool


def dry_run(context: Context, source_id: int, *, spaces: list[str] | None = None) -> SyncPlan:
    """Compare the site's listings with what is known; reads only, on both sides.

    Raises: what a sync raises when the site cannot be read.
    """
    site = open_site(context, source_id)
    try:
        return _plan(context, site, spaces)
    finally:
        site.client.close()


def _plan(context: Context, site: Site, keys: list[str] | None) -> SyncPlan:
    added: list[Planned] = []
    changed: list[Planned] = []
    removed: list[Planned] = []
    n_unchanged, is_whole = 0, True
    for space in chosen_spaces(site, reading.spaces(site.client), keys):
        listed: set[str] = set()
        for listing in reading.pages(site.client, space.key, has_body=False):
            is_whole = is_whole and listing.is_whole and not listing.failed
            with context.factory() as session:
                before = known(session, site.source_id, [page.id for page in listing.pages])
            # Of our own pages only those that hold something people added are documents.
            pages = [page for page in listing.pages if not page.is_by_imp or page.id in before]
            for page in pages:
                old, planned = before.get(page.id), Planned(page.id, page.title, space.key)
                if old is None or old.is_deleted:
                    added.append(planned)
                elif old.version != page.version or old.error is not None:
                    changed.append(planned)
                else:
                    n_unchanged += 1
            listed |= {page.id for page in pages} | {item.id for item in listing.failed}
        with context.factory() as session:
            rows = session.execute(KNOWN_PAGES, {"source_id": site.source_id, "keys": [space.key]}).all()
        removed += [
            Planned(row.external_id, row.title, space.key) for row in rows if row.external_id not in listed
        ]
    return SyncPlan(tuple(added), tuple(changed), tuple(removed), n_unchanged, is_whole)
