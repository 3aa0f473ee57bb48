"""What Slack sent, written down once and handed to a job: the other end of `connectors.slack.listeners`.

One short transaction a request: the delivery id, the question and its job are kept together or not at all.
"""

import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connectors.slack.channel_modal import ChannelForm
from connectors.slack.inbox import AdminWord, Asked, Clicked, FileShared, PanelOpened, Reviewed
from connectors.slack.verification import Confirmation, Verification
from core import jobs
from core.errors import BadInput
from core.tables.jobs import Delivery
from core.tables.people import Account
from core.tables.questions import Question
from workers import channel_form, questions, slack_conversations, slack_experts, slack_workspaces
from workers.channel_settings import channel_settings
from workers.context import Context
from workers.people import person_of_account

PROVIDER = "slack"
USER = re.compile(r"@([UW][A-Z0-9]{4,})")
TOO_MANY = "You asked a lot within this minute, and others wait too. Please ask again in a minute."
TOO_MANY_HERE = "So many questions arrive from your workspace right now that I cannot keep up. Please ask again in a minute."
FORGOTTEN = "This question is not kept any more."
NOT_YOURS = "Only the person who asked can share this answer."
SHARED_ALREADY = "This answer is shared already."
CHECKING = "Checking what everyone here may open…"
ASKING = "I am asking those who may know…"
ASKED_ALREADY = "People were asked about this already."
THANKS = {"up": "Thank you, noted.", "down": "Thank you; this answer will be looked at."}


