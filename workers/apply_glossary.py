"""Job: a glossary term is written wherever earlier recordings say what it is misheard as; one recording at a time."""

from typing import Any

from sqlalchemy import or_, select

from core.errors import Conflict
from core.running_job import RunningJob
from core.tables.meetings import Segment
from core.tables.speech import GlossaryTerm
from workers.context import Context
from workers.corrections import apply_term


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `term_id`. Outcome: how many recordings and utterances were mended."""
    with context.factory() as session:
        term = session.get(GlossaryTerm, int(job.args["term_id"]))
        if term is None or not term.heard_as:
            return {"n_recordings": 0, "n_utterances": 0}
        said = or_(*(Segment.text.icontains(wrong, autoescape=True) for wrong in term.heard_as))
        ids = session.execute(
            select(Segment.recording_id).where(said).distinct().order_by(Segment.recording_id)
        ).scalars().all()  # fmt: skip
    n_recordings = n_utterances = 0
    for n_done, recording_id in enumerate(ids, 1):
        job.check()
        try:
            with context.factory.begin() as session:
                job.fence(session)
                done = apply_term(session, context.settings, recording_id, term.term, term.heard_as)
        except Conflict:  # being heard right now: it is mended when its transcript is finished
            continue
        n_recordings += done.n_utterances > 0
        n_utterances += done.n_utterances
        job.progress(n_done, len(ids), "recordings")
    return {"n_recordings": n_recordings, "n_utterances": n_utterances}
