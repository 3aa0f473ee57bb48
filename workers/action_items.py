"""What people have to do after meetings: the tasks of published minutes, as their pages have them now."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access import passed_gates

# Somebody's tasks: those that mention an account of theirs, and those under a name that nobody else carries.
# A task is seen by who may open its recording, and its page once people may have edited it there.
OPEN_OF_PERSON = text("""
    WITH mine AS (
        SELECT lower(btrim(name)) AS name FROM people WHERE id = :person_id
        UNION SELECT lower(btrim(name)) FROM identities WHERE person_id = :person_id AND name IS NOT NULL
    ), others AS (
        SELECT lower(btrim(name)) AS name FROM people WHERE id <> :person_id
        UNION SELECT lower(btrim(name)) FROM identities
        WHERE person_id IS DISTINCT FROM :person_id AND name IS NOT NULL AND NOT is_bot
    )
    SELECT a.id, a.text, a.due, a.page_url, r.id AS recording_id, r.title
    FROM action_items a
    JOIN recordings r ON r.id = a.recording_id
    LEFT JOIN documents d ON d.external_id = a.page_id
        AND d.source_id IN (SELECT id FROM sources WHERE kind = 'confluence' AND state <> 'removed')
    WHERE NOT a.is_done AND r.gate_ids <@ CAST(:passed AS int[])
      AND (d.id IS NULL OR d.deleted_at IS NULL AND d.status = 'current' AND d.gate_ids <@ CAST(:passed AS int[]))
      AND (a.account_id IN (SELECT external_id FROM identities WHERE person_id = :person_id AND provider = 'confluence')
           OR a.account_id IS NULL AND lower(btrim(a.owner)) IN (SELECT name FROM mine EXCEPT SELECT name FROM others))
    ORDER BY a.due NULLS LAST, r.created_at DESC, a.position
    LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class OpenAction:
    """A task nobody ticked yet. `page_url` leads to the minutes it stands in, `meeting` is the recording's title."""

    id: int
    text: str
    due: date | None
    meeting: str
    recording_id: int
    page_url: str

    def is_overdue(self, today: date) -> bool:
        return self.due is not None and self.due < today


def open_actions(session: Session, person_id: int | None, *, limit: int = 20) -> tuple[OpenAction, ...]:
    """What this person has to do, the most urgent first; only from meetings this person may open."""
    if person_id is None:
        return ()
    values = {"person_id": person_id, "passed": passed_gates(session, person_id), "most": limit}
    return tuple(
        OpenAction(row.id, row.text, row.due, row.title, row.recording_id, row.page_url)
        for row in session.execute(OPEN_OF_PERSON, values)
    )
