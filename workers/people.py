"""Persons and their accounts: found, linked, given tokens. Only a token's hash is ever kept."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.tables.people import Account, ApiToken, Membership, Person

TOKEN_PREFIX = "imp_"
PROVIDERS = ("slack", "confluence")


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A person as admins see one; accounts are `provider:external id`."""

    id: int
    name: str
    email: str | None
    is_admin: bool
    accounts: tuple[str, ...]
    groups: tuple[str, ...]


def list_people(session: Session) -> list[PersonFacts]:
    """Everybody, by name."""
    people = session.execute(select(Person).order_by(func.lower(Person.name))).scalars().all()
    return [_facts(session, person) for person in people]


def person_by_email(session: Session, email: str) -> Person:
    """Raises NotFound when nobody has this address."""
    person = session.execute(
        select(Person).where(func.lower(Person.email) == email.strip().lower())
    ).scalar_one_or_none()
    if person is None:
        raise NotFound(f"nobody with the address {email}: see `imp people list`")
    return person


def person_of_account(session: Session, provider: str, external_id: str) -> int | None:
    """Id of the person this account is linked to; None while nobody is."""
    return session.execute(
        select(Account.person_id).where(Account.provider == provider, Account.external_id == external_id)
    ).scalar_one_or_none()


def ensure_person(session: Session, *, name: str, email: str | None) -> int:
    """The person with this address, made when missing. Without an address a new person each time."""
    if email is None:
        person = Person(name=name)
        session.add(person)
        session.flush()
        return person.id
    known = session.execute(
        select(Person.id).where(func.lower(Person.email) == email.lower())
    ).scalar_one_or_none()
    if known is not None:
        return known
    statement = insert(Person).values(name=name, email=email.lower())
    statement = statement.on_conflict_do_update(index_elements=["email"], set_={"email": email.lower()})
    return int(session.execute(statement.returning(Person.id)).scalar_one())


def link(
    session: Session, person_id: int, provider: str, external_id: str, *, by: str, email: str | None = None,
    name: str | None = None, is_external: bool = False,
) -> None:  # fmt: skip
    """Tie an account to a person; the newest link wins. `by` says how it is known: email, admin, oauth, csv."""
    values = {
        "person_id": person_id, "linked_by": by, "email": email, "name": name, "is_external": is_external,
        "refreshed_at": datetime.now(UTC),
    }  # fmt: skip
    statement = insert(Account).values(provider=provider, external_id=external_id, **values)
    kept = {
        name: func.coalesce(statement.excluded[name], getattr(Account, name)) for name in ("email", "name")
    }
    session.execute(
        statement.on_conflict_do_update(index_elements=["provider", "external_id"], set_={**values, **kept})
    )


def new_token(session: Session, person_id: int, *, label: str) -> str:
    """A bearer token for the API and for signing in; shown once, only its hash is kept."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    session.add(ApiToken(person_id=person_id, token_hash=token_hash(token), label=label))
    return token


def person_of_token(session: Session, token: str) -> int | None:
    """Whose token this is; None when unknown or revoked."""
    row = session.execute(
        select(ApiToken).where(ApiToken.token_hash == token_hash(token), ApiToken.revoked_at.is_(None))
    ).scalar_one_or_none()
    return None if row is None else row.person_id


def revoke_tokens(session: Session, person_id: int, *, label: str | None = None) -> int:
    """End the person's tokens, or those with this label: they open nothing from now on. Returns how many."""
    statement = update(ApiToken).where(ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None))
    if label is not None:
        statement = statement.where(ApiToken.label == label)
    ended = session.execute(statement.values(revoked_at=func.now()).returning(ApiToken.id))
    return len(ended.all())


def token_hash(token: str) -> str:
    """SHA-256: tokens are 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


def _facts(session: Session, person: Person) -> PersonFacts:
    accounts = session.execute(select(Account).where(Account.person_id == person.id)).scalars().all()
    groups = session.execute(
        select(Membership.group_name)
        .where(Membership.identity_id.in_([account.id for account in accounts]))
        .distinct().order_by(Membership.group_name)
    ).scalars()  # fmt: skip
    return PersonFacts(
        person.id, person.name, person.email, person.is_admin,
        tuple(f"{account.provider}:{account.external_id}" for account in accounts), tuple(groups),
    )  # fmt: skip
