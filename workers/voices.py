"""Voices across meetings, for people who agreed to it and only while IMP_MATCH_VOICES is on.

A voice is a vector of one engine; it is learned when somebody gives a speaker a consenting person's name, and
forgotten when that person takes the consent back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connectors.recordings.diarizers.protocol import Diarizer
from connectors.recordings.speakers import Turn
from core import jobs
from core.tables.people import Person
from core.tables.speech import Voice
from workers.context import Context

# The mark of a consent, under which no vector is kept.
CONSENT = "consent"
# Same-speaker pairs of common embedding models lie above 0.6, different ones below 0.4: better nobody than a wrong one.
LEAST_LIKENESS = 0.6
# The best must stand out, or two people with like voices would share a name.
LEAST_LEAD = 0.1


def set_consent(session: Session, person_id: int, *, given: bool) -> None:
    """Note a person's consent; taking it back forgets every vector of theirs in the same transaction."""
    if not given:
        session.execute(delete(Voice).where(Voice.person_id == person_id))
        return
    session.execute(
        insert(Voice)
        .values(person_id=person_id, engine=CONSENT, vector=[], spoken_s=0.0, consented_at=datetime.now(UTC))
        .on_conflict_do_nothing()
    )


def consenting_person(session: Session, name: str) -> int | None:
    """Id of the one consenting person of this name; None where there is none, or several."""
    ids = session.execute(
        select(Person.id)
        .join(Voice, Voice.person_id == Person.id)
        .where(func.lower(Person.name) == name.strip().lower(), Voice.engine == CONSENT)
    ).scalars().all()  # fmt: skip
    return ids[0] if len(ids) == 1 else None


def enqueue_learning(session: Session, recording_id: int, speaker: str) -> None:
    """Learn a speaker's voice from a recording, where they agreed to it."""
    person_id = consenting_person(session, speaker)
    if person_id is not None:
        key = f"{recording_id}:{person_id}"
        jobs.enqueue(session, "learn_voice", key, recording_id=recording_id, person_id=person_id)


def keep(session: Session, person_id: int, engine: str, vector: NDArray[np.float32], spoken_s: float) -> bool:
    """Remember a voice; nothing is kept without a consent, which is looked at again here. Returns whether it was."""
    consented_at = session.execute(
        select(Voice.consented_at)
        .where(Voice.person_id == person_id, Voice.engine == CONSENT)
        .with_for_update()
    ).scalar_one_or_none()
    if consented_at is None:
        return False
    values = {"vector": [float(one) for one in vector], "spoken_s": spoken_s, "updated_at": func.now()}
    session.execute(
        insert(Voice)
        .values(person_id=person_id, engine=engine, consented_at=consented_at, **values)
        .on_conflict_do_update(index_elements=["person_id", "engine"], set_=values)
    )
    return True


def named(
    context: Context, diarizer: Diarizer, path: Path, turns: Sequence[Turn], *, track: int
) -> tuple[Turn, ...]:
    """Turns with the names of voices that are known for certain; all others keep their number."""
    with context.factory() as session:
        known = session.execute(
            select(Person.name, Voice.vector)
            .join(Voice, Voice.person_id == Person.id)
            .where(Voice.engine == diarizer.name)
        ).all()  # fmt: skip
    if not known or not turns:
        return tuple(turns)
    names = recognized(
        diarizer.voices(path, turns, track=track),
        [(row.name, np.asarray(row.vector, dtype=np.float32)) for row in known],
    )
    return tuple(replace(one, speaker=names.get(one.speaker, one.speaker)) for one in turns)


def recognized(
    heard: Mapping[str, NDArray[np.float32]], known: Sequence[tuple[str, NDArray[np.float32]]]
) -> dict[str, str]:
    """Voice to name, for voices like one known voice and clearly less like every other; a name is given once."""
    found: list[tuple[float, str, str]] = []
    for voice, vector in heard.items():
        ranked = sorted(
            ((float(vector @ other), name) for name, other in known if other.shape == vector.shape),
            reverse=True,
        )
        if (
            ranked
            and ranked[0][0] >= LEAST_LIKENESS
            and (len(ranked) == 1 or ranked[0][0] - ranked[1][0] >= LEAST_LEAD)
        ):
            found.append((ranked[0][0], voice, ranked[0][1]))
    names: dict[str, str] = {}
    for _, voice, name in sorted(found, reverse=True):
        if name not in names.values():
            names[voice] = name
    return names
