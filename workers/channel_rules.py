"""What a channel's settings mean for one question asked there: who may ask, where the answer goes, what is searched.

Direct messages know no rules. Knows no Slack call.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from core.tables.questions import Question
from rag.answer import Answer
from rag.search import Filters
from workers import questions
from workers.channel_settings import ChannelSettings, channel_settings
from workers.context import Context


def rules_at(session: Session, place: dict[str, Any]) -> ChannelSettings:
    """The settings of the channel a question stands in, as they are now."""
    if place["kind"] == "dm":
        return ChannelSettings()
    return channel_settings(session, place.get("team") or "", place["channel"])


def rules_of(context: Context, question: Question) -> ChannelSettings:
    """As `rules_at`, in a transaction of its own."""
    with context.factory() as session:
        return rules_at(session, question.place)


def is_private(rules: ChannelSettings) -> bool:
    """True when nothing may be said for all to see: the channel's wish, or its quiet hours now."""
    return rules.reply == "private" or rules.quiet_for(datetime.now(UTC)) is not None


def quiet_left(session: Session, team: str | None, channel: str) -> timedelta | None:
    """How long this channel is still quiet; None when it is not."""
    return channel_settings(session, team or "", channel).quiet_for(datetime.now(UTC))


def answer(context: Context, question: Question, audience: Sequence[int | None]) -> Answer:
    """Answer from the spaces and sources of the question's channel, under the audience's doors."""
    rules = rules_of(context, question)
    is_bounded = bool(rules.spaces or rules.source_ids)
    within = Filters(spaces=rules.spaces, source_ids=rules.source_ids) if is_bounded else None
    return questions.answer(context, question.id, audience=audience, within=within)


def refuse(context: Context, question: Question, why: str) -> None:
    """Keep that this question was not answered, and why."""
    with context.factory.begin() as session:
        kept = session.get(Question, question.id)
        if kept is not None:
            kept.outcome, kept.reason, kept.answered_at = "refused", why, datetime.now(UTC)


def at_its_place(question: Question, rules: ChannelSettings) -> dict[str, Any]:
    """The question's place with where the channel wants the answer."""
    return {**question.place, "reply": rules.reply}
