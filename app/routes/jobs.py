"""`GET /v1/jobs/{id}`: how far a job is."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.auth import Ctx, PersonId
from core.tables.jobs import Job
from core.tables.meetings import Recording
from core.tables.people import Person

router = APIRouter(tags=["jobs"])
BigId = Path(ge=1, le=2**63 - 1)
# Kinds whose key is the id of a recording.
OF_RECORDINGS = ("transcribe_recording", "draft_minutes", "publish_minutes", "announce_minutes")


class JobReply(BaseModel):
    """A job as its owner may see it."""

    id: int
    kind: str
    state: str
    attempts: int
    progress: dict[str, Any]
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@router.get("/v1/jobs/{job_id}", responses={401: {}, 404: {}})
def show_job(context: Ctx, person_id: PersonId, job_id: int = BigId) -> JobReply:
    """Visible to admins, and to the person who submitted the recording it works on."""
    with context.factory() as session:
        job = session.get(Job, job_id)
        person = session.get_one(Person, person_id)
        if job is None or not (person.is_admin or _is_own(session, job, person_id)):
            raise HTTPException(404, "no such job")
        return JobReply.model_validate(job, from_attributes=True)


def _is_own(session: Session, job: Job, person_id: int) -> bool:
    if job.kind not in OF_RECORDINGS or not job.key.isdecimal():
        return False
    recording = session.get(Recording, int(job.key))
    return recording is not None and recording.submitted_by == person_id
