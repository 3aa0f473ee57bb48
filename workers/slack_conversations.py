"""Threads in which we answered, and what a follow-up question in one of them leans on; knows no Slack call.

No model rewrites anything: words of the question before are carried over, and what came out is shown.
"""

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connectors.slack.inbox import Asked
from core.tables.questions import Conversation, Question
from rag.support import content_words, stem

PROVIDER = "slack"
STALE = timedelta(days=14)
STALE_DIRECT = timedelta(minutes=30)
"""A direct message outside of a thread leans on the one before only while that is fresh."""
MAX_CARRIED = 8
LEANS = re.compile(
    r"^(and|also|but|so|or|then|what about|how about|und|auch|aber|was ist mit|wie ist es mit)\b"
    r"|\b(it|its|they|them|their|this|that|these|those|he|she|him|her|his|there|"
    r"es|sie|er|ihn|ihm|ihr|dies\w*|davon|dazu|dort)\b",
    re.IGNORECASE,
)
ASKS = re.compile(
    r"\?|^\W*(and|but|so|und|aber)?\W*(who|whom|whose|what|when|where|why|how|which|is|are|was|were|does|do|did|can|"
    r"could|should|will|would|has|have|tell me|show me|explain|list|wer|wem|was|wann|wo|warum|wie|welche\w*)\b",
    re.IGNORECASE,
)


ASKING_WORDS = frozenset(
    ("why", "how", "whom", "whose", "much", "many", "tell", "show", "please", "warum", "wie", "wann", "wo")
)


def is_question(text: str) -> bool:
    """True for talk that asks; in a thread of people most of it does not."""
    return ASKS.search(text) is not None


def question_before(session: Session, asked: Asked) -> str | None:
    """The last question asked in this conversation, as it was understood; None when there is none."""
    if asked.leans_on is not None:
        above = session.get(Question, asked.leans_on)
        is_theirs = above is not None and above.place.get("user") == asked.user
        return str(above.place.get("understood") or above.text) if above and is_theirs else None
    if asked.place == "command":
        return None
    statement = (
        select(Question, Conversation.updated_at)
        .join(Conversation, Conversation.question_id == Question.id)
        .where(
            Conversation.provider == PROVIDER,
            Conversation.channel == asked.channel,
            Conversation.thread == (asked.thread_ts or ""),
        )
    )
    row = session.execute(statement).one_or_none()
    patience = STALE if asked.thread_ts else STALE_DIRECT
    if row is None or row.updated_at < datetime.now(UTC) - patience:
        return None
    return str(row.Question.place.get("understood") or row.Question.text)


def remember(session: Session, asked: Asked, question_id: int) -> None:
    """The thread this question is answered in; the next message there may lean on it."""
    if asked.place == "command":
        return
    thread = asked.thread_ts or ("" if asked.place == "dm" else asked.ts)
    values = {"question_id": question_id, "updated_at": datetime.now(UTC)}
    statement = insert(Conversation).values(
        provider=PROVIDER, channel=asked.channel, thread=thread or "", **values
    )
    session.execute(
        statement.on_conflict_do_update(index_elements=["provider", "channel", "thread"], set_=values)
    )


def goes_on(session: Session, channel: str, posted: str, question_id: int) -> None:
    """An answer stands in the channel itself: what is written below it leans on its question."""
    if session.get(Question, question_id) is None:
        return  # the person asked to be forgotten meanwhile
    values = {"question_id": question_id, "updated_at": datetime.now(UTC)}
    statement = insert(Conversation).values(provider=PROVIDER, channel=channel, thread=posted, **values)
    session.execute(
        statement.on_conflict_do_update(index_elements=["provider", "channel", "thread"], set_=values)
    )


def stand_alone(text: str, before: str) -> str | None:
    """The question with the topic of the one before, or None when it stands alone already.

    `and when?` after `why was the Kestrel launch moved?` becomes `and when? (Kestrel launch moved)`.
    """
    mine = {stem(word) for word in content_words(text)}
    if LEANS.search(text) is None and len(mine) > 2:
        return None
    carried = [word for word in _topic(before) if stem(word.lower()) not in mine]
    return f"{text} ({' '.join(carried[-MAX_CARRIED:])})" if carried else None


def _topic(question: str) -> list[str]:
    """The question's content words as they were written, in order, each once."""
    wanted = {stem(word) for word in content_words(question) if word not in ASKING_WORDS}
    written = dict.fromkeys(re.findall(r"\w[\w'-]*", question))
    return [word for word in written if stem(word.lower()) in wanted]