class SlackInbox:
    """Implements `connectors.slack.inbox.Inbox` on the database."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def ask(self, asked: Asked) -> str | None:
        with self._context.factory.begin() as session:
            before = slack_conversations.question_before(session, asked)
            if not (self._is_allowed(asked) and _is_for_us(session, asked, before)):
                return None
            if not _take(session, asked.delivery_id):
                return None
            if self._is_over_the_limit(session, asked):
                return TOO_MANY
            if self._is_workspace_over_the_limit(session, asked):
                return TOO_MANY_HERE
            text = self._with_names(session, asked)
            place: dict[str, Any] = {
                "via": PROVIDER,
                "kind": "mention" if asked.place == "thread" else asked.place,
                "team": asked.team,
                "user": asked.user,
                "channel": asked.channel,
                "ts": asked.ts,
                "thread_ts": asked.thread_ts,
                "response_url": asked.response_url,
            }
            if before is not None and (understood := slack_conversations.stand_alone(text, before)):
                place["understood"] = understood
            question_id = questions.write_down(
                session, text, place=place,
                person_id=person_of_account(session, PROVIDER, self._account(asked.user, asked.team)),
                max_chars=self._context.settings.imp_question_max_chars,
            )  # fmt: skip
            slack_conversations.remember(session, asked, question_id)
            jobs.enqueue(
                session, "answer_question", str(question_id), question_id=question_id, team=asked.team
            )
        return None

    def click(self, clicked: Clicked) -> str | None:
        with self._context.factory.begin() as session:
            if not _take(session, clicked.delivery_id):
                return None
            question = session.get(Question, clicked.question_id)
            if question is None:
                return FORGOTTEN
            if clicked.action == "share":
                return _share(session, question, clicked)
            if clicked.action == "sources":
                _show_sources(session, question, clicked)
                return None
            if clicked.action == "needs_human":
                return _ask_human(session, question, clicked)
            question.feedback = "up" if clicked.action == "feedback_up" else "down"
            return THANKS[question.feedback]

    def verification(self, question_id: int, user: str, channel: str, team: str | None) -> Verification:
        with self._context.factory() as session:
            return slack_experts.verification(
                session, self._context.settings, question_id, user=user, channel=channel, team=team
            )

    def confirm(self, confirmed: Confirmation, user: str, delivery_id: str, team: str | None) -> None:
        if not (confirmed.answer and confirmed.question):
            raise BadInput("question and answer may not be empty")
        with self._context.factory.begin() as session:
            if _take(session, delivery_id):
                jobs.enqueue(
                    session,
                    "verify_answer",
                    f"{confirmed.question_id}:{user}",
                    question_id=confirmed.question_id,
                    question=confirmed.question,
                    answer=confirmed.answer,
                    channel=confirmed.channel,
                    user=user,
                    team=team,
                )

    def explain(self, question_id: int, user: str, reason: str) -> None:
        with self._context.factory.begin() as session:
            question = session.get(Question, question_id)
            if question is not None:
                question.feedback_reason = reason.replace("\x00", "")

    def forget(self, user: str, team: str | None) -> str:
        with self._context.factory.begin() as session:
            person_id = person_of_account(session, PROVIDER, self._account(user, team))
            n_forgotten = questions.forget(
                session, PROVIDER, user, self._one_of_many(team), person_id=person_id
            )
        return f"Done: {n_forgotten} question{'' if n_forgotten == 1 else 's'} of yours forgotten."

    def admin(self, word: AdminWord) -> None:
        with self._context.factory.begin() as session:
            if _take(session, word.delivery_id):
                jobs.enqueue(
                    session,
                    "admin_word",
                    word.delivery_id,
                    text=word.text[:200],
                    user=word.user,
                    channel=word.channel,
                    response_url=word.response_url,
                    team=word.team,
                )

    def channel_form(self, channel: str, user: str, team: str) -> tuple[ChannelForm, dict[int, str]]:
        with self._context.factory.begin() as session:
            admin = channel_form.admin_behind(session, self._context.settings, team, user)
            form, sources = channel_form.shown(session, team, channel)
            channel_form.open_audited(session, form, admin)
            return form, sources

    def save_channel(self, form: ChannelForm, user: str) -> dict[str, str]:
        with self._context.factory.begin() as session:
            admin = channel_form.admin_behind(session, self._context.settings, form.team, user)
            try:
                channel_form.save(session, form, admin)
            except channel_form.WrongFields as exc:
                return exc.fields
        return {}

    def review(self, reviewed: Reviewed) -> None:
        with self._context.factory.begin() as session:
            if _take(session, reviewed.delivery_id):
                jobs.enqueue(
                    session,
                    "review_minutes",
                    f"{reviewed.minutes_id}:{reviewed.user}",
                    minutes_id=reviewed.minutes_id,
                    is_approved=reviewed.is_approved,
                    user=reviewed.user,
                    channel=reviewed.channel,
                    response_url=reviewed.response_url,
                    team=reviewed.team,
                )

    def file(self, shared: FileShared) -> None:
        with self._context.factory.begin() as session:
            # One file may be shared in several channels, and its event comes again: it is offered once a channel.
            if shared.is_wanted or _take(session, f"file:{shared.file_id}:{shared.channel}"):
                jobs.enqueue(
                    session,
                    "take_slack_file",
                    f"{shared.file_id}:{shared.channel}:{'take' if shared.is_wanted else 'offer'}",
                    file_id=shared.file_id,
                    user=shared.user,
                    channel=shared.channel,
                    is_wanted=shared.is_wanted,
                    response_url=shared.response_url,
                    team=shared.team,
                )

    def open_panel(self, opened: PanelOpened) -> None:
        with self._context.factory.begin() as session:
            jobs.enqueue(
                session,
                "offer_prompts",
                f"{opened.channel}:{opened.thread_ts}",
                user=opened.user,
                channel=opened.channel,
                thread_ts=opened.thread_ts,
                beside=opened.beside,
                team=opened.team,
            )

    def open_home(self, user: str, team: str | None = None) -> None:
        with self._context.factory.begin() as session:
            jobs.enqueue(session, "show_home", f"{team}:{user}" if team else user, user=user, team=team)

    def removed(self, team: str, at: datetime) -> None:
        slack_workspaces.removed(self._context, team, at)

    def _account(self, user: str, team: str | None) -> str:
        return slack_workspaces.account_id(self._context.settings, team, user)

    def _with_names(self, session: Session, asked: Asked) -> str:
        """The question with `@U…` as the name we know that person by."""
        wanted = {self._account(user, asked.team): user for user in USER.findall(asked.text)}
        if not wanted:
            return asked.text
        statement = select(Account.external_id, Account.name).where(
            Account.provider == PROVIDER, Account.external_id.in_(wanted), Account.name.is_not(None)
        )
        names = {wanted[row.external_id]: row.name for row in session.execute(statement)}
        return USER.sub(lambda found: names.get(found[1], found[0]), asked.text)

    def _one_of_many(self, team: str | None) -> str | None:
        return team if self._context.settings.slack_client_id else None

    def _is_allowed(self, asked: Asked) -> bool:
        """People, and the bots SLACK_ALLOWED_BOTS names."""
        return not asked.bot_ids or not set(asked.bot_ids).isdisjoint(
            self._context.settings.slack_allowed_bots
        )

    def _is_workspace_over_the_limit(self, session: Session, asked: Asked) -> bool:
        most = self._context.settings.imp_workspace_questions_per_minute
        if not most:
            return False
        recent = select(func.count()).where(
            Question.asked_at > func.now() - timedelta(minutes=1),
            Question.place["via"].as_string() == PROVIDER,
            Question.place["team"].as_string().is_not_distinct_from(asked.team),
        )
        return session.execute(recent).scalar_one() >= most

    def _is_over_the_limit(self, session: Session, asked: Asked) -> bool:
        recent = select(func.count()).where(
            Question.asked_at > func.now() - timedelta(minutes=1),
            *questions.asked_by(PROVIDER, asked.user, self._one_of_many(asked.team)),
        )
        return session.execute(recent).scalar_one() >= self._context.settings.imp_questions_per_minute


def _is_for_us(session: Session, asked: Asked, before: str | None) -> bool:
    """False for talk that names nobody and leads nowhere, and for what the channel's settings leave unanswered."""
    if asked.place in ("command", "dm"):
        return True
    rules = channel_settings(session, asked.team or "", asked.channel)
    is_question = slack_conversations.is_question(asked.text)
    if asked.place == "thread":
        return before is not None and is_question and rules.may_ask(asked.user)
    return is_question or not rules.is_questions_only


