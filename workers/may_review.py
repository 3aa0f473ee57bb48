"""Who may read and change the lines of drafted minutes, in Slack and in the browser."""

from sqlalchemy.orm import Session

from core.access import passed_gates
from core.tables.meetings import Recording
from core.tables.people import Person


def may_edit(session: Session, recording: Recording, person_id: int | None) -> bool:
    """Who gave the recording, and known people who pass all of its doors; an admin's power opens nothing closed."""
    if person_id is None or session.get(Person, person_id) is None:
        return False
    if recording.submitted_by == person_id:
        return True
    return recording.gate_ids is not None and set(recording.gate_ids) <= set(passed_gates(session, person_id))
