"""Job: one recording becomes a transcript, window by window; a kill costs one window.

A transcript beside the recording is used first. Otherwise the configured engine listens; which one runs is
kept on the recording and shown on its page. Unusable media fails here, with the reason on the recording.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from connectors.recordings.audio import read_windows
from connectors.recordings.channels import channels_to_read, listen
from connectors.recordings.ffmpeg import MediaLimits
from connectors.recordings.plausible import sounds_like_speech
from connectors.recordings.probe import MediaFacts, probe
from connectors.recordings.transcribers.protocol import Transcriber
from connectors.recordings.transcript_files.parse import parse
from core.errors import BadInput, ClaimLost, ImpError, Interrupted, NeverAgain, NotFound
from core.running_job import RunningJob
from core.tables.meetings import Recording, Segment
from core.transcript import Transcript
from workers import recordings
from workers.context import Context
from workers.corrections import mend

logger = logging.getLogger(__name__)

WAIT_S = 0.5
CHANNEL_STRIDE = 1_000_000  # provisional positions of channel n start at n times this


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `recording_id`. Outcome: number of utterances and the engine."""
    recording_id = int(job.args["recording_id"])
    try:
        transcript = _transcript(context, job, recording_id)
    except (ClaimLost, Interrupted):
        raise
    except ImpError as exc:
        if isinstance(exc, NeverAgain) or job.claimed.attempt >= job.claimed.max_attempts:
            with context.factory.begin() as session:
                job.fence(session)
                recordings.mark_failed(session, recording_id, str(exc))
        raise
    with context.factory.begin() as session:
        job.fence(session)
        n_utterances = recordings.finish(session, context.settings, recording_id, transcript, mend=mend)
    return {"n_utterances": n_utterances, "engine": transcript.engine}


def _transcript(context: Context, job: RunningJob, recording_id: int) -> Transcript:
    recording = _begin(context, job, recording_id)
    with context.blobs.local(recording.blob_url) as path, _naming(path, recording.file_name):
        facts = probe(path, limits=_limits(context))
        if recording.transcript_url is not None:
            with context.blobs.local(recording.transcript_url) as beside:
                transcript = parse(beside, recording.origin.get("transcript_name") or beside.name)
            return _within(transcript, facts)
        with _alone(context, job):
            return _listened(context, job, recording, path, facts)


@contextmanager
def _naming(path: Path, file_name: str) -> Iterator[None]:
    """Complaints about the blob, whose name is a hash, name the file as people know it."""
    try:
        yield
    except BadInput as exc:
        raise BadInput(str(exc).replace(path.name, file_name)) from exc


def _begin(context: Context, job: RunningJob, recording_id: int) -> Recording:
    with context.factory.begin() as session:
        recording = session.get(Recording, recording_id)
        if recording is None:
            raise NotFound(f"recording {recording_id} does not exist")
        job.fence(session)
        recording.state, recording.error = "transcribing", None
    return recording


@contextmanager
def _alone(context: Context, job: RunningJob) -> Iterator[None]:
    """Wait until the engine hears nothing else; other jobs of the queue go on meanwhile."""
    while not context.hearing.acquire(timeout=WAIT_S):
        job.check()
    try:
        yield
    finally:
        context.hearing.release()


def _listened(
    context: Context, job: RunningJob, recording: Recording, path: Path, facts: MediaFacts
) -> Transcript:
    """Hear every channel that is one person's, each window saved when it is done."""
    limits, track = _limits(context), facts.audio_tracks[0]
    channels = channels_to_read(listen(path, track, limits=limits))
    engine = context.transcriber
    _start_or_resume(context, job, recording.id, engine.name)
    for number, channel in enumerate(channels):
        first, n_saved = _resume_point(job, number)
        if first is None:
            continue
        windows = read_windows(
            path,
            track=track.index,
            channel=channel,
            window_s=context.settings.imp_window_s,
            first_window=first,
            limits=limits,
        )
        for result in engine.transcribe(windows, language=None, hotwords=recording.participants):
            languages = Counter(job.checkpoint.get("languages") or {})
            if result.language and result.utterances:
                languages[result.language] += len(result.utterances)
            position = number * CHANNEL_STRIDE + n_saved
            n_saved += len(result.utterances)
            with context.factory.begin() as session:
                recordings.add_segments(session, recording.id, position, result.utterances)
                job.save(
                    session,
                    channel=number,
                    next_window=result.index + 1,
                    n_saved=n_saved,
                    languages=languages,
                )
            heard_s = (number * facts.duration_s) + result.end_s
            job.progress(round(heard_s, 1), round(facts.duration_s * len(channels), 1), "s heard")
            job.check()
        with context.factory.begin() as session:
            job.save(session, channel=number + 1, next_window=0, n_saved=0)
    return _joined(context, job, recording, facts, engine)


def _start_or_resume(context: Context, job: RunningJob, recording_id: int, engine: str) -> None:
    """Keep the windows this job has heard; those of other runs or of another engine are forgotten."""
    if job.checkpoint.get("engine") == engine:
        return
    with context.factory.begin() as session:
        session.execute(delete(Segment).where(Segment.recording_id == recording_id))
        job.save(session, engine=engine, channel=0, next_window=0, n_saved=0, languages={})


def _resume_point(job: RunningJob, number: int) -> tuple[int | None, int]:
    """(first window still to hear, utterances saved) of a channel; (None, 0) when it is done."""
    reached = int(job.checkpoint.get("channel", 0))
    if number < reached:
        return None, 0
    if number > reached:
        return 0, 0
    return int(job.checkpoint.get("next_window", 0)), int(job.checkpoint.get("n_saved", 0))


def _joined(
    context: Context, job: RunningJob, recording: Recording, facts: MediaFacts, engine: Transcriber
) -> Transcript:
    """All saved utterances by time, whatever channel they came from."""
    with context.factory() as session:
        rows = session.execute(
            select(Segment)
            .where(Segment.recording_id == recording.id)
            .order_by(Segment.start_s, Segment.end_s)
        ).scalars()
        spoken = tuple(recordings.utterance_of(row) for row in rows)
    spoken_in: dict[str, int] = job.checkpoint.get("languages") or {}
    if not sounds_like_speech(spoken):
        raise BadInput(f"{recording.file_name}: no speech was heard in this recording")
    language = max(sorted(spoken_in), key=spoken_in.__getitem__) if spoken_in else recording.language
    return Transcript(spoken, engine.name, language, facts.duration_s, engine.warnings)


def _within(transcript: Transcript, facts: MediaFacts) -> Transcript:
    """A transcript that runs far past the sound belongs to another recording; say so on the page."""
    warnings = transcript.warnings
    if transcript.duration_s and transcript.duration_s > facts.duration_s * 1.1 + 30:
        warnings = (*warnings, "The transcript is longer than the recording; they may not belong together.")
    return Transcript(
        transcript.utterances, transcript.engine, transcript.language, facts.duration_s, warnings
    )


def _limits(context: Context) -> MediaLimits:
    return MediaLimits(
        max_bytes=context.settings.imp_max_upload_bytes, max_duration_s=context.settings.imp_max_recording_s
    )
