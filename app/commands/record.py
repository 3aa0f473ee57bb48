"""`imp record`: recordings in, and what became of them."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from app.console import AsJson, DryRun, Wait, Yes, confirm, say, show_one, show_rows

app = typer.Typer(help="Recordings of meetings.", no_args_is_help=True)
RecordingId = Annotated[int, typer.Argument(help="Number of the recording, as `imp record list` shows it.")]
COLUMNS = {
    "id": "ID", "title": "TITLE", "started_at": "STARTED", "duration": "LENGTH", "state": "STATE",
    "engine": "HEARD BY", "minutes": "MINUTES", "error": "ERROR",
}  # fmt: skip


@app.command()
def add(
    file: Annotated[
        Path, typer.Argument(help="Audio or video, anything ffmpeg reads.", exists=True, dir_okay=False)
    ],
    title: Annotated[str | None, typer.Option(help="Title of the meeting.")] = None,
    started: Annotated[str | None, typer.Option(help="Start, ISO 8601, e.g. 2026-11-05T09:30Z.")] = None,
    participant: Annotated[list[str] | None, typer.Option(help="Who was there; repeat for each.")] = None,
    transcript: Annotated[
        Path | None,
        typer.Option(
            help="Transcript file; default: the one beside the recording.", exists=True, dir_okay=False
        ),
    ] = None,
    joins: Annotated[
        int | None, typer.Option(help="Number of the recording whose meeting this file goes on with.")
    ] = None,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Take a recording in: transcribe it, make it answerable, draft its minutes."""
    from app.follow import follow
    from app.session import open_context
    from workers import add_recording

    context = open_context()
    facts = add_recording.LocalRecording(
        file, title, _moment(started), tuple(participant or ()), transcript, joins=joins
    )
    added = add_recording.add_local(context, facts)
    if joins is not None:
        say(f"a part of recording {added.recording_id}, which is heard again")
    elif not added.is_new:
        say(f"already known as recording {added.recording_id}; `imp record retry` hears it again")
    if wait:
        for kind in ("transcribe_recording", "draft_minutes"):
            job_id = add_recording.newest_job(context, kind, added.recording_id)
            if job_id is not None:
                follow(context.factory, [job_id])
    with context.factory() as session:
        rows = _rows(session, added.recording_id)
    show_one(rows[0], as_json=as_json)


@app.command("list")
def list_recordings(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 30, as_json: AsJson = False
) -> None:
    """The newest recordings."""
    from app.session import open_session

    with open_session() as (_, session):
        rows = _rows(session, None, limit=limit)
    show_rows(rows, COLUMNS, as_json=as_json, none="no recordings yet: `imp record add FILE`")


@app.command()
def show(recording_id: RecordingId, as_json: AsJson = False) -> None:
    """One recording: its facts, its minutes and its transcript."""
    from app.session import open_session
    from workers.recordings import UNKNOWN_SPEAKER, load_transcript

    with open_session() as (_, session):
        recording, transcript = load_transcript(session, recording_id)
        facts = {
            **_rows(session, recording_id)[0],
            "participants": list(recording.participants),
            "warnings": list(recording.warnings),
            "sha256": recording.sha256,
        }
    if as_json:
        facts["transcript"] = [
            {"start_s": one.start_s, "end_s": one.end_s, "speaker": one.speaker, "text": one.text}
            for one in transcript.utterances
        ]
        show_one(facts, as_json=True)
        return
    show_one(facts, as_json=False)
    print()
    for one in transcript.utterances:
        print(f"{_clock(one.start_s)}  {one.speaker or UNKNOWN_SPEAKER}: {one.text}")


@app.command()
def retry(recording_id: RecordingId, wait: Wait = False) -> None:
    """Transcribe and draft again from the start."""
    from app.follow import follow
    from app.session import open_context
    from core import jobs
    from core.errors import NotFound
    from core.tables.meetings import Recording

    context = open_context()
    with context.factory.begin() as session:
        if session.get(Recording, recording_id) is None:
            raise NotFound(f"recording {recording_id} does not exist")
        job_id = jobs.enqueue(session, "transcribe_recording", str(recording_id), recording_id=recording_id)
    print(f"queued as job {job_id}")
    if wait:
        follow(context.factory, [job_id])


