"""Erase one recording: rows in one transaction here, files, pages and messages by a job that is tried again.

What is erased: transcript, passages with vectors, postings and statistics, minutes, tasks, answers that rest on any
of it, what was learned from it, and the traces of its jobs. Only the hashes of its files are kept, so that the same
file does not come back through a door. Knows neither Confluence nor Slack.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import jobs
from core.errors import NotFound
from core.tables.documents import Document, Source
from core.tables.meetings import Minutes, Recording, Segment
from core.tables.people import Person
from core.tables.recording_files import ErasedFile, RecordingFile, Upload
from core.tables.speech import GlossaryTerm, Voice
from rag.store import remove_document
from workers.media_retention import is_shared
from workers.meeting_files import blob_urls
from workers.minutes import enqueue_publication

# A shorter title or file name stands in too many texts to say whose they are.
LEAST_NEEDLE_CHARS = 8

ANSWERS_ON = text("""
    DELETE FROM questions
    WHERE jsonb_path_exists(citations, '$[*] ? (@.document_id == $ids[*])', CAST(:vars AS jsonb))
       OR jsonb_path_exists(trace, '$.** ? (@.document_id == $ids[*])', CAST(:vars AS jsonb))
       OR trace -> 'rests_on' ?| CAST(:names AS text[])
       OR place ->> 'recording_id' = :recording_id
    RETURNING id
""")
VERIFIED_ON = text("""
    DELETE FROM verified_answers
    WHERE id IN (SELECT verified_id FROM verified_sources WHERE document_id = ANY(:ids))
       OR jsonb_path_exists(citations, '$[*] ? (@.document_id == $ids[*])', CAST(:vars AS jsonb))
    RETURNING id
""")
JOBS_OF = text("""
    DELETE FROM jobs
    WHERE jsonb_path_exists(args, '$.recording_id ? (@ == $recording)', CAST(:vars AS jsonb))
       OR jsonb_path_exists(outcome, '$.recording_id ? (@ == $recording)', CAST(:vars AS jsonb))
       OR jsonb_path_exists(args, '$.minutes_id ? (@ == $minutes[*])', CAST(:vars AS jsonb))
       OR jsonb_path_exists(args, '$.document_id ? (@ == $documents[*])', CAST(:vars AS jsonb))
       OR jsonb_path_exists(args, '$.question_id ? (@ == $questions[*])', CAST(:vars AS jsonb))
       OR args ->> 'upload_id' = ANY(:uploads)
       OR state IN ('done', 'failed', 'cancelled') AND EXISTS (
            SELECT FROM unnest(CAST(:needles AS text[])) AS needle
            WHERE strpos(concat_ws(' ', key, args, checkpoint, progress, outcome, error), needle) > 0)
    RETURNING id
""")
ALERTS_OF = text("""
    DELETE FROM alerts WHERE EXISTS (
        SELECT FROM unnest(CAST(:needles AS text[])) AS needle
        WHERE strpos(concat_ws(' ', key, message, details), needle) > 0)
    RETURNING id
""")
AUDIT_OF = text("""
    UPDATE audit SET details = '{}', target = NULL WHERE EXISTS (
        SELECT FROM unnest(CAST(:needles AS text[])) AS needle
        WHERE strpos(concat_ws(' ', target, details), needle) > 0)
