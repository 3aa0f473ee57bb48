"""Gates: who may pass which doors. A document is open to those who pass every one of its doors.

Principals are `user:<provider account id>`, `group:<name>` and `anyone`. Knows no connector and no search.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

ANYONE = "anyone"

PRINCIPALS_OF_PERSON = text("""
    SELECT 'user:' || external_id FROM identities WHERE person_id = :person_id AND provider = 'confluence'
    UNION
    SELECT 'group:' || m.group_name FROM memberships m JOIN identities i ON i.id = m.identity_id
    WHERE i.person_id = :person_id AND i.provider = 'confluence'
""")

PASSED = text("SELECT id FROM gates WHERE principals && CAST(:principals AS text[])")

SET_GATE = text("""
    INSERT INTO gates (source_id, door, principals) VALUES (:source_id, :door, :principals)
    ON CONFLICT (source_id, door) DO UPDATE SET principals = excluded.principals,
        refreshed_at = clock_timestamp()
    RETURNING id
""")


def principals_of(session: Session, person_id: int | None) -> list[str]:
    """Everything a person is for a door; somebody unknown is only `anyone`."""
    if person_id is None:
        return [ANYONE]
    return [ANYONE, *session.execute(PRINCIPALS_OF_PERSON, {"person_id": person_id}).scalars()]


def passed_gates(session: Session, person_id: int | None) -> list[int]:
    """Ids of the gates the person passes: what search takes as `passed`."""
    return _passed(session, principals_of(session, person_id))


def gates_passed_by_all(session: Session, person_ids: Iterable[int | None]) -> list[int]:
    """Ids of the gates that everyone of an audience passes; nobody at all passes nothing."""
    passed: set[int] | None = None
    for person_id in set(person_ids):
        mine = set(passed_gates(session, person_id))
        passed = mine if passed is None else passed & mine
    return sorted(passed or ())


def set_gate(session: Session, source_id: int, door: str, principals: Sequence[str]) -> int:
    """Make or update one door; who passes it changes for all documents behind it at once."""
    values = {"source_id": source_id, "door": door, "principals": sorted(set(principals))}
    return int(session.execute(SET_GATE, values).scalar_one())


def _passed(session: Session, principals: Sequence[str]) -> list[int]:
    return list(session.execute(PASSED, {"principals": list(principals)}).scalars())
