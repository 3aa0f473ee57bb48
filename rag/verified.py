"""Confirmed answers: found again for the same question, only for who may open all they rest on, only while that stands.

Knows no Slack and no person beyond a name; who may confirm is the caller's to say.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core.errors import BadInput, Conflict, NotFound
from core.tables.documents import Document
from core.tables.verified import VerifiedAnswer, VerifiedSource
from rag.answer import Answer, Citation
from rag.embedding import Embedder, Vectors
from rag.same_question import LEAST_SIMILAR, is_same_question, question_key
from rag.search import Filters
from rag.store import find_model, vector_text

MAX_ANSWER_CHARS = 3_000
N_LOOKED_AT = 20
NAMES = frozenset(field.name for field in fields(Citation))
_MARK = re.compile(r"\s*\[(\d{1,3})\]")
# A document that is gone takes its row of verified_sources along, so their number is compared as well.
LIVE = text("""
    SELECT v.id, v.question, v.answer, v.citations, v.author_name, v.verified_at,
           CASE WHEN v.model_id = :model_id THEN 1 - (v.vector <=> CAST(:vector AS halfvec)) ELSE 0 END AS similarity
    FROM verified_answers v
    WHERE v.expired_at IS NULL
      AND (v.question_key = :key OR v.model_id = :model_id AND v.vector <=> CAST(:vector AS halfvec) < :farthest)
      AND v.n_sources = (
          SELECT count(*) FROM verified_sources s JOIN documents d ON d.id = s.document_id
          WHERE s.verified_id = v.id AND d.content_hash = s.content_hash AND d.deleted_at IS NULL
            AND d.status = 'current' AND d.gate_ids <@ CAST(:passed AS int[])
            AND (CAST(:spaces AS text[]) = '{}' OR d.space_key = ANY(CAST(:spaces AS text[])))
            AND (CAST(:source_ids AS int[]) = '{}' OR d.source_id = ANY(CAST(:source_ids AS int[])))
      )
    ORDER BY (v.question_key = :key) DESC, similarity DESC, v.verified_at DESC LIMIT :most
""")
EXPIRE = text("""
    UPDATE verified_answers v SET expired_at = now(), expired_because = CASE
        WHEN (SELECT count(*) FROM verified_sources s JOIN documents d ON d.id = s.document_id
              WHERE s.verified_id = v.id AND d.deleted_at IS NULL AND d.status = 'current') < v.n_sources
        THEN 'gone' ELSE 'changed' END
    WHERE v.expired_at IS NULL AND v.n_sources > (
        SELECT count(*) FROM verified_sources s JOIN documents d ON d.id = s.document_id
        WHERE s.verified_id = v.id AND d.content_hash = s.content_hash AND d.deleted_at IS NULL
          AND d.status = 'current'
    ) RETURNING v.id
""")

LIST = text("""
    SELECT v.id, v.question, v.author_name AS author, v.verified_at, v.expired_because,
           (SELECT count(*) FROM questions q WHERE q.engine = 'verified by ' || v.author_name
            AND (q.trace->'verified'->>'id')::bigint = v.id) AS n_served
    FROM verified_answers v WHERE v.expired_at IS NULL OR :every ORDER BY v.verified_at DESC, v.id DESC LIMIT 500
""")


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What an expert stands for. `citations` as the `questions` table keeps them; `vector` by `model_id`."""

    question: str
    answer: str
    citations: Sequence[dict[str, Any]]
    author_id: int
    author_name: str
    question_id: int | None = None