""")


@dataclass(frozen=True, slots=True)
class ErasedRecording:
    """What went, in numbers; `job_id` takes the files, pages and messages away."""

    recording_id: int
    n_utterances: int
    n_passages: int
    n_minutes: int
    n_pages: int
    n_files: int
    n_answers: int
    n_verified_answers: int
    n_terms: int
    n_voices: int
    n_jobs: int
    n_alerts: int
    job_id: int

    def as_row(self) -> dict[str, Any]:
        return asdict(self)


def erase_recording(session: Session, recording_id: int) -> ErasedRecording:
    """Erase it in the caller's transaction; rolled back, nothing happened.

    Work that is going on for it loses its claim with the job's row, so nothing is written after this.

    Raises:
        NotFound: no such recording.
    """
    recording = session.get(Recording, recording_id, with_for_update=True)
    if recording is None:
        raise NotFound(f"recording {recording_id} does not exist")
    versions = session.execute(select(Minutes).where(Minutes.recording_id == recording_id)).scalars().all()
    pages = _pages(versions)
    documents = _documents(session, recording, pages)
    needles = _needles(session, recording, versions)
    outside = _outside(session, recording, versions, pages)
    uploads = session.execute(select(Upload.id).where(Upload.recording_id == recording_id)).scalars().all()
    answers = _ids(
        session,
        ANSWERS_ON,
        vars={"ids": documents},
        names=[str(one) for one in documents],
        recording_id=str(recording_id),
    )
    n_verified = len(_ids(session, VERIFIED_ON, ids=documents, vars={"ids": documents}))
    vars_ = {
        "recording": recording_id, "minutes": [row.id for row in versions], "documents": documents,
        "questions": answers,
    }  # fmt: skip
    n_jobs = len(_ids(session, JOBS_OF, vars=vars_, needles=needles, uploads=list(uploads)))
    n_alerts = len(_ids(session, ALERTS_OF, needles=needles))
    session.execute(AUDIT_OF, {"needles": needles})
    n_terms, n_voices = unlearn(session, recording_id), _forget_voices(session, recording_id)
    _publish_again_where_quoted(session, recording_id)
    n_utterances = session.execute(
        select(func.count()).select_from(Segment).where(Segment.recording_id == recording_id)
    ).scalar_one()
    n_passages = sum(remove_document(session, one) for one in documents)
    session.execute(delete(Document).where(Document.id.in_(documents)))
    session.execute(delete(Upload).where(Upload.id.in_(uploads)))
    _forget_path(session, recording)
    hashes = _hashes(session, recording)
    session.execute(delete(Recording).where(Recording.id == recording_id))
    session.execute(insert(ErasedFile).values([{"sha256": one} for one in hashes]).on_conflict_do_nothing())
    job_id = jobs.enqueue(session, "erase_outside", str(recording_id), uploads=list(uploads), **outside)
    return ErasedRecording(
        recording_id, n_utterances, n_passages, len(versions), len(pages), len(outside["blobs"]), len(answers),
        n_verified, n_terms, n_voices, n_jobs, n_alerts, job_id,
    )  # fmt: skip


def unlearn(session: Session, recording_id: int) -> int:
    """Take out of the glossary what corrections of this recording put there. Returns how many terms changed."""
    key = str(recording_id)
    rows = session.execute(select(GlossaryTerm).where(GlossaryTerm.learned.has_key(key))).scalars().all()
    for row in rows:
        taken = {one.casefold() for one in row.learned[key]}
        row.heard_as = [one for one in row.heard_as if one.casefold() not in taken]
        row.learned = {other: words for other, words in row.learned.items() if other != key}
        if row.origin == "correction" and not row.heard_as:
            session.delete(row)
    session.flush()
    return len(rows)


def _pages(versions: Sequence[Minutes]) -> list[str]:
    ids = [page for row in versions for page in (row.transcript_page_id, row.page_id)]
    return list(dict.fromkeys(page for page in ids if page))


def _documents(session: Session, recording: Recording, pages: Sequence[str]) -> list[int]:
    """The transcript, and what was read back of the pages: they themselves, comments and attachments below them."""
    below = or_(Document.external_id.in_(pages), Document.parent_id.in_(pages))
    query = select(Document.id).where(
        or_(
            Document.id == recording.document_id,
            Document.external_id == f"recording:{recording.id}",
            below & Document.source_id.in_(select(Source.id).where(Source.kind == "confluence")),
        )
    )
    return list(session.execute(query.order_by(Document.id)).scalars())


def _needles(session: Session, recording: Recording, versions: Sequence[Minutes]) -> list[str]:
    """What names this recording wherever it stands: its hash, names and titles that are long enough to be its own."""
    files = (
        session.execute(select(RecordingFile).where(RecordingFile.recording_id == recording.id))
        .scalars()
        .all()
    )
    origin = recording.origin
    found = [
        recording.sha256, recording.title, recording.file_name, recording.meeting_key, origin.get("transcript_name"),
        origin.get("path"), *(row.page_url for row in versions),
        *(name for one in files for name in (one.sha256, one.file_name, one.transcript_name)),
    ]  # fmt: skip
    return list(dict.fromkeys(str(one) for one in found if one and len(str(one)) >= LEAST_NEEDLE_CHARS))


def _outside(
    session: Session, recording: Recording, versions: Sequence[Minutes], pages: Sequence[str]
) -> dict[str, Any]:
    """What the job needs: ids, hashes and addresses, never words."""
    urls = [url for url in blob_urls(session, recording.id) if not is_shared(session, url, recording.id)]
    messages = [[one.get("team"), one["channel"], one["ts"]] for row in versions if (one := row.announcement)]
    if place := recording.origin.get("progress_message"):
        messages.append([recording.origin.get("team"), place["channel"], place["ts"]])
    return {
        "sha256": recording.sha256,
        "blobs": urls,
        "pages": list(pages),
        "messages": messages,
        "minutes": [row.id for row in versions],
        "person_id": recording.submitted_by,
    }


def _publish_again_where_quoted(session: Session, recording_id: int) -> None:
    """Minutes of later meetings of a series link to this one's decisions and tasks: they are written without them."""
    quoting = select(Minutes).where(
        Minutes.recording_id != recording_id,
        func.strpos(Minutes.published_storage, f"/recordings/{recording_id}?t=") > 0,
    )
    for row in session.execute(quoting).scalars():
        if row.state == "published":
            enqueue_publication(session, row)
        else:
            row.published_storage = None


