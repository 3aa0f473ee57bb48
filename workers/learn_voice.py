"""Job: the voice of a person who agreed to it is learned from a recording in which they were named."""

from typing import Any

from sqlalchemy import select

from connectors.recordings.speakers import Turn
from core.errors import NotFound
from core.running_job import RunningJob
from core.tables.meetings import Recording, Segment
from core.tables.people import Person
from workers import voices
from workers.context import Context


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `recording_id`, `person_id`. Outcome: whether a voice was kept."""
    recording_id, person_id = int(job.args["recording_id"]), int(job.args["person_id"])
    if not context.settings.imp_match_voices or context.diarizer is None:
        return {"kept": False, "why": "voices are not matched here"}
    with context.factory() as session:
        recording, person = session.get(Recording, recording_id), session.get(Person, person_id)
        if recording is None or person is None:
            raise NotFound("the recording or the person is gone")
        rows = session.execute(
            select(Segment.start_s, Segment.end_s)
            .where(Segment.recording_id == recording_id, Segment.speaker == person.name)
            .order_by(Segment.position)
        ).all()
    turns = [Turn(row.start_s, row.end_s, person.name) for row in rows]
    with context.blobs.local(recording.blob_url) as path:
        vector = context.diarizer.voices(path, turns).get(person.name) if turns else None
    if vector is None:
        return {"kept": False, "why": "too little of them is heard"}
    spoken_s = sum(one.end_s - one.start_s for one in turns)
    with context.factory.begin() as session:
        job.fence(session)
        return {"kept": voices.keep(session, person_id, context.diarizer.name, vector, spoken_s)}
