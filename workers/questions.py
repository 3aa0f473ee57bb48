"""Questions: written down when asked, answered under an audience's gates, kept with their evidence and timings.

Shared by the API, the CLI and Slack's job. Knows no place an answer is shown in.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, text
from sqlalchemy.orm import Session

from core.access import gates_passed_by_all
from core.errors import BadInput, NotConfigured, NotFound
from core.metrics import QUESTION_SECONDS, QUESTIONS
from core.tables.questions import Question
from rag.answer import Answer, Citation, answer_question
from rag.search import Filters
from workers import answers_at_hand
from workers.context import Context

logger = logging.getLogger(__name__)

FORGET_JOBS = text("""
    DELETE FROM jobs j WHERE j.state <> 'running' AND j.args ? 'question_id'
      AND NOT EXISTS (SELECT 1 FROM questions q WHERE q.id = (j.args->>'question_id')::bigint)
""")
NOT_READY = "Nothing is searchable yet: the first sync is still running. Please ask again in a few minutes."


def write_down(
    session: Session, text: str, *, person_id: int | None, place: dict[str, Any], max_chars: int
) -> int:
    """Keep the question before anything else happens to it. Returns its id.

    Raises:
        BadInput: empty, or longer than `max_chars`.
    """
    clean = " ".join(text.replace("\x00", "").encode("utf-8", "ignore").decode().split())
    if not clean:
        raise BadInput("the question is empty")
    if len(clean) > max_chars:
        raise BadInput(f"the question has {len(clean)} characters, the limit is {max_chars}")
    row = Question(text=clean, person_id=person_id, place=place)
    session.add(row)
    session.flush()
    return row.id


def answer(
    context: Context,
    question_id: int,
    *,
    audience: Sequence[int | None],
    filters: Filters | None = None,
    within: Filters | None = None,
) -> Answer:
    """Answer from what everyone of `audience` may open, and keep the answer with the question.

    What somebody has confirmed comes first, then what was just answered to the same question.

    Args:
        audience: person ids; None stands for somebody unknown, who passes only what is open to anyone.
        filters: narrows what is searched; None reads it from the question's words.
        within: what is searched at all, as in a channel of few spaces; None is everything.

    Raises:
        NotFound: the question's row is gone.
        core.errors.ImpError: the generator's engine cannot be used.
    """
    started = time.monotonic()
    with context.factory() as session:
        row = session.get(Question, question_id)
        if row is None:
            raise NotFound(f"question {question_id} does not exist")
        text = row.place.get("understood") or row.text
        passed = gates_passed_by_all(session, audience)
    narrowed = filters or within
    key = answers_at_hand.reuse_key(context, text, passed, narrowed)
    found = (
        answers_at_hand.confirmed(context, text, passed, narrowed)
        or answers_at_hand.given(context, text, passed, key)
        or _afresh(context, text, passed, filters, within)
    )
    total_s = time.monotonic() - started
    is_own = not ({"verified", "reused"} & set(found.trace))
    with context.factory.begin() as session:
        _keep(session, question_id, found, total_s, reuse_key=key if is_own else None)
    QUESTIONS.labels(found.outcome).inc()
    for stage, seconds in {**found.timings_s, "total": total_s}.items():
        QUESTION_SECONDS.labels(stage).observe(seconds)
    logger.info(
        "question_answered",
        extra={"question_id": question_id, "outcome": found.outcome, "duration_s": round(total_s, 3)},
    )
    return found


def _afresh(
    context: Context, text: str, passed: Sequence[int], filters: Filters | None, within: Filters | None
) -> Answer:
    generator = context.generator
    try:
        return answer_question(
            context.factory, text, passed_gates=passed, embedder=context.embedder, generator=generator,
            filters=filters, within=within,
        )  # fmt: skip
    except NotConfigured as exc:
        if "nothing is indexed" not in str(exc):
            raise
        return Answer(text, "nothing_found", NOT_READY, (), (), 0.0, NOT_READY, generator.name)


def _keep(
    session: Session, question_id: int, found: Answer, total_s: float, *, reuse_key: str | None
) -> None:
    row = session.get(Question, question_id)
    if row is None:
        return  # the person asked to be forgotten meanwhile
    row.answer, row.outcome, row.reason = found.text, found.outcome, found.reason or None
    row.confidence, row.engine = found.confidence, found.engine
    row.citations = [plain_citation(one) for one in found.citations]
    row.timings_s = {**found.timings_s, "total": round(total_s, 4)}
    row.trace = found.trace
    if reuse_key is not None and found.outcome == "answered":
        row.trace = {**found.trace, "rests_on": answers_at_hand.rests_on(session, found)}
    row.answered_at = datetime.now(UTC)
    row.reuse_key = reuse_key


def asked_by(via: str, user: str, team: str | None = None) -> list[ColumnElement[bool]]:
    """Conditions on the questions of one account; `team` only where there are several workspaces."""
    conditions = [Question.place["via"].as_string() == via, Question.place["user"].as_string() == user]
    return conditions if team is None else [*conditions, Question.place["team"].as_string() == team]


def forget(
    session: Session, via: str, user: str, team: str | None = None, *, person_id: int | None = None
) -> int:
    """Delete every question of this account, and of the person behind it; with it what jobs kept of them.

    Returns:
        How many questions.
    """
    mine = and_(*asked_by(via, user, team))
    statement = delete(Question).where(
        mine if person_id is None else mine | (Question.person_id == person_id)
    )
    n_questions = int(session.execute(statement).rowcount)  # type: ignore[attr-defined]
    forget_jobs(session)
    return n_questions


def forget_jobs(session: Session) -> int:
    """Delete jobs about questions that are not kept any more: some carry words of them. Returns how many.

    Those running now end by themselves, since they find no question.
    """
    return int(session.execute(FORGET_JOBS).rowcount)  # type: ignore[attr-defined]


def told_trace(found: Answer) -> dict[str, Any]:
    """The trace as its asker may see it.

    How much a word weighs comes from all documents, closed ones too, and so does every score made of it: an asker
    learns the order of the candidates and how near each is to the question, both told by readable text alone.
    """
    trace = {name: value for name, value in found.trace.items() if name != "candidates"}
    trace["candidates"] = [
        {
            **{name: value for name, value in one.items() if name not in ("score", "lexical_score")},
            "has_words": one["lexical_score"] > 0,
        }
        for one in found.trace.get("candidates", ())
    ]
    return trace


def plain_citation(citation: Citation) -> dict[str, Any]:
    """A citation as JSON, as the `questions` table keeps it."""
    moment = citation.updated_at
    return {**asdict(citation), "updated_at": moment.isoformat() if moment else None}
