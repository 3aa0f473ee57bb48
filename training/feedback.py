"""What people judged, as training pairs: the first dataset that a company's own use makes.

A thumb under an answer labels each pair of its question and a cited passage. Knows no model and no trainer.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

PAIRS = text("""
    SELECT q.id AS question_id, q.text AS question, c.text AS passage, c.context, q.feedback = 'up' AS is_helpful
    FROM questions q
    CROSS JOIN LATERAL jsonb_array_elements(q.citations) AS cited
    JOIN chunks c ON c.id = (cited->>'chunk_id')::bigint
    JOIN documents d ON d.id = c.document_id
    WHERE q.feedback IN ('up', 'down') AND q.outcome = 'answered'
      AND d.deleted_at IS NULL AND d.gate_ids <@ CAST(:passed AS int[])
    ORDER BY q.id, c.id
""")


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """A question and a passage it was answered from; `context` is the passage's title and headings."""

    question_id: int
    question: str
    passage: str
    context: str
    is_helpful: bool


def judged_pairs(session: Session, passed: Sequence[int]) -> Iterator[JudgedPair]:
    """Every judged pair from documents behind the gates in `passed`, by question.

    A model remembers what it was trained on, so `passed` must be the gates that all its users pass (for a
    model everybody uses: `core.access.passed_gates(session, None)`). Passages changed since are left out.
    """
    for row in session.execute(PAIRS, {"passed": list(passed)}):
        yield JudgedPair(row.question_id, row.question, row.passage, row.context, row.is_helpful)


def write_pairs(session: Session, passed: Sequence[int], path: Path) -> int:
    """Write the pairs as JSON lines; returns how many."""
    n_pairs = 0
    with path.open("w", encoding="utf-8") as target:
        for pair in judged_pairs(session, passed):
            target.write(json.dumps(asdict(pair), ensure_ascii=False) + "\n")
            n_pairs += 1
    return n_pairs
