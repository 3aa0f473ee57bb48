"""Answers that need no writing: one somebody has confirmed, or one just given to the same question.

Both are only for who passes the doors of all they rest on, and only while that stands as it stood.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.tables.documents import Document
from rag.answer import Answer
from rag.same_question import question_key
from rag.search import Filters
from rag.verified import find_verified, kept_citation
from workers.context import Context

# What was read since may answer better, so a newly read document ends the reuse of all earlier answers: one the asker
# may open, since otherwise a fresh answer would tell that something closed was written.
GIVEN = text("""
    SELECT q.id, q.answer, q.citations, q.confidence, q.engine, q.answered_at FROM questions q
    WHERE q.reuse_key = :key AND q.trace ? 'rests_on' AND q.answered_at > now() - make_interval(secs => :most_s)
      AND q.outcome = 'answered' AND q.feedback IS DISTINCT FROM 'down'
      AND NOT EXISTS (
          SELECT 1 FROM jobs j JOIN documents d ON d.id = CAST(j.args->>'document_id' AS bigint)
          WHERE j.kind = 'index_document' AND j.finished_at > q.answered_at
            AND d.gate_ids <@ CAST(:passed AS int[])
      )
      AND NOT EXISTS (
          SELECT 1 FROM jsonb_each_text(q.trace->'rests_on') was
          LEFT JOIN documents d ON d.id = was.key::bigint
          WHERE d.id IS NULL OR d.deleted_at IS NOT NULL OR d.status <> 'current'
             OR d.content_hash IS DISTINCT FROM was.value
             OR NOT coalesce(d.gate_ids <@ CAST(:passed AS int[]), false)
      )
    ORDER BY q.answered_at DESC LIMIT 1
""")


def confirmed(
    context: Context, question: str, passed: Sequence[int], filters: Filters | None
) -> Answer | None:
    """What somebody has confirmed for this question; its trace says who and when."""
    vector = context.embedder.embed_query(question)
    with context.factory() as session:
        return find_verified(
            session, question, vector, embedder=context.embedder, passed_gates=passed, filters=filters
        )


def given(context: Context, question: str, passed: Sequence[int], key: str) -> Answer | None:
    """What was answered to the same question under the same gates within IMP_REUSE_ANSWERS_S."""
    most_s = context.settings.imp_reuse_answers_s
    if not most_s:
        return None
    with context.factory() as session:
        row = session.execute(GIVEN, {"key": key, "most_s": most_s, "passed": list(passed)}).one_or_none()
    if row is None:
        return None
    return Answer(
        question=question,
        outcome="answered",
        text=row.answer,
        sentences=(),
        citations=tuple(kept_citation(one) for one in row.citations),
        confidence=row.confidence,
        reason="",
        engine=row.engine,
        trace={"reused": {"question_id": row.id, "answered_at": row.answered_at.isoformat()}},
    )


def rests_on(session: Session, found: Answer) -> dict[str, str]:
    """Content hashes of the documents an answer cites, by id: what must not change for it to be given again."""
    cited = {one.document_id for one in found.citations}
    statement = select(Document.id, Document.content_hash).where(Document.id.in_(cited))
    return {str(row.id): row.content_hash or "" for row in session.execute(statement)}


def reuse_key(context: Context, question: str, passed: Sequence[int], filters: Filters | None) -> str:
    """The same for the same words, doors, narrowing and engines."""
    embedder = context.embedder
    parts = [
        question_key(question), sorted(passed), astuple(filters) if filters else None,
        context.generator.name, embedder.name, embedder.revision,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
