"""Several speakers of a recording named at once, also where two change their names with each other."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from core.errors import BadInput
from core.settings import Settings
from workers.corrections import MOST_NAME_CHARS, rename_speaker


def name_speakers(session: Session, settings: Settings, recording_id: int, names: Mapping[str, str]) -> int:
    """Give each speaker (old name as the transcript shows it) the new name; an empty one leaves it as it is.

    Two old names with one new name become one speaker.

    Returns:
        How many were renamed.

    Raises:
        NotFound, BadInput, Conflict: as `corrections.rename_speaker`; the caller's transaction is to be given up then.
    """
    cleaned = {old: " ".join(new.split()) for old, new in names.items()}
    wanted = {old: new for old, new in cleaned.items() if new and new != old}
    for new in wanted.values():
        if len(new) > MOST_NAME_CHARS:
            raise BadInput(f"a speaker's name has at most {MOST_NAME_CHARS} characters")
    # A name somebody else still has would take both together; who has it steps aside first.
    aside = {old: f"speaker-{number}-aside" for number, old in enumerate(wanted) if old in wanted.values()}
    for old, between in aside.items():
        rename_speaker(session, settings, recording_id, old, between)
    for old, new in wanted.items():
        rename_speaker(session, settings, recording_id, aside.get(old, old), new)
    return len(wanted)
