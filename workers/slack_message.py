"""An answer as the message Slack shows; knows both the kept answer and Slack's message, and says nothing."""

from sqlalchemy import select

from connectors.slack.answer_message import AnswerMessage, sources_of
from core.tables.documents import Source
from core.tables.questions import Question
from rag.answer import Answer
from workers import questions
from workers.context import Context

SYNCING = "The first sync of Confluence is still running, so something may be missing."


def message_of(context: Context, question: Question, found: Answer) -> AnswerMessage:
    """What to show for `found`; on a refusal with the passages nearest to it."""
    citations = sources_of([questions.plain_citation(one) for one in found.citations])
    is_answered = found.outcome == "answered"
    note = None if is_answered or not _is_syncing(context) else SYNCING
    return AnswerMessage(
        question_id=question.id,
        question=question.text,
        text=found.text if note is None else f"{found.text} {note}",
        sources=citations if is_answered else (),
        is_answered=is_answered,
        confidence=found.confidence,
        engine=found.engine,
        nearest=() if is_answered else citations,
        understood=question.place.get("understood"),
    )


def _is_syncing(context: Context) -> bool:
    statement = select(Source.id).where(
        Source.kind == "confluence", Source.full_synced_at.is_(None), Source.state != "removed"
    )
    with context.factory() as session:
        return session.execute(statement.limit(1)).first() is not None
