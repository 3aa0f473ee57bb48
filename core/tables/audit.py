"""Who used an admin's power, when, on what: written once, never changed."""

from datetime import datetime

from sqlalchemy import ForeignKey, func
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Json, big_key, json_object
from core.tables.people import Person


class AuditEntry(Base):
    """One use. `actor` is the account as it was then (`slack:T…:U…`, `cli:name`); refused ones are kept too."""

    __tablename__ = "audit"
    id: Mapped[int] = big_key()
    at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    actor: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"))
    action: Mapped[str]
    target: Mapped[str | None]
    is_allowed: Mapped[bool] = mapped_column(server_default=sql_text("true"))
    details: Mapped[Json] = json_object()
