"""An unknown query word becomes the nearest word of the corpus the asker may read; needs no pg_trgm.

Only lexemes that occur in a document behind the asker's gates are offered, so a correction reveals nothing.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

_MIN_CHARS = 4
_MAX_OFFERED = 8

# A loose index scan: one index probe a distinct lexeme instead of one row a posting.
_LEXEMES_FROM = text("""
    WITH RECURSIVE vocabulary(lexeme) AS (
        (SELECT lexeme FROM postings WHERE lexeme >= :low AND lexeme < :high ORDER BY lexeme LIMIT 1)
        UNION ALL
        SELECT (SELECT p.lexeme FROM postings p
                WHERE p.lexeme > v.lexeme AND p.lexeme < :high ORDER BY p.lexeme LIMIT 1)
        FROM vocabulary v WHERE v.lexeme IS NOT NULL
    )
    SELECT lexeme FROM vocabulary WHERE length(lexeme) BETWEEN :shortest AND :longest LIMIT 20000
""")

_READABLE_COUNTS = text("""
    SELECT p.lexeme, count(*) AS n_chunks
    FROM unnest(CAST(:lexemes AS text[])) AS offered(lexeme)
    CROSS JOIN LATERAL (
        SELECT p.lexeme FROM postings p
        JOIN chunks c ON c.id = p.chunk_id JOIN documents d ON d.id = c.document_id
        WHERE p.lexeme = offered.lexeme AND d.gate_ids <@ CAST(:passed AS int[])
          AND d.deleted_at IS NULL AND d.status = 'current'
        LIMIT 1000
    ) AS p
    GROUP BY p.lexeme
""")


def corrected(session: Session, lexeme: str, passed_gates: Sequence[int]) -> str | None:
    """The nearest known lexeme with the same first letter, the more frequent one of equals; None when none is near.

    One edit (a swap of neighbours counts as one) up to seven letters, two from eight on.
    """
    if len(lexeme) < _MIN_CHARS or not lexeme.isalpha():
        return None
    max_edits = 1 if len(lexeme) < 8 else 2
    known = session.scalars(
        _LEXEMES_FROM,
        {
            "low": lexeme[0],
            "high": chr(ord(lexeme[0]) + 1),
            "shortest": len(lexeme) - max_edits,
            "longest": len(lexeme) + max_edits,
        },
    )
    offered = dict(_nearest(lexeme, known, max_edits))
    rows = session.execute(_READABLE_COUNTS, {"lexemes": list(offered), "passed": list(passed_gates)})
    ranked = sorted((offered[row.lexeme], -row.n_chunks, row.lexeme) for row in rows)
    return ranked[0][2] if ranked else None


def edit_distance(left: str, right: str, at_most: int) -> int:
    """Insertions, deletions, replacements and swaps of neighbours; `at_most + 1` when there are more."""
    if abs(len(left) - len(right)) > at_most:
        return at_most + 1
    above = list(range(len(right) + 1))
    before, row = above, above
    for i, a in enumerate(left, start=1):
        before, above, row = above, row, [i]
        for j, b in enumerate(right, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > at_most:
            return at_most + 1
    return min(row[-1], at_most + 1)


def _nearest(lexeme: str, known: Iterable[str], max_edits: int) -> list[tuple[str, int]]:
    distances = ((word, edit_distance(lexeme, word, max_edits)) for word in known)
    near = [(word, distance) for word, distance in distances if distance <= max_edits]
    return sorted(near, key=lambda pair: (pair[1], pair[0]))[:_MAX_OFFERED]
