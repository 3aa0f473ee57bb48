"""How many passages lie behind somebody's doors, from Postgres' own statistics; reads no document.

Where they are few, comparing with each of them is exact and quicker than looking for them in an index of all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

MAX_CHUNKS = 20_000  # compared one by one in about 40 ms on one core
MAX_SHARE = 0.2  # of all passages; more of them are found quicker through the index

_SHARE = text("""
    SELECT sum(m.share) FILTER (WHERE m.gate_id = ANY(CAST(:passed AS int[]))) AS known,
           count(*) FILTER (WHERE m.gate_id = ANY(CAST(:passed AS int[]))) AS n_known,
           min(m.share) FILTER (WHERE m.gate_id IS NOT NULL) AS least,
           (SELECT reltuples FROM pg_class WHERE oid = CAST('chunks' AS regclass)) AS n_chunks
    FROM pg_stats s CROSS JOIN LATERAL unnest(
        CAST(s.most_common_elems AS text)::int[], s.most_common_elem_freqs) AS m(gate_id, share)
    WHERE s.schemaname = current_schema() AND s.tablename = 'documents' AND s.attname = 'gate_ids'
""")


@dataclass(frozen=True, slots=True)
class Reach:
    """How much somebody may read: `share` of all passages (1 when unknown), `is_known`, and whether they are few."""

    share: float
    is_known: bool
    are_few: bool


def reach(session: Session, passed_gates: Sequence[int]) -> Reach:
    """What statistics say of these gates; a gate that is not among the common ones counts as the least of those."""
    row = session.execute(_SHARE, {"passed": list(passed_gates)}).one()
    if row.least is None:
        return Reach(1.0, is_known=False, are_few=False)
    n_rare = len(set(passed_gates)) - row.n_known
    share = min(float((row.known or 0.0) + n_rare * row.least), 1.0)
    return Reach(
        share, is_known=True, are_few=share <= MAX_SHARE and share * float(row.n_chunks) <= MAX_CHUNKS
    )
