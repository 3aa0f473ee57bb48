"""Doors of Confluence as gates: a space's permission, a page's restriction, and which documents stand behind them.

Knows neither HTTP nor search. Unknown doors mean no gate ids at all: closed.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from connectors.confluence.facts import PageFacts
from core.access import set_gate
from workers import included

GATES = text("SELECT door, id, principals, refreshed_at FROM gates WHERE source_id = :source_id")

# One statement for one door, however many documents stand behind it.
CLOSE_BEHIND = text("""
    UPDATE documents SET gate_ids = gate_ids || CAST(:gate_id AS int)
    WHERE source_id = :source_id AND gate_ids IS NOT NULL AND NOT CAST(:gate_id AS int) = ANY(gate_ids)
      AND (external_id = :page_id OR :page_id = ANY(ancestors))
""")
OPEN_AGAIN = text("""
    UPDATE documents SET gate_ids = array_remove(gate_ids, CAST(:gate_id AS int))
    WHERE source_id = :source_id AND gate_ids @> ARRAY[CAST(:gate_id AS int)] AND cardinality(gate_ids) > 1
""")


def space_door(key: str) -> str:
    return f"space:{key}"


def page_door(page_id: str) -> str:
    return f"page:{page_id}"


class Doors:
    """The gates of one source within one transaction: read once, written where they changed."""

    def __init__(self, session: Session, source_id: int) -> None:
        self._session, self._source_id = session, source_id
        rows = session.execute(GATES, {"source_id": source_id})
        self._known = {row.door: (row.id, sorted(row.principals), row.refreshed_at) for row in rows}

    def has_space(self, key: str) -> bool:
        return space_door(key) in self._known

    def set(self, door: str, principals: Sequence[str], *, asked_at: datetime | None = None) -> int:
        """Who passes a door; what was learned after `asked_at` stays. Returns its gate's id."""
        wanted = sorted(set(principals))
        found = self._known.get(door)
        if found is None or (found[1] != wanted and not _is_newer(found, asked_at)):
            gate_id = set_gate(self._session, self._source_id, door, wanted)
            found = self._known[door] = (gate_id, wanted, datetime.now(UTC))
        return found[0]

    def ids_of(self, page: PageFacts, *, asked_at: datetime | None = None) -> list[int] | None:
        """The gates in front of a page: its space's, and one for each restriction above and on it; None: unknown.

        Args:
            asked_at: when the site was asked for `page`, by the database's clock. A door closed since then is not
                opened by that older news.
        """
        space = self._known.get(space_door(page.space_key))
        if space is None or page.doors is None:
            return None
        own = [self.set(page_door(door.page_id), door.principals, asked_at=asked_at) for door in page.doors]
        way = (page_door(page_id) for page_id in (*(above.id for above in page.ancestors), page.id))
        closed_since = [
            found[0] for door in way if (found := self._known.get(door)) and _is_newer(found, asked_at)
        ]
        return sorted({space[0], *own, *closed_since})


_Known = tuple[int, list[str], datetime]


def _is_newer(found: _Known, asked_at: datetime | None) -> bool:
    return asked_at is not None and found[2] > asked_at


def restrict_page(session: Session, source_id: int, page_id: str, principals: Sequence[str] | None) -> int:
    """Apply one page's restriction to everything behind it; None lifts it. Returns how many documents changed."""
    doors = Doors(session, source_id)
    if principals is None:
        found = doors._known.get(page_door(page_id))
        if found is None:
            return 0
        result = session.execute(OPEN_AGAIN, {"source_id": source_id, "gate_id": found[0]})
        included.follow_doors(session, source_id, page_id)
    else:
        # Written also when it is as it was: that it was looked at is news for older listings.
        gate_id = set_gate(session, source_id, page_door(page_id), principals)
        values = {"source_id": source_id, "gate_id": gate_id, "page_id": page_id}
        result = session.execute(CLOSE_BEHIND, values)
        included.follow_doors(session, source_id, page_id)
    return int(result.rowcount)  # type: ignore[attr-defined]
