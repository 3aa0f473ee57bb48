"""Answers for one page what its include macros show: pages that everyone who reads it may read as well.

All others stay named by their macro. Knows no converter; writes nothing but doors it learns of on the way.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from connectors.confluence import reading
from connectors.confluence.facts import PageFacts
from connectors.confluence.storage_format.convert import find_excerpt
from core.errors import BadInput, Denied, NotFound, RateLimited, Unavailable
from workers.confluence_source import PageResolver, Site
from workers.doors import Doors
from workers.included import name_key

BY_TITLE = text("""
    SELECT external_id, gate_ids FROM documents
    WHERE source_id = :source_id AND space_key = :space_key AND lower(title) = lower(:title)
      AND kind IN ('page', 'blogpost') AND status = 'current' AND deleted_at IS NULL
    ORDER BY kind DESC, id LIMIT 1
""")


class IncludingResolver(PageResolver):
    """`versions` are the versions of what was shown, by page id; `names` the keys of all that was asked for."""

    def __init__(self, site: Site, page: PageFacts, factory: sessionmaker[Session]) -> None:
        super().__init__(site, page.id, page.space_key)
        self._page, self._factory = page, factory
        self._found: dict[str, PageFacts | None] = {}
        self.versions: dict[str, int] = {}
        self.names: set[str] = set()

    def include(self, title: str, space_key: str | None, excerpt_name: str | None) -> str | None:
        """As the protocol says; a page that could not be asked for now makes the whole answer unsure."""
        space = space_key or self._page.space_key
        key = name_key(space, title)
        self.names.add(key)
        if key not in self._found:
            self._found[key] = self._look(space, title)
        found = self._found[key]
        if found is None:
            return None
        self.versions[found.id] = found.version
        storage = found.storage or ""
        return storage if excerpt_name is None else find_excerpt(storage, excerpt_name)

    @property
    def included(self) -> list[str]:
        """What the document of the page says it shows and names; see `workers.included`."""
        return sorted({*self.versions, *self.names})

    def _look(self, space_key: str, title: str) -> PageFacts | None:
        """The page as the site has it now, if it may be shown."""
        values = {"source_id": self._site.source_id, "space_key": space_key, "title": title}
        with self._factory() as session:
            row = session.execute(BY_TITLE, values).one_or_none()
        if row is None or row.gate_ids is None or row.external_id == self._page.id:
            return None
        try:
            found = reading.page(self._site.client, row.external_id)
        except (NotFound, Denied, BadInput):
            return None
        except (RateLimited, Unavailable):
            self.is_unsure = True
            return None
        is_plain = found.body_format == "storage" and not found.is_by_imp and found.status == "current"
        return found if is_plain and self._is_as_open(found, row.gate_ids) else None

    def _is_as_open(self, found: PageFacts, known: list[int]) -> bool:
        """May everyone who reads the page read this one, by its doors of now and by those that were known?"""
        with self._factory.begin() as session:
            doors = Doors(session, self._site.source_id)
            own, theirs = doors.ids_of(self._page), doors.ids_of(found)
        return own is not None and theirs is not None and {*theirs, *known} <= set(own)
