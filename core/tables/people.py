"""Who asks, decides and reviews, and the accounts they have elsewhere."""

from datetime import datetime

from sqlalchemy import ForeignKey, Identity, UniqueConstraint
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, now, parent


class Person(Base):
    """Somebody who asks, decides or reviews."""

    __tablename__ = "people"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(unique=True)
    is_admin: Mapped[bool] = mapped_column(server_default=sql_text("false"))
    created_at: Mapped[datetime] = now()


class Account(Base):
    """An account of a person at `slack` or `confluence`; `person_id` NULL while nobody is linked to it."""

    __tablename__ = "identities"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    provider: Mapped[str]
    external_id: Mapped[str]
    person_id: Mapped[int | None] = parent(Person.id, ondelete="SET NULL")
    name: Mapped[str | None]
    email: Mapped[str | None] = mapped_column(index=True)
    linked_by: Mapped[str | None]
    is_external: Mapped[bool] = mapped_column(server_default=sql_text("false"))
    is_bot: Mapped[bool] = mapped_column(server_default=sql_text("false"))
    refreshed_at: Mapped[datetime] = now()
    __table_args__ = (UniqueConstraint("provider", "external_id"),)


class Membership(Base):
    """An account is in a group, as the provider said at the last refresh."""

    __tablename__ = "memberships"
    identity_id: Mapped[int] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"), primary_key=True)
    group_name: Mapped[str] = mapped_column(primary_key=True, index=True)


class ApiToken(Base):
    """A bearer token of a person; only its SHA-256 is kept."""

    __tablename__ = "api_tokens"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    person_id: Mapped[int] = parent(Person.id)
    token_hash: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = now()
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
