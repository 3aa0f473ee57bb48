"""Which person a Slack account is, and who reads a channel; asks Slack, writes what it learned.

What Slack said is believed for some hours; whether an address is known to us is looked up every time.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from slack_sdk import WebClient
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connectors.slack import directory
from connectors.slack.directory import SlackUser
from core.access import gates_passed_by_all
from core.errors import NotFound
from core.tables.people import Account, Person
from workers.context import Context
from workers.slack_workspaces import account_of, believes_addresses

FRESH = timedelta(hours=12)
ONE_BY_ONE = 30
"""Up to so many unknown members are asked for one by one; for more, all users are listed once."""
BY_EMAIL = (None, "email")


def person_of(context: Context, client: WebClient, user_id: str) -> int | None:
    """The person behind a Slack user: linked before, or by an address Slack says is confirmed.

    People of other organizations are nobody here. None means: only what is open to anyone.
    """
    return (persons_of(context, client, [user_id]) or [None])[0]


def audience_of(context: Context, client: WebClient, channel: str) -> list[int | None]:
    """Persons of everyone in the channel but bots; [None] when the channel is too large to look at."""
    user_ids = directory.members(client, channel)
    if user_ids is None:
        return [None]
    return persons_of(context, client, user_ids) or [None]


def all_may_open(context: Context, client: WebClient, channel: str, gate_ids: Sequence[int] | None) -> bool:
    """True when everyone who reads the channel passes all of these doors; unknown doors open to nobody."""
    if not gate_ids:
        return False
    audience = audience_of(context, client, channel)
    with context.factory() as session:
        return set(gate_ids) <= set(gates_passed_by_all(session, audience))


def persons_of(context: Context, client: WebClient, user_ids: Sequence[str]) -> list[int | None]:
    """The persons behind Slack users, bots left out; None for each that is nobody here."""
    names = {one: account_of(context, client, one) for one in user_ids}
    with context.factory() as session:
        known = _accounts(session, list(names.values()))
    missing = [one for one in user_ids if names[one] not in known or not _is_fresh(known[names[one]])]
    if missing:
        learned, is_believed = _learn(client, missing), believes_addresses(context, client)
        with context.factory.begin() as session:
            for user in learned:
                _write(session, names[user.id], user if is_believed else replace(user, email=None))
            known = _accounts(session, list(names.values()))
    accounts = [known.get(names[one]) for one in user_ids]
    with context.factory() as session:
        return [_person(session, account) for account in accounts if account is None or not account.is_bot]


def linked_accounts(context: Context, person_ids: Sequence[int]) -> list[str]:
    """Slack user ids of these persons."""
    statement = select(Account.external_id).where(
        Account.provider == "slack", Account.person_id.in_(person_ids)
    )
    with context.factory() as session:
        return list(session.execute(statement).scalars())


def _accounts(session: Session, user_ids: Sequence[str]) -> dict[str, Account]:
    statement = select(Account).where(Account.provider == "slack", Account.external_id.in_(user_ids))
    return {account.external_id: account for account in session.execute(statement).scalars()}


def _is_fresh(account: Account) -> bool:
    """A link an admin made stands without Slack; everything else is asked again after some hours."""
    return account.linked_by not in BY_EMAIL or account.refreshed_at > datetime.now(UTC) - FRESH


def _learn(client: WebClient, user_ids: Sequence[str]) -> list[SlackUser]:
    if len(user_ids) > ONE_BY_ONE:
        wanted = set(user_ids)
        return [user for user in directory.everyone(client) if user.id in wanted]
    found = []
    for user_id in user_ids:
        try:
            found.append(directory.user(client, user_id))
        except NotFound:
            # Somebody of another organization, or gone: nobody here, and asked again only after a while.
            found.append(SlackUser(user_id, user_id, None, is_bot=False, is_external=True))
    return found


def _person(session: Session, account: Account | None) -> int | None:
    """An account without a link is tried again by its address: the person may have come since."""
    if account is None:
        return None
    if account.linked_by not in BY_EMAIL:
        return account.person_id
    return _by_address(session, account.email, is_external=account.is_external)


def _by_address(session: Session, email: str | None, *, is_external: bool) -> int | None:
    if not email or is_external:
        return None
    statement = select(Person.id).where(func.lower(Person.email) == email.lower()).limit(2)
    found = session.execute(statement).scalars().all()
    return found[0] if len(found) == 1 else None


def _write(session: Session, account_id: str, found: SlackUser) -> None:
    """Write the account down, tied to the person with the same address; a link by an admin is kept."""
    person_id = _by_address(session, found.email, is_external=found.is_external)
    facts = {
        "name": found.name,
        "email": found.email,
        "is_external": found.is_external,
        "is_bot": found.is_bot,
        "refreshed_at": datetime.now(UTC),
    }
    link = {"person_id": person_id, "linked_by": "email" if person_id else None}
    statement = insert(Account).values(provider="slack", external_id=account_id, **facts, **link)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["provider", "external_id"],
            set_={**facts, **link},
            where=Account.linked_by.is_(None) | (Account.linked_by == "email"),
        )
    )
