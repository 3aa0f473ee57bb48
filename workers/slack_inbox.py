"""What Slack sent, written down once and handed to a job: the other end of `connectors.slack.listeners`.

One short transaction a request: the delivery id, the question and its job are kept together or not at all.
"""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connectors.slack.listeners import Asked, Clicked
from core import jobs
from core.models import Delivery, Question
from workers import questions
from workers.context import Context
from workers.people import person_of_account

PROVIDER = "slack"


class SlackInbox:
    """Implements `connectors.slack.listeners.Inbox` on the database."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def ask(self, asked: Asked) -> bool:
        with self._context.factory.begin() as session:
            if not _take(session, asked.delivery_id):
                return False
            question_id = questions.write_down(
                session,
                asked.text,
                person_id=person_of_account(session, PROVIDER, asked.user),
                place={
                    "via": PROVIDER,
                    "kind": asked.place,
                    "user": asked.user,
                    "channel": asked.channel,
                    "ts": asked.ts,
                    "thread_ts": asked.thread_ts,
                    "response_url": asked.response_url,
                },
                max_chars=self._context.settings.imp_question_max_chars,
            )
            jobs.enqueue(session, "answer_question", str(question_id), question_id=question_id)
        return True

    def click(self, clicked: Clicked) -> str | None:
        with self._context.factory.begin() as session:
            if not _take(session, clicked.delivery_id):
                return None
            question = session.get(Question, clicked.question_id)
            if question is None:
                return "This question is not kept any more."
            if clicked.action == "share":
                return _share(session, question, clicked)
            question.feedback = "up" if clicked.action == "feedback_up" else "down"
            return (
                "Thank you, noted."
                if question.feedback == "up"
                else "Thank you; this answer will be looked at."
            )


def _share(session: Session, question: Question, clicked: Clicked) -> str:
    if question.place.get("user") != clicked.user:
        return "Only the person who asked can share this answer."
    jobs.enqueue(
        session,
        "answer_question",
        f"{question.id}:share",
        question_id=question.id,
        share_response_url=clicked.response_url,
    )
    return "Checking what everyone here may open…"


def _take(session: Session, delivery_id: str) -> bool:
    """True the first time this id is seen by any process."""
    statement = insert(Delivery).values(provider=PROVIDER, delivery_id=delivery_id[:300])
    taken = session.execute(statement.on_conflict_do_nothing().returning(Delivery.delivery_id)).first()
    return taken is not None