def _hashes(session: Session, recording: Recording) -> list[str]:
    """Of all its files; a transcript's stands in its blob's name."""
    own = [url for url in blob_urls(session, recording.id) if not is_shared(session, url, recording.id)]
    of_files = session.execute(
        select(RecordingFile.sha256).where(RecordingFile.recording_id == recording.id)
    ).scalars()
    named = [url.rpartition("/")[2].partition(".")[0] for url in own]
    return list(dict.fromkeys([recording.sha256, *of_files, *(one for one in named if len(one) == 64)]))


def _forget_voices(session: Session, recording_id: int) -> int:
    """A voice is one vector over all meetings: whoever spoke here is learned anew from the others; consents stay."""
    spoke = select(func.lower(Segment.speaker)).where(
        Segment.recording_id == recording_id, Segment.speaker.is_not(None)
    )
    people = select(Person.id).where(func.lower(Person.name).in_(spoke))
    gone = session.execute(
        delete(Voice).where(Voice.person_id.in_(people), Voice.engine != "consent").returning(Voice.id)
    )
    return len(gone.all())


def _forget_path(session: Session, recording: Recording) -> None:
    """The folder's cursor forgets the file's path; should it lie there still, the next look refuses it aloud."""
    path = recording.origin.get("path")
    source = session.get(Source, recording.source_id, with_for_update=True)
    if not path or source is None:
        return
    cursor = {
        name: {key: mark for key, mark in value.items() if key != path} if isinstance(value, dict) else value
        for name, value in source.cursor.items()
    }
    session.execute(update(Source).where(Source.id == source.id).values(cursor=cursor))


def _ids(session: Session, statement: Any, **values: Any) -> list[int]:
    if "vars" in values:
        values["vars"] = json.dumps(values["vars"])
    return [int(row.id) for row in session.execute(statement, values)]