def confirm(session: Session, confirmed: Confirmed, *, embedder: Embedder, vector: Vectors) -> int:
    """Keep the answer with its documents as they are now; an earlier one to the same question is replaced.

    Marks of sources that are not there are taken out; what cites nothing any more rests on all of them.

    Raises:
        BadInput: no words, too many, or nothing it rests on.
        Conflict: a document it rests on is gone or not read yet.
    """
    answer = confirmed.answer.replace("\x00", "").strip()
    if not answer or len(answer) > MAX_ANSWER_CHARS:
        raise BadInput(f"an answer has 1 to {MAX_ANSWER_CHARS} characters")
    if not question_key(confirmed.question):
        raise BadInput("the question is empty")
    answer, citations = _fitting(answer, confirmed.citations)
    hashes = _hashes(session, sorted({int(one["document_id"]) for one in citations}))
    key, model = question_key(confirmed.question), find_model(session, embedder)
    session.execute(
        update(VerifiedAnswer)
        .where(VerifiedAnswer.question_key == key, VerifiedAnswer.expired_at.is_(None))
        .where(VerifiedAnswer.id.in_(_resting_on_the_same(session, key, hashes)))
        .values(expired_at=text("now()"), expired_because="replaced")
    )
    row = VerifiedAnswer(
        question_id=confirmed.question_id, question=confirmed.question, question_key=key,
        model_id=model.id if model else None, vector=np.asarray(vector, dtype=np.float32) if model else None,
        answer=answer, citations=list(citations), n_sources=len(hashes), author_id=confirmed.author_id,
        author_name=confirmed.author_name,
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add_all(
        VerifiedSource(verified_id=row.id, document_id=document_id, content_hash=content_hash)
        for document_id, content_hash in hashes.items()
    )
    session.flush()
    return row.id


def find_verified(
    session: Session,
    question: str,
    vector: Vectors,
    *,
    embedder: Embedder,
    passed_gates: Sequence[int],
    filters: Filters | None = None,
) -> Answer | None:
    """The confirmed answer to this question that this audience may see; None where there is none."""
    model = find_model(session, embedder)
    asked = {
        "key": question_key(question), "model_id": model.id if model else None, "vector": vector_text(vector),
        "farthest": 1 - LEAST_SIMILAR + 1e-6, "passed": list(passed_gates),
        "spaces": list(filters.spaces) if filters else [],
        "source_ids": list(filters.source_ids) if filters else [], "most": N_LOOKED_AT,
    }  # fmt: skip
    for row in session.execute(LIVE, asked):
        if is_same_question(question, row.question, float(row.similarity)):
            return _as_answer(question, row)
    return None


def expire_changed(session: Session) -> list[int]:
    """Mark what rests on something that changed or is gone. Returns the ids."""
    return list(session.execute(EXPIRE).scalars())


def list_verified(session: Session, *, every: bool = False) -> list[dict[str, Any]]:
    """Confirmed answers, the newest first, as rows for a table; with `every` also those that expired."""
    return [
        {
            **row._mapping,
            "verified_at": row.verified_at.isoformat(timespec="minutes"),
            "state": row.expired_because or "served",
        }
        for row in session.execute(LIST, {"every": every})
    ]


def withdraw(session: Session, verified_id: int) -> None:
    """Serve this answer no more. Raises NotFound when there is none, or it has expired."""
    statement = (
        update(VerifiedAnswer)
        .where(VerifiedAnswer.id == verified_id, VerifiedAnswer.expired_at.is_(None))
        .values(expired_at=text("now()"), expired_because="withdrawn")
        .returning(VerifiedAnswer.id)
    )
    if session.execute(statement).first() is None:
        raise NotFound(f"there is no confirmed answer {verified_id} that is served")


def _as_answer(question: str, row: Any) -> Answer:
    verified_at: datetime = row.verified_at
    served = {
        "id": row.id, "question": row.question, "by": row.author_name, "at": verified_at.isoformat(),
        "similarity": round(float(row.similarity), 3),
    }  # fmt: skip
    return Answer(
        question=question,
        outcome="answered",
        text=row.answer,
        sentences=(),
        citations=tuple(kept_citation(one) for one in row.citations),
        confidence=1.0,
        reason="",
        engine=f"verified by {row.author_name}",
        trace={"verified": served},
    )


def kept_citation(kept: dict[str, Any]) -> Citation:
    """A citation from its JSON in the `questions` table."""
    moment = kept.get("updated_at")
    updated_at = datetime.fromisoformat(moment) if moment else None
    known = {name: value for name, value in kept.items() if name in NAMES}
    return Citation(**{**known, "updated_at": updated_at, "heading_path": tuple(kept["heading_path"])})


def _fitting(answer: str, citations: Sequence[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """The answer without marks that lead nowhere, and the sources it rests on."""
    known = {int(one["number"]) for one in citations}
    answer = _MARK.sub(lambda mark: mark[0] if int(mark[1]) in known else "", answer)
    cited = {int(mark[1]) for mark in _MARK.finditer(answer)}
    kept = [one for one in citations if int(one["number"]) in cited] if cited else list(citations)
    if not kept:
        raise BadInput("an answer that rests on no source cannot be confirmed")
    return answer, kept


def _hashes(session: Session, document_ids: Sequence[int]) -> dict[int, str]:
    statement = select(Document.id, Document.content_hash).where(
        Document.id.in_(document_ids),
        Document.deleted_at.is_(None),
        Document.status == "current",
        Document.content_hash.is_not(None),
    )
    found = {row.id: str(row.content_hash) for row in session.execute(statement)}
    if len(found) < len(document_ids):
        raise Conflict("a source of this answer is gone or has not been read yet")
    return found


def _resting_on_the_same(session: Session, key: str, hashes: dict[int, str]) -> list[int]:
    """Live answers to the same question that rest on the same documents: other readers keep theirs."""
    statement = (
        select(VerifiedSource.verified_id, VerifiedSource.document_id)
        .join(VerifiedAnswer, VerifiedAnswer.id == VerifiedSource.verified_id)
        .where(VerifiedAnswer.question_key == key, VerifiedAnswer.expired_at.is_(None))
    )
    resting: dict[int, set[int]] = {}
    for row in session.execute(statement):
        resting.setdefault(row.verified_id, set()).add(row.document_id)
    return [verified_id for verified_id, ids in resting.items() if ids == set(hashes)]
