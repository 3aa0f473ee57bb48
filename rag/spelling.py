"""An unknown query word becomes the nearest word of the corpus the asker may read; needs no pg_trgm.

Only lexemes that occur in a document behind the asker's gates are offered, so a correction reveals nothing.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

_MIN_CHARS = 4
_MAX_OFFERED = 8
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzàáâäåæçèéêëíîïñóôöøúûüß")

# One index probe for each way to be one edit away: some hundred, however large the vocabulary.
_KNOWN = text("""
    SELECT offered.lexeme FROM unnest(CAST(:lexemes AS text[])) AS offered(lexeme)
    WHERE EXISTS (SELECT FROM postings p WHERE p.lexeme = offered.lexeme)
""")

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

    One edit (a swap of neighbours counts as one); from eight letters on two, where the first two letters are right.
    """
    if len(lexeme) < _MIN_CHARS or not lexeme.isalpha():
        return None
    known = session.scalars(_KNOWN, {"lexemes": sorted(one_edit_away(lexeme))}).all()
    found = _most_frequent(session, _nearest(lexeme, known, 1), passed_gates)
    if found is not None or len(lexeme) < 8:
        return found
    known = session.scalars(
        _LEXEMES_FROM,
        {
            "low": lexeme[:2],
            "high": lexeme[0] + chr(ord(lexeme[1]) + 1),
            "shortest": len(lexeme) - 2,
            "longest": len(lexeme) + 2,
        },
    ).all()
    return _most_frequent(session, _nearest(lexeme, known, 2), passed_gates)


def one_edit_away(word: str) -> set[str]:
    """Every word one insertion, deletion, replacement or swap of neighbours away that begins with the same letter."""
    letters = _LETTERS | set(word)
    cuts = [(word[:at], word[at:]) for at in range(1, len(word) + 1)]
    deleted = {left + right[1:] for left, right in cuts if right}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    replaced = {left + letter + right[1:] for left, right in cuts if right for letter in letters}
    inserted = {left + letter + right for left, right in cuts for letter in letters}
    return (deleted | swapped | replaced | inserted) - {word}


def _most_frequent(
    session: Session, near: Sequence[tuple[str, int]], passed_gates: Sequence[int]
) -> str | None:
    """The nearest of them, the more frequent one of equals, among those the asker may read."""
    if not near:
        return None
    offered = dict(near)
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
