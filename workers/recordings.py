"""Rows of recordings: who may read them, their transcript, their document; finished, or failed with a reason.

`workers.intake` makes them. Knows no engine and no page.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import jobs
from core.access import set_gate
from core.errors import NotFound
from core.settings import Settings
from core.tables.documents import Document, Gate, Source
from core.tables.meetings import Recording, Segment
from core.transcript import Transcript, Utterance, Word
from workers.language import CONFIGURATIONS, SIMPLE, language_of

UNKNOWN_SPEAKER = "Speaker ?"
SPOKEN_COLUMNS = ("start_s", "end_s", "speaker", "text", "confidence", "words", "heard")


Mend = Callable[[Session, Recording, Sequence[Utterance]], tuple[Utterance, ...]]


def resolve_gates(session: Session, settings: Settings, source_id: int) -> list[int] | None:
    """The doors of a recording: those of its audience setting; None (closed) while they are unknown.

    `IMP_RECORDINGS_AUDIENCE` is `space:KEY` (whoever may read that Confluence space; of several, all of them),
    or principals such as `group:staff,user:ID` (any of them); unset means the space that minutes are published in.
    Where spaces are named, only they count.
    """
    audience = settings.imp_recordings_audience
    if not audience and settings.confluence_minutes_space:
        audience = (f"space:{settings.confluence_minutes_space}",)
    spaces = [entry for entry in audience if entry.startswith("space:")]
    if spaces:
        found = session.execute(
            select(Gate.id, Gate.door).join(Source, Source.id == Gate.source_id)
            .where(Source.kind == "confluence", Gate.door.in_(spaces)).order_by(Gate.id)
        ).all()  # fmt: skip
        # One space that is not known yet keeps the recording closed: its door might be the narrow one.
        return [row.id for row in found] if {row.door for row in found} == set(spaces) else None
    return [set_gate(session, source_id, "audience", audience)] if audience else None


def open_closed_recordings(session: Session, settings: Settings) -> int:
    """Give doors to recordings taken in before their space was known. Returns how many were opened."""
    closed = session.execute(select(Recording).where(Recording.gate_ids.is_(None))).scalars().all()
    n_opened = 0
    for recording in closed:
        gate_ids = resolve_gates(session, settings, recording.source_id)
        if gate_ids is None:
            continue
        recording.gate_ids = gate_ids
        n_opened += 1
        if recording.document_id is not None:
            session.execute(
                update(Document).where(Document.id == recording.document_id).values(gate_ids=gate_ids)
            )
    return n_opened


def load_transcript(session: Session, recording_id: int) -> tuple[Recording, Transcript]:
    """The recording and what was said in it, in order. Raises NotFound."""
    recording = session.get(Recording, recording_id)
    if recording is None:
        raise NotFound(f"recording {recording_id} does not exist")
    rows = session.execute(
        select(Segment).where(Segment.recording_id == recording_id).order_by(Segment.position)
    ).scalars()
    utterances = tuple(utterance_of(row) for row in rows)
    return recording, Transcript(
        utterances,
        engine=recording.engine or "",
        language=recording.language,
        duration_s=recording.duration_s,
        warnings=tuple(recording.warnings),
    )


def utterance_of(row: Segment) -> Utterance:
    """A segment as the value it was made from."""
    words = tuple(Word(*one) for one in row.words or ())
    return Utterance(row.start_s, row.end_s, row.text, row.speaker, row.confidence, words)


def add_segments(
    session: Session,
    recording_id: int,
    first_position: int,
    spoken: Sequence[Utterance],
    heard: Sequence[str | None] = (),
) -> None:
    """Upsert utterances at `first_position` and following; `heard` are their texts before they were mended."""
    if not spoken:
        return
    statement = insert(Segment).values(
        [
            {
                "recording_id": recording_id,
                "position": first_position + offset,
                "start_s": one.start_s,
                "end_s": one.end_s,
                "speaker": one.speaker,
                "text": one.text.replace("\x00", ""),
                "confidence": one.confidence,
                "words": _timed(one.words),
                "heard": before.replace("\x00", "") if before else None,
            }
            for offset, (one, before) in enumerate(zip_longest(spoken, heard))
            if one is not None
        ]
    )
    columns = {name: statement.excluded[name] for name in SPOKEN_COLUMNS}
    session.execute(
        statement.on_conflict_do_update(index_elements=["recording_id", "position"], set_=columns)
    )


def _timed(words: Sequence[Word]) -> list[list[Any]] | None:
    """Times to the hundredth, as engines know them at best; a six hour meeting has 50,000 words."""
    rounded = [
        [
            round(word.start_s, 2),
            round(word.end_s, 2),
            word.text.replace("\x00", ""),
            None if word.confidence is None else round(word.confidence, 3),
        ]
        for word in words
    ]
    return rounded or None


def finish(
    session: Session,
    settings: Settings,
    recording_id: int,
    transcript: Transcript,
    *,
    mend: Mend | None = None,
) -> int:
    """Write the whole transcript, make it a document, and enqueue its indexing and its minutes.

    Args:
        mend: puts in the names and words that people corrected before (`workers.corrections.mend`).

    Returns:
        Number of utterances.
    """
    recording = session.get_one(Recording, recording_id)
    session.execute(delete(Segment).where(Segment.recording_id == recording_id))
    heard = transcript.utterances
    mended = mend(session, recording, heard) if mend else heard
    before = [old.text if old.text != new.text else None for old, new in zip(heard, mended, strict=True)]
    transcript = replace(transcript, utterances=mended)
    for start in range(0, len(mended), 1000):
        some = slice(start, start + 1000)
        add_segments(session, recording_id, start, mended[some], before[some])
    recording.engine = transcript.engine
    recording.language = transcript.language
    recording.warnings = list(transcript.warnings)
    recording.duration_s = transcript.duration_s or recording.duration_s
    recording.state, recording.error = "transcribed", None
    recording.gate_ids = recording.gate_ids or resolve_gates(session, settings, recording.source_id)
    recording.document_id = _upsert_document(session, settings, recording, transcript)
    jobs.enqueue(session, "index_document", str(recording.document_id), document_id=recording.document_id)
    jobs.enqueue(session, "draft_minutes", str(recording_id), recording_id=recording_id)
    return len(transcript.utterances)


def rewrite_document(session: Session, settings: Settings, recording: Recording) -> None:
    """Bring the document of a corrected transcript up to date and have its passages indexed again."""
    if recording.document_id is None:
        return
    session.flush()
    _, transcript = load_transcript(session, recording.id)
    _upsert_document(session, settings, recording, transcript)
    jobs.enqueue(session, "index_document", str(recording.document_id), document_id=recording.document_id)


def mark_failed(session: Session, recording_id: int, reason: str) -> None:
    """Show on the recording itself why there is no transcript."""
    session.execute(
        update(Recording).where(Recording.id == recording_id).values(state="failed", error=reason[:2000])
    )


def _upsert_document(
    session: Session, settings: Settings, recording: Recording, transcript: Transcript
) -> int:
    markdown = "\n".join(f"{one.speaker or UNKNOWN_SPEAKER}: {one.text}" for one in transcript.utterances)
    language = (
        CONFIGURATIONS.get(transcript.language, SIMPLE)
        if transcript.language
        else language_of(markdown, default="english")
    )
    values = {
        "kind": "transcript",
        "title": recording.title,
        "url": f"{settings.public_url}/recordings/{recording.id}",
        "markdown": markdown.replace("\x00", ""),
        "language": language,
        "content_hash": hashlib.sha256(f"{recording.title}\n{markdown}".encode()).hexdigest(),
        "gate_ids": recording.gate_ids,
        "space_key": settings.confluence_minutes_space,
        "details": {"recording_id": recording.id, "engine": transcript.engine},
        "created_at": recording.started_at or recording.created_at,
        "updated_at": recording.started_at or recording.created_at,
        "deleted_at": None,
        "status": "current",
        "error": None,
    }
    statement = insert(Document).values(
        source_id=recording.source_id, external_id=f"recording:{recording.id}", **values
    )
    statement = statement.on_conflict_do_update(
        index_elements=["source_id", "external_id"], set_={**values, "seen_at": func.now()}
    )
    return int(session.execute(statement.returning(Document.id)).scalar_one())


def recordings_source(session: Session, name: str) -> int:
    """Id of the source recordings of this door belong to, made when missing."""
    session.execute(
        insert(Source).values(name=name, kind="recordings", state="ready")
        .on_conflict_do_nothing(index_elements=["name"])
    )  # fmt: skip
    return int(session.execute(select(Source.id).where(Source.name == name)).scalar_one())
