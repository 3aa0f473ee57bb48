"""`POST /v1/ask`: a question in, an answer with citations out, under the asker's own gates."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from app.auth import Ctx, PersonId
from workers import questions

router = APIRouter(tags=["questions"])


class AskRequest(BaseModel):
    """A question in plain words."""

    model_config = ConfigDict(extra="forbid")
    question: str = Field(min_length=1, max_length=20_000)
    explain: bool = Field(False, description="Add what was searched and why passages were used or dropped.")


class CitationReply(BaseModel):
    """Where a statement comes from; `url` opens the page at its heading, the recording at its second."""

    number: int
    title: str
    url: str
    kind: str
    space_key: str | None
    updated_at: datetime | None
    start_s: float | None
    quote: str


class AskReply(BaseModel):
    """`outcome` is answered, nothing_found, low_confidence or unsupported; `answer` carries [n] markers."""

    question_id: int
    outcome: str
    answer: str
    confidence: float
    engine: str
    citations: list[CitationReply]
    timings_s: dict[str, float]
    trace: dict[str, Any] | None = None


@router.post("/v1/ask", responses={400: {}, 401: {}, 503: {}})
def ask(context: Ctx, person_id: PersonId, body: AskRequest) -> AskReply:
    """Answered from what the token's person could open in Confluence."""
    with context.factory.begin() as session:
        question_id = questions.write_down(
            session, body.question, person_id=person_id, place={"via": "api"},
            max_chars=context.settings.imp_question_max_chars,
        )  # fmt: skip
    found = questions.answer(context, question_id, audience=[person_id])
    return AskReply(
        question_id=question_id,
        outcome=found.outcome,
        answer=found.text,
        confidence=found.confidence,
        engine=found.engine,
        citations=[CitationReply.model_validate(one, from_attributes=True) for one in found.citations],
        timings_s=found.timings_s,
        trace=questions.told_trace(found) if body.explain else None,
    )
