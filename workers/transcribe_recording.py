"""Job: one recording becomes a transcript, window by window; a kill costs one window.

A meeting may have several sounding files: parts that follow each other, or a track for each person. A transcript
beside a file is used first, otherwise the configured engine listens; which one ran is kept on the recording and
shown on its page. Unusable media fails here, with the reason on the recording.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from connectors.recordings.audio import AudioWindow, read_windows
from connectors.recordings.channels import channels_to_read, listen
from connectors.recordings.ffmpeg import MediaLimits
from connectors.recordings.plausible import sounds_like_speech
from connectors.recordings.probe import MediaFacts, probe
from connectors.recordings.speakers import Turn, turns_of, with_speakers
from connectors.recordings.transcript_files.parse import parse
from core.errors import BadInput, ClaimLost, Conflict, ImpError, Interrupted, NeverAgain, NotFound
from core.running_job import RunningJob
from core.tables.meetings import Recording, Segment
from core.transcript import Transcript, Utterance
from workers import recordings, show_progress, voices
from workers.context import Context
from workers.corrections import mend
from workers.glossary import hotwords
from workers.meeting_files import Sound, sounds_of

logger = logging.getLogger(__name__)

WAIT_S = 0.5
PASS_STRIDE = 1_000_000  # provisional positions of pass n start at n times this
# Less than this of the announced length is told: containers round, and tracks end apart by seconds.
LEAST_HEARD_SHARE, LEAST_HEARD_SLACK_S = 0.95, 5.0
PASSES_PER_SOUND = 2  # the two channels of a stereo call; all others are heard in one pass


@dataclass(frozen=True, slots=True)
class _Meeting:
    """What one run works on; `first_s` is where the earliest sound starts on the recording's own clock (0 or less)."""

    recording: Recording
    sounds: Sequence[Sound]
    hotwords: tuple[str, ...]

    @property
    def first_s(self) -> float:
        return min(0.0, *(sound.offset_s for sound in self.sounds), 0.0)


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `recording_id`. Outcome: number of utterances and the engine."""
    recording_id = int(job.args["recording_id"])
    meeting = _begin(context, job, recording_id)
    try:
        transcript = _transcript(context, job, meeting)
    except (ClaimLost, Interrupted):
        raise
    except ImpError as exc:
        if isinstance(exc, NeverAgain) or job.claimed.attempt >= job.claimed.max_attempts:
            with context.factory.begin() as session:
                job.fence(session)
                recordings.mark_failed(session, recording_id, str(exc))
                show_progress.note(session, session.get_one(Recording, recording_id), is_last=True)
        raise
    with context.factory.begin() as session:
        job.fence(session)
        n_utterances = recordings.finish(session, context.settings, recording_id, transcript, mend=mend)
        show_progress.note(session, session.get_one(Recording, recording_id), is_last=True)
    return {"n_utterances": n_utterances, "engine": transcript.engine}


def _begin(context: Context, job: RunningJob, recording_id: int) -> _Meeting:
    with context.factory.begin() as session:
        recording = session.get(Recording, recording_id)
        if recording is None:
            raise NotFound(f"recording {recording_id} does not exist")
        job.fence(session)
        if recording.media_expired_at is not None:
            raise Conflict(
                f"the sound of recording {recording_id} was deleted on {recording.media_expired_at:%Y-%m-%d}; "
                "its transcript stays as it is"
            )
        recording.state, recording.error = "transcribing", None
        return _Meeting(recording, sounds_of(session, recording), hotwords(session, recording))


def _transcript(context: Context, job: RunningJob, meeting: _Meeting) -> Transcript:
    """All sounds of the meeting on one clock. Of several a bad one is left out, with a warning; a lone one fails."""
    made, warnings, failure = [], [], None
    for number, sound in enumerate(meeting.sounds):
        try:
            made.append(_of_sound(context, job, meeting, number, sound))
        except BadInput as exc:
            if len(meeting.sounds) == 1:
                raise
            failure = failure or exc
            if sound.speaker is None or "no speech" not in str(exc):  # who was muted all the time is no fault
                warnings.append(f"A part of this meeting is missing: {exc}.")
    if not made:
        raise failure or BadInput(f"{meeting.recording.file_name}: there is nothing to hear")
    return _together(made, warnings)


def _of_sound(context: Context, job: RunningJob, meeting: _Meeting, number: int, sound: Sound) -> Transcript:
    if sound.transcript_url == sound.blob_url:  # a transcript without sound
        with context.blobs.local(sound.blob_url) as path, _naming(path, sound.file_name):
            alone = parse(path, sound.transcript_name or sound.file_name)
        return _moved(alone, sound.offset_s - meeting.first_s, sound.speaker)
    with context.blobs.local(sound.blob_url) as path, _naming(path, sound.file_name):
        facts = probe(path, limits=_limits(context))
        said = _said_beside(context, sound, facts)
        if said is None or (context.settings.imp_transcripts == "names" and turns_of(said.utterances)):
            with _alone(context, job):
                said = _listened(context, job, meeting, number, sound, path, facts, said)
    return _moved(said, sound.offset_s - meeting.first_s, sound.speaker)


def _said_beside(context: Context, sound: Sound, facts: MediaFacts) -> Transcript | None:
    if sound.transcript_url is None:
        return None
    with context.blobs.local(sound.transcript_url) as beside:
        return _within(parse(beside, sound.transcript_name or beside.name), facts)


@contextmanager
def _naming(path: Path, file_name: str) -> Iterator[None]:
    """Complaints about the blob, whose name is a hash, name the file as people know it."""
    try:
        yield
    except BadInput as exc:
        raise BadInput(str(exc).replace(path.name, file_name)) from exc


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
    context: Context,
    job: RunningJob,
    meeting: _Meeting,
    number: int,
    sound: Sound,
    path: Path,
    facts: MediaFacts,
    named: Transcript | None,
) -> Transcript:
    """Hear every channel that is one person's, each window saved when it is done; then say who spoke."""
    limits, track, engine = _limits(context), facts.audio_tracks[0], context.transcriber
    _start_or_resume(context, job, meeting.recording.id, engine.name)
    channels: tuple[int | None, ...] = (None,)
    if track.channels == 2 and sound.speaker is None:  # may be two people's, which costs a look
        channels = channels_to_read(listen(path, track, limits=limits))
    reached_s = 0.0
    for place, channel in enumerate(channels):
        windows = partial(read_windows, path, track=track.index, channel=channel, limits=limits)
        shown = _Shown(
            place * facts.duration_s, len(channels) * facts.duration_s, number, len(meeting.sounds)
        )
        last_s = _hear_pass(context, job, meeting, number * PASSES_PER_SOUND + place, windows, shown)
        reached_s = max(reached_s, facts.duration_s if last_s is None else last_s)
    spoken = _saved(context, meeting.recording.id, number)
    if not sounds_like_speech(spoken):
        raise BadInput(f"{sound.file_name}: no speech was heard in this recording")
    turns = turns_of(named.utterances) if named else _turns(context, job, number, path, track.index, spoken)
    return Transcript(
        with_speakers(spoken, turns) if turns else spoken,
        f"{engine.name}, names from the {named.engine}" if named else engine.name,
        _language(job, meeting.recording),
        facts.duration_s,
        engine.warnings + _missing(sound, facts.duration_s, reached_s),
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """How a pass stands in the progress: seconds of earlier passes and of all, which file of how many."""

    before_s: float
    total_s: float
    number: int
    n_sounds: int


def _hear_pass(
    context: Context,
    job: RunningJob,
    meeting: _Meeting,
    in_pass: int,
    read: Callable[..., Iterator[AudioWindow]],
    shown: _Shown,
) -> float | None:
    """One channel of one sound from where an earlier run stopped; each window is saved when it is done.

    Returns:
        Second at which the sound ends; None when an earlier run has heard it all.
    """
    first, n_saved = _resume_point(job, in_pass)
    if first is None:
        return None
    end_s = 0.0
    of = f"{shown.number + 1} of {shown.n_sounds}" if shown.n_sounds > 1 else None
    since, heard_before_s = time.time(), None
    windows = read(window_s=context.settings.imp_window_s, first_window=first)
    for result in context.transcriber.transcribe(windows, language=None, hotwords=meeting.hotwords):
        languages = Counter(job.checkpoint.get("languages") or {})
        if result.language and result.utterances:
            languages[result.language] += len(result.utterances)
        position = in_pass * PASS_STRIDE + n_saved
        n_saved += len(result.utterances)
        with context.factory.begin() as session:
            recordings.add_segments(session, meeting.recording.id, position, result.utterances)
            reached = {"channel": in_pass, "next_window": result.index + 1, "n_saved": n_saved}
            job.save(session, **reached, languages=languages)
            show_progress.note(session, meeting.recording)
        if heard_before_s is None:
            heard_before_s = shown.before_s + result.start_s
        end_s = result.end_s
        heard_s = round(shown.before_s + end_s, 1)
        job.progress(
            heard_s, round(shown.total_s, 1), "s heard", file=of, before=round(heard_before_s, 1), since=since
        )
        job.check()
    with context.factory.begin() as session:
        job.save(session, channel=in_pass + 1, next_window=0, n_saved=0)
    return end_s or None


def _missing(sound: Sound, announced_s: float, heard_s: float) -> tuple[str, ...]:
    """What to tell when far less can be decoded than the file announces."""
    if heard_s >= announced_s * LEAST_HEARD_SHARE - LEAST_HEARD_SLACK_S:
        return ()
    return (
        f"Only {heard_s / 60:.1f} of {announced_s / 60:.1f} minutes of {sound.file_name} can be heard; "
        "the file may be damaged or cut off.",
    )


def _start_or_resume(context: Context, job: RunningJob, recording_id: int, engine: str) -> None:
    """Keep the windows this job has heard; those of other runs or of another engine are forgotten."""
    if job.checkpoint.get("engine") == engine:
        return
    with context.factory.begin() as session:
        session.execute(delete(Segment).where(Segment.recording_id == recording_id))
        job.save(session, engine=engine, channel=0, next_window=0, n_saved=0, languages={}, turns={})


def _resume_point(job: RunningJob, in_pass: int) -> tuple[int | None, int]:
    """(first window still to hear, utterances saved) of a pass; (None, 0) when it is done."""
    reached = int(job.checkpoint.get("channel", 0))
    if in_pass < reached:
        return None, 0
    if in_pass > reached:
        return 0, 0
    return int(job.checkpoint.get("next_window", 0)), int(job.checkpoint.get("n_saved", 0))


def _saved(context: Context, recording_id: int, number: int) -> tuple[Utterance, ...]:
    """All saved utterances of a sound by time, whatever channel they came from."""
    first = number * PASSES_PER_SOUND * PASS_STRIDE
    with context.factory() as session:
        rows = session.execute(
            select(Segment)
            .where(
                Segment.recording_id == recording_id,
                Segment.position >= first,
                Segment.position < first + PASSES_PER_SOUND * PASS_STRIDE,
            )
            .order_by(Segment.start_s, Segment.end_s)
        ).scalars()
        return tuple(recordings.utterance_of(row) for row in rows)


def _turns(
    context: Context, job: RunningJob, number: int, path: Path, track: int, spoken: Sequence[Utterance]
) -> tuple[Turn, ...]:
    """Who spoke when, by the configured diarization model; nothing where none is, or where channels say it."""
    if all(one.speaker for one in spoken) or context.diarizer is None:
        return ()
    kept = (job.checkpoint.get("turns") or {}).get(str(number))
    if kept is None:
        found = context.diarizer.turns(path, track=track)
        if context.settings.imp_match_voices:
            found = voices.named(context, context.diarizer, path, found, track=track)
        kept = [[one.start_s, one.end_s, one.speaker] for one in found]
        with context.factory.begin() as session:
            job.save(session, turns={**(job.checkpoint.get("turns") or {}), str(number): kept})
    return tuple(Turn(*one) for one in kept)


def _language(job: RunningJob, recording: Recording) -> str | None:
    spoken_in: dict[str, int] = job.checkpoint.get("languages") or {}
    return max(sorted(spoken_in), key=spoken_in.__getitem__) if spoken_in else recording.language


def _moved(said: Transcript, by_s: float, speaker: str | None) -> Transcript:
    """From the file's clock to the meeting's, and under the name of whose microphone it is."""
    if by_s == 0.0 and speaker is None:
        return said
    moved = tuple(
        replace(
            one,
            start_s=one.start_s + by_s,
            end_s=one.end_s + by_s,
            speaker=speaker or one.speaker,
            words=tuple(replace(w, start_s=w.start_s + by_s, end_s=w.end_s + by_s) for w in one.words),
        )
        for one in said.utterances
    )
    return replace(said, utterances=moved, duration_s=(said.duration_s or 0.0) + by_s)


def _together(made: Sequence[Transcript], warnings: Sequence[str]) -> Transcript:
    """Several transcripts on one clock as one; what is said at the same time stays, one after the other."""
    if len(made) == 1 and not warnings:
        return made[0]
    spoken = sorted(
        (one for said in made for one in said.utterances), key=lambda one: (one.start_s, one.end_s)
    )
    languages = Counter(said.language for said in made if said.language)
    return Transcript(
        tuple(spoken),
        "; ".join(dict.fromkeys(said.engine for said in made)),
        max(sorted(languages), key=languages.__getitem__) if languages else None,
        max((said.duration_s or 0.0) for said in made),
        tuple(dict.fromkeys([*(one for said in made for one in said.warnings), *warnings])),
    )


def _within(transcript: Transcript, facts: MediaFacts) -> Transcript:
    """A transcript that runs far past the sound belongs to another recording; say so on the page."""
    warnings = transcript.warnings
    if transcript.duration_s and transcript.duration_s > facts.duration_s * 1.1 + 30:
        warnings = (*warnings, "The transcript is longer than the recording; they may not belong together.")
    return replace(transcript, duration_s=facts.duration_s, warnings=warnings)


def _limits(context: Context) -> MediaLimits:
    return MediaLimits(
        max_bytes=context.settings.imp_max_upload_bytes, max_duration_s=context.settings.imp_max_recording_s
    )
