"""An answer as the message Slack shows; knows both the kept answer and Slack's message, and says nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import text

from connectors.slack.answer_message import AnswerMessage, Source, Verified, sources_of
from connectors.slack.phrases import Phrases, phrases
from core.tables.questions import Question
from rag.answer import Answer
from workers import questions
from workers.context import Context
from workers.question_language import question_language

STILL_READ = text("""
    SELECT 1 FROM sources s
    WHERE s.kind = 'confluence' AND s.state <> 'removed' AND (
        s.full_synced_at IS NULL OR EXISTS (
            SELECT 1 FROM documents d
            WHERE d.source_id = s.id AND d.indexed_hash IS DISTINCT FROM d.content_hash AND d.indexed_hash IS NULL
              AND d.deleted_at IS NULL AND d.status = 'current' AND d.error IS NULL
        )
    ) LIMIT 1
""")


def message_of(context: Context, question: Question, found: Answer) -> AnswerMessage:
    """What to show for `found`; on a refusal with the passages nearest to it."""
    citations = sources_of([questions.plain_citation(one) for one in found.citations])
    is_answered = found.outcome == "answered"
    language = question_language(question.text)
    said = found.text if is_answered else _why_not(context, phrases(language), found.outcome)
    return AnswerMessage(
        question_id=question.id,
        question=question.text,
        text=said,
        sources=citations if is_answered else (),
        is_answered=is_answered,
        confidence=found.confidence,
        engine=found.engine,
        nearest=() if is_answered else _each_once(citations),
        understood=question.place.get("understood"),
        verified=_verified(found.trace),
        language=language,
    )


def words_for(question: Question) -> Phrases:
    """The bot's own words in the language of this question."""
    return phrases(question_language(question.text))


def _each_once(sources: Sequence[Source]) -> tuple[Source, ...]:
    """A page found at several headings is one page to look at."""
    pages = {source.url.partition("#")[0]: source for source in reversed(sources)}
    found = sorted(pages.values(), key=lambda source: source.number)
    return tuple(replace(source, number=number) for number, source in enumerate(found, start=1))


def _why_not(context: Context, words: Phrases, outcome: str) -> str:
    """The same words whether nothing is there or the asker may not open it."""
    why = str(getattr(words, outcome))
    return f"{why} {words.syncing}" if _is_syncing(context) else why


def _verified(trace: dict[str, Any]) -> Verified | None:
    found = trace.get("verified")
    return Verified(str(found["by"]), datetime.fromisoformat(found["at"])) if found else None


def _is_syncing(context: Context) -> bool:
    """A site was never read to its end, or a page of it was never made searchable."""
    with context.factory() as session:
        return session.execute(STILL_READ).first() is not None
