"""What admins did and were refused: written in the transaction of the deed, read newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.tables.audit import AuditEntry
from core.tables.people import Person


@dataclass(frozen=True, slots=True)
class Audited:
    """One entry as admins read it."""

    id: int
    at: datetime
    actor: str
    person: str | None
    action: str
    target: str | None
    is_allowed: bool
    details: dict[str, Any]


def write(
    session: Session, actor: str, action: str, *, person_id: int | None = None, target: str | None = None,
    is_allowed: bool = True, details: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Keep one use of an admin's power; `actor` such as `slack:T1:U1` or `cli`. Never what people wrote."""
    session.add(
        AuditEntry(
            actor=actor, action=action, person_id=person_id, target=target, is_allowed=is_allowed,
            details=details or {},
        )
    )  # fmt: skip


def read(session: Session, *, most: int = 50, action: str | None = None) -> Sequence[Audited]:
    """The newest entries first."""
    statement = select(AuditEntry, Person.name).outerjoin(Person, Person.id == AuditEntry.person_id)
    if action is not None:
        statement = statement.where(AuditEntry.action == action)
    rows = session.execute(statement.order_by(AuditEntry.id.desc()).limit(most))
    return [
        Audited(row.id, row.at, row.actor, name, row.action, row.target, row.is_allowed, row.details)
        for row, name in rows
    ]
