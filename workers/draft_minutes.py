"""Job: draft the minutes of one transcribed recording, and hand them to review or to publication."""

from typing import Any

from core.running_job import RunningJob
from rag.generation import Summarizer
from rag.minutes.draft import draft
from workers import minutes, review_policy
from workers.context import Context
from workers.recordings import load_transcript


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `recording_id`. Outcome: the version's id and its number of lines.

    A transcript from which nothing can be drafted gives minutes without lines and a warning that says so.
    """
    recording_id = int(job.args["recording_id"])
    with context.factory() as session:
        recording, transcript = load_transcript(session, recording_id)
    written = draft(
        transcript,
        started_at=recording.started_at,
        participants=recording.participants,
        embed=context.embedder.embed_passages,
        summarizer=generator if isinstance(generator := context.generator, Summarizer) else None,
    )
    with context.factory.begin() as session:
        job.fence(session)
        minutes_id = minutes.save_draft(session, recording_id, written)
        review_policy.settle(session, context.settings, minutes_id)
    return {"minutes_id": minutes_id, "n_lines": len(written.lines)}
