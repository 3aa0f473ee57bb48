"""Which person a Slack account is, and who reads a channel; asks Slack, writes what it learned."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from slack_sdk import WebClient
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from connectors.slack import directory
from core.errors import NotFound
from core.models import Account, Person
from workers.context import Context

FRESH = timedelta(hours=12)


def person_of(context: Context, client: WebClient, user_id: str) -> int | None:
    """The person behind a Slack user: linked before, or by an address Slack says is confirmed.

    People of other organizations are nobody here. None means: only what is open to anyone.
    """
    with context.factory() as session:
        known = session.execute(
            select(Account).where(Account.provider == "slack", Account.external_id == user_id)
        ).scalar_one_or_none()
    is_fresh = known is not None and known.refreshed_at > datetime.now(UTC) - FRESH
    if known is not None and (known.linked_by not in (None, "email") or is_fresh):
        return known.person_id
    try:
        found = directory.user(client, user_id)
    except NotFound:
        return None
    return _link(context, found)


def audience_of(context: Context, client: WebClient, channel: str) -> list[int | None]:
    """Persons of everyone in the channel but bots; [None] when the channel is too large to look at."""
    user_ids = directory.members(client, channel)
    if user_ids is None:
        return [None]
    return [person_of(context, client, one) for one in user_ids if not _is_bot(context, client, one)]


def _is_bot(context: Context, client: WebClient, user_id: str) -> bool:
    return directory.user(client, user_id).is_bot


def _link(context: Context, found: directory.SlackUser) -> int | None:
    """Write the account down, tied to the person with the same address if there is one."""
    with context.factory.begin() as session:
        person_id = None
        if found.email and not found.is_external:
            person_id = session.execute(
                select(Person.id).where(Person.email == found.email.lower())
            ).scalar_one_or_none()
        values = {
            "person_id": person_id,
            "name": found.name,
            "email": found.email,
            "is_external": found.is_external,
            "linked_by": "email" if person_id else None,
            "refreshed_at": datetime.now(UTC),
        }
        statement = insert(Account).values(provider="slack", external_id=found.id, **values)
        session.execute(
            statement.on_conflict_do_update(index_elements=["provider", "external_id"], set_=values)
        )
    return person_id


def linked_accounts(context: Context, person_ids: Sequence[int]) -> list[str]:
    """Slack user ids of these persons."""
    with context.factory() as session:
        return list(
            session.execute(
                select(Account.external_id).where(
                    Account.provider == "slack", Account.person_id.in_(person_ids)
                )
            ).scalars()
        )
