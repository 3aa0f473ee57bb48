"""A customer's own questions, one JSON object a line, asked of the installation's index. Writes nothing to it.

The format is described in docs/evaluation.md.
"""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.access import passed_gates
from core.errors import BadInput
from rag.answer import answer_question, find
from rag.search import Hit
from workers import people
from workers.context import Context

N_HITS = 20
_MAX_LINES = 10_000
_MAX_BYTES = 50 * 1024**2


class OwnQuestion(BaseModel):
    """One line of the file. `documents` are URLs, ids in the source, or titles; any of them is right."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    question: str = Field(min_length=3, max_length=2_000)
    documents: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    is_answerable: bool = True
    as_email: str | None = Field(None, alias="as")

    @field_validator("documents", "answers", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


def read_questions(path: Path) -> list[OwnQuestion]:
    """Every question of the file, empty lines left out.

    Raises:
        BadInput: names the line and what is wrong with it.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BadInput(f"{path} is larger than {_MAX_BYTES // 1024**2} MB")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as exc:
        raise BadInput(f"{path} cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise BadInput(f"{path} is not UTF-8 text: {exc.reason} at byte {exc.start}") from exc
    found = [_question(path, at, line) for at, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise BadInput(f'{path} holds no question: one JSON object a line, such as {{"question": "…"}}')
    if len(found) > _MAX_LINES:
        raise BadInput(f"{path} holds {len(found)} questions; at most {_MAX_LINES} are asked in one run")
    return found


def ask_own(
    context: Context, asked: Sequence[OwnQuestion], *, as_email: str | None
) -> Iterator[dict[str, Any]]:
    """A plain row a question: the rank of the first right document (None: not among 20), the answer, the times.

    Args:
        as_email: asks where a question names nobody; None is somebody unknown.

    Raises:
        NotFound: there is no person with such an address.
    """
    with context.factory() as session:
        emails = {one.as_email or as_email for one in asked}
        gates = {
            email: passed_gates(session, people.person_by_email(session, email).id if email else None)
            for email in emails
        }
    for one in asked:
        passed, embedder = gates[one.as_email or as_email], context.embedder
        started = time.monotonic()
        found = find(context.factory, one.question, passed_gates=passed, embedder=embedder, top_k=N_HITS)
        searched = time.monotonic()
        answer = answer_question(
            context.factory, one.question, passed_gates=passed, embedder=embedder, generator=context.generator
        )
        ended = time.monotonic()
        external = _external_ids(context, found.hits)
        rank = next((at for at, hit in enumerate(found.hits, 1) if _is_right(one, hit, external)), None)
        said = (
            " ".join(sentence.text for sentence in answer.sentences) if answer.outcome == "answered" else None
        )
        yield {
            "question": one.question,
            "expected": list(one.documents),
            "rank": rank if one.documents else None,
            "is_ranked": bool(one.documents) and one.is_answerable,
            "is_answerable": one.is_answerable,
            "answer": said,
            "is_answer_right": _holds(said, one.answers) if one.answers else None,
            "confidence": round(answer.confidence, 4),
            "hits": [evidence_row(hit.title, hit.url, hit.text, hit.score) for hit in found.hits[:5]],
            "search_s": searched - started,
            "answer_s": ended - searched,
        }


def evidence_row(title: str, place: str, words: str, score: float) -> dict[str, Any]:
    """A passage found, as reports show it."""
    return {"title": title, "place": place, "text": words[:600], "score": round(score, 4)}


def _question(path: Path, at: int, line: str) -> OwnQuestion:
    try:
        return OwnQuestion.model_validate(json.loads(line))
    except json.JSONDecodeError as exc:
        raise BadInput(f"{path}, line {at}: not JSON ({exc.msg} at column {exc.colno})") from exc
    except ValidationError as exc:
        wrong = exc.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in wrong["loc"]) or "the line"
        allowed = "question, documents, answers, is_answerable, as"
        raise BadInput(f"{path}, line {at}: {field}: {wrong['msg']} (fields: {allowed})") from exc


def _external_ids(context: Context, hits: Sequence[Hit]) -> dict[int, str]:
    from sqlalchemy import select

    from core.tables.documents import Document

    ids = {hit.document_id for hit in hits}
    with context.factory() as session:
        rows = session.execute(select(Document.id, Document.external_id).where(Document.id.in_(ids))).all()
    return {row.id: row.external_id for row in rows}


def _is_right(asked: OwnQuestion, hit: Hit, external: dict[int, str]) -> bool:
    names = {external.get(hit.document_id, ""), hit.url.split("#", 1)[0].rstrip("/"), hit.title.casefold()}
    return any({one, one.split("#", 1)[0].rstrip("/"), one.casefold()} & names for one in asked.documents)


def _holds(said: str | None, wanted: Sequence[str]) -> bool:
    return said is not None and any(one.casefold() in said.casefold() for one in wanted)
