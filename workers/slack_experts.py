"""Who is asked when a machine is not enough, and who may stand for an answer: the channel's experts, admins, page owners.

Reads tables only; asks Slack nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.slack.answer_message import sources_of
from connectors.slack.verification import Verification
from core.access import passed_gates
from core.errors import Conflict, Denied, NotFound
from core.settings import Settings
from core.tables.documents import Document
from core.tables.people import Account, Person
from core.tables.questions import Question
from core.tables.slack import SlackChannel
from workers.people import person_of_account
from workers.slack_workspaces import account_id, user_of

MAX_ASKED = 5
NOT_KEPT = "This question is not kept any more."
NO_EXPERT = "Only admins and this channel's experts can verify answers."
NOTHING_CITED = "There is no answer with sources here to verify."
NOT_ALL_OPEN = "You may not open everything this answer rests on, so you cannot stand for it."


@dataclass(frozen=True, slots=True)
class Owner:
    """Slack users behind a page's author; `gate_ids` are the page's doors."""

    users: tuple[str, ...]
    gate_ids: tuple[int, ...]


def experts_of(session: Session, settings: Settings, channel: str, team: str | None = None) -> list[str]:
    """Slack users named for this channel, else for all; in order, at most five."""
    statement = select(SlackChannel.experts).where(SlackChannel.channel == channel)
    if team is not None:
        statement = statement.where(SlackChannel.team == team)
    named = [user for experts in session.execute(statement).scalars() for user in experts]
    return list(dict.fromkeys(named or settings.slack_experts))[:MAX_ASKED]


def owner_of_first_source(session: Session, settings: Settings, question: Question) -> Owner | None:
    """Who wrote the page that is cited first, where we know their Slack account."""
    for citation in question.citations:
        document = session.get(Document, int(citation["document_id"]))
        if document is None or not document.author or document.gate_ids is None:
            continue
        person_id = person_of_account(session, "confluence", document.author)
        users = _slack_users(session, settings, person_id, question.place.get("team")) if person_id else []
        if users:
            return Owner(tuple(users), tuple(document.gate_ids))
    return None


def verification(
    session: Session, settings: Settings, question_id: int, *, user: str, channel: str, team: str | None
) -> Verification:
    """The answer as this person may confirm it.

    Raises:
        NotFound: the question is not kept any more.
        Denied: neither admin nor expert, or a source is closed to this person.
        Conflict: there is nothing to confirm.
    """
    question = confirmable(session, settings, question_id, user=user, channel=channel, team=team)
    return Verification(
        question_id=question.id,
        channel=channel,
        question=str(question.place.get("understood") or question.text),
        answer=question.answer or "",
        sources=sources_of(question.citations),
    )


def confirmable(
    session: Session, settings: Settings, question_id: int, *, user: str, channel: str, team: str | None
) -> Question:
    """The answered question, for who may stand for it. Raises as `verification` does."""
    question = session.get(Question, question_id)
    if question is None:
        raise NotFound(NOT_KEPT)
    person_id = person_of_account(session, "slack", account_id(settings, team, user))
    person = session.get(Person, person_id) if person_id is not None else None
    is_named = user in experts_of(session, settings, channel, question.place.get("team"))
    if person is None or not (person.is_admin or is_named):
        raise Denied(NO_EXPERT)
    if question.outcome != "answered" or not question.citations:
        raise Conflict(NOTHING_CITED)
    if not _may_open(session, person.id, [int(one["document_id"]) for one in question.citations]):
        raise Denied(NOT_ALL_OPEN)
    return question


def _may_open(session: Session, person_id: int, document_ids: Sequence[int]) -> bool:
    passed = set(passed_gates(session, person_id))
    statement = select(Document.gate_ids).where(Document.id.in_(document_ids), Document.deleted_at.is_(None))
    doors = session.execute(statement).scalars().all()
    return len(doors) == len(set(document_ids)) and all(one and set(one) <= passed for one in doors)


def _slack_users(session: Session, settings: Settings, person_id: int, team: str | None) -> list[str]:
    """The person's users in the workspace of the question."""
    statement = select(Account.external_id).where(
        Account.provider == "slack", Account.person_id == person_id, Account.is_bot.is_(False)
    )
    return [
        user
        for found in session.execute(statement).scalars()
        for home, user in [user_of(settings, found)]
        if home in (None, team)
    ]