def _share(session: Session, question: Question, clicked: Clicked) -> str:
    if question.place.get("user") != clicked.user:
        return NOT_YOURS
    shared = select(Question.id).where(
        Question.place["shared_from"].as_integer() == question.id,
        Question.outcome == "answered",
        Question.asked_at >= question.asked_at,
    )
    if session.execute(shared.limit(1)).first() is not None:
        return SHARED_ALREADY
    jobs.enqueue(
        session,
        "share_answer",
        str(question.id),
        question_id=question.id,
        team=question.place.get("team"),
        response_url=clicked.response_url,
    )
    return CHECKING


def _ask_human(session: Session, question: Question, clicked: Clicked) -> str:
    if question.place.get("asked_people"):
        return ASKED_ALREADY
    jobs.enqueue(
        session,
        "ask_human",
        str(question.id),
        question_id=question.id,
        user=clicked.user,
        channel=clicked.channel,
        response_url=clicked.response_url,
        team=clicked.team,
    )
    return ASKING


def _show_sources(session: Session, question: Question, clicked: Clicked) -> None:
    jobs.enqueue(
        session,
        "show_sources",
        f"{question.id}:{clicked.user}",
        question_id=question.id,
        user=clicked.user,
        channel=clicked.channel,
        ts=question.place.get("thread_ts") or question.place.get("ts"),
        response_url=clicked.response_url,
        team=clicked.team,
    )


def _take(session: Session, delivery_id: str) -> bool:
    """True the first time this id is seen by any process."""
    statement = insert(Delivery).values(provider=PROVIDER, delivery_id=delivery_id[:300])
    taken = session.execute(statement.on_conflict_do_nothing().returning(Delivery.delivery_id)).first()
    return taken is not None