@app.command()
def correct(
    recording_id: RecordingId,
    wrong: Annotated[str, typer.Argument(help="The words as they stand in the transcript.")],
    right: Annotated[str, typer.Argument(help="The words that were said.")],
    learn: Annotated[
        bool, typer.Option("--learn/--no-learn", help="Remember it for meetings to come.")
    ] = True,
) -> None:
    """Write the right words in transcript, search, minutes and glossary."""
    from app.session import open_session
    from workers.corrections import correct_word

    with open_session() as (context, session):
        done = correct_word(session, context.settings, recording_id, wrong, right, learn=learn)
    print(f"{done.n_utterances} utterances and {done.n_lines} lines of minutes corrected")


@app.command("rename-speaker")
def rename_speaker(
    recording_id: RecordingId,
    old: Annotated[str, typer.Argument(help="The speaker as the transcript shows them, e.g. 'Speaker ?'.")],
    new: Annotated[str, typer.Argument(help="Their name.")],
) -> None:
    """Give a speaker their name in transcript, search and minutes."""
    from app.session import open_session
    from workers import corrections

    with open_session() as (context, session):
        done = corrections.rename_speaker(session, context.settings, recording_id, old, new)
    print(f"{done.n_utterances} utterances and {done.n_lines} lines of minutes renamed")


@app.command()
def erase(
    recording_id: RecordingId,
    dry_run: DryRun = False,
    yes: Yes = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Delete a recording for good: sound, transcript, minutes, their page, and every answer that rests on them."""
    from app.follow import follow
    from app.session import open_context
    from core.tables.meetings import Recording
    from workers import audit
    from workers.erase_recording import erase_recording

    context = open_context()
    with context.factory() as session:
        erased = erase_recording(session, recording_id)
        session.rollback()
        named = session.get_one(Recording, recording_id).title
    facts = erased.as_row()
    facts.pop("job_id")
    if dry_run:
        show_one(facts, as_json=as_json)
        return
    confirm(f"Erase recording {recording_id} ({named!r}) for good?", yes=yes)
    with context.factory.begin() as session:
        erased = erase_recording(session, recording_id)
        audit.write(session, "cli", "erase recording", target=str(recording_id))
    show_one(erased.as_row(), as_json=as_json)
    if wait:
        follow(context.factory, [erased.job_id])


def _rows(session: Any, recording_id: int | None, *, limit: int = 1) -> list[dict[str, Any]]:
    from sqlalchemy import select

    from core.errors import NotFound
    from core.tables.meetings import Minutes, Recording

    query = select(Recording).order_by(Recording.id.desc()).limit(limit)
    if recording_id is not None:
        query = query.where(Recording.id == recording_id)
    rows = []
    for recording in session.execute(query).scalars():
        newest = session.execute(
            select(Minutes)
            .where(Minutes.recording_id == recording.id)
            .order_by(Minutes.version.desc())
            .limit(1)
        ).scalar_one_or_none()
        rows.append(
            {
                "id": recording.id,
                "title": recording.title,
                "started_at": recording.started_at,
                "duration": _clock(recording.duration_s) if recording.duration_s else None,
                "state": recording.state,
                "engine": recording.engine,
                "minutes": f"{newest.state} (#{newest.id})" if newest else None,
                "minutes_url": newest.page_url if newest else None,
                "error": recording.error,
            }
        )
    if recording_id is not None and not rows:
        raise NotFound(f"recording {recording_id} does not exist")
    return rows


def _moment(text: str | None) -> datetime | None:
    from datetime import UTC

    from core.errors import BadInput

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise BadInput(f"--started {text!r} is not a time such as 2026-11-05T09:30Z") from exc
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"
