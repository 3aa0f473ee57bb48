"""Erase one person: their rows go, and where others' records name them a neutral label stands instead.

What they asked, said by feedback, uploaded or let us learn of their voice is deleted; what they said in meetings stays
without their name. Their voice in the sound of meetings stays as well: that goes with the recording. Knows no page:
minutes that named them are published again.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from typing import Any

from sqlalchemy import Text, cast, delete, func, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from core import jobs
from core.errors import NotFound
from core.settings import Settings
from core.tables.action_items import ActionItem
from core.tables.audit import AuditEntry
from core.tables.base import Base
from core.tables.documents import Document
from core.tables.jobs import Alert, Job
from core.tables.meetings import Minutes, Recording, Segment
from core.tables.people import Account, Person
from core.tables.questions import Question
from core.tables.recording_files import RecordingFile, Upload
from core.tables.slack import SlackChannel
from core.tables.speech import GlossaryTerm, Voice
from core.tables.verified import VerifiedAnswer
from rag.store import remove_document
from workers.minutes import enqueue_publication
from workers.recordings import rewrite_document
from workers.replace_words import pattern_of, replaced_in_words

LABEL = "Former participant"
ENDED = ("done", "failed", "cancelled")
Reword = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class ErasedPerson:
    """What changed, in numbers; `n_recordings` are those whose transcript or facts named them."""

    n_accounts: int
    n_questions: int
    n_verified_answers: int
    n_utterances: int
    n_recordings: int
    n_minutes: int
    n_pages: int
    n_action_items: int
    n_terms: int
    n_voices: int
    n_uploads: int
    n_jobs: int
    job_id: int | None

    def as_row(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Who:
    """Whatever names the person: `words` as people write it, `accounts` as providers do.

    `short` are names of one word such as Will: they name nobody inside a sentence, so only whole fields that say
    just this are changed.
    """

    person_id: int | None
    account_ids: tuple[int, ...]
    words: tuple[str, ...]
    short: tuple[str, ...]
    accounts: tuple[str, ...]

    @property
    def marks(self) -> tuple[str, ...]:
        return (*self.words, *self.accounts)


def erase_person(session: Session, settings: Settings, email: str) -> ErasedPerson:
    """Erase whoever has this address in the caller's transaction; rolled back, nothing happened.

    Raises:
        NotFound: neither a person nor an account has this address.
    """
    who = _find(session, email)
    reword = _rewording(who.marks)
    uploads = session.execute(select(Upload.id).where(Upload.person_id == who.person_id)).scalars().all()
    n_questions = _delete(session, Question, _asked_by(who) | _names(Question, who.marks))
    n_verified = _delete(session, VerifiedAnswer, _names(VerifiedAnswer, who.marks, but=("author_name",)))
    _reword(session, VerifiedAnswer, [VerifiedAnswer.author_name], who.marks, reword)
    recording_ids, n_utterances = _in_transcripts(session, settings, who, reword)
    n_minutes, n_pages = _in_minutes(session, who, reword)
    item_columns = [ActionItem.text, ActionItem.owner, ActionItem.account_id]
    n_items = len(_reword(session, ActionItem, item_columns, who.marks, reword))
    n_terms = _delete(session, GlossaryTerm, _names(GlossaryTerm, who.words))
    _reword(session, Document, [Document.author, Document.editor], who.words, reword)
    _reword(session, RecordingFile, [RecordingFile.speaker, RecordingFile.file_name], who.words, reword)
    _reword(session, AuditEntry, [AuditEntry.actor, AuditEntry.target, AuditEntry.details], who.marks, reword)
    for channel in session.execute(select(SlackChannel)).scalars():
        channel.askers = [one for one in channel.askers if one not in who.accounts]
        channel.experts = [one for one in channel.experts if one not in who.accounts]
    n_jobs = _delete(session, Job, Job.state.in_(ENDED) & _names(Job, who.marks))
    _delete(session, Alert, _names(Alert, who.marks))
    n_voices = _delete(session, Voice, Voice.person_id == who.person_id)
    _delete(session, Upload, Upload.id.in_(uploads))
    n_accounts = _delete(session, Account, Account.id.in_(who.account_ids))
    _delete(session, Person, Person.id == who.person_id)
    session.expire_all()
    job_id = _parts(session, who, uploads)
    return ErasedPerson(
        n_accounts, n_questions, n_verified, n_utterances, len(recording_ids), n_minutes, n_pages, n_items, n_terms,
        n_voices, len(uploads), n_jobs, job_id,
    )  # fmt: skip


def _find(session: Session, email: str) -> _Who:
    address = email.strip().lower()
    person = session.execute(
        select(Person).where(func.lower(Person.email) == address).with_for_update()
    ).scalar_one_or_none()
    of_person = Account.person_id == person.id if person else Account.person_id.is_(None)
    accounts = session.execute(
        select(Account).where(or_(of_person if person else func.lower(Account.email) == address,
                                  (func.lower(Account.email) == address) & Account.person_id.is_(None)))
    ).scalars().all()  # fmt: skip
    if person is None and not accounts:
        raise NotFound(f"nobody with the address {email}: see `imp people list`")
    said = [
        person.name if person else None,
        address,
        *(word for one in accounts for word in (one.name, one.email)),
    ]
    words = dict.fromkeys(word.strip() for word in said if word and len(word.strip()) > 2)
    return _Who(
        person.id if person else None,
        tuple(one.id for one in accounts),
        tuple(sorted((word for word in words if _is_own(word)), key=lambda word: (-len(word), word))),
        tuple(word for word in words if not _is_own(word)),
        tuple(one.external_id for one in accounts if len(one.external_id) > 5),
    )


def _is_own(word: str) -> bool:
    return "@" in word or " " in word


def _rewording(marks: Sequence[str]) -> Reword:
    patterns = [pattern_of(mark) for mark in marks]
    return lambda said: reduce(lambda left, pattern: pattern.sub(LABEL, left), patterns, said)


def _asked_by(who: _Who) -> Any:
    return or_(Question.person_id == who.person_id, Question.place["user"].as_string().in_(who.accounts))


def _names(model: type[Base], marks: Sequence[str], *, but: Sequence[str] = ()) -> Any:
    """Whether any worded column of a row holds one of the marks."""
    columns = [
        cast(getattr(model, one.key), Text)
        for one in model.__mapper__.column_attrs
        if one.key not in but and _is_worded(one.columns[0])
    ]
    return _holds(columns, marks)


def _holds(columns: Sequence[Any], marks: Sequence[str]) -> Any:
    said = func.lower(func.concat_ws(" ", *columns))
    return or_(*(func.strpos(said, mark.lower()) > 0 for mark in marks)) if marks else text("false")


def _is_worded(column: Any) -> bool:
    return any(word in str(column.type).upper() for word in ("TEXT", "JSON", "VARCHAR", "[]"))


def _reword(
    session: Session,
    model: type[Base],
    columns: Sequence[InstrumentedAttribute[Any]],
    marks: Sequence[str],
    reword: Reword,
) -> list[Any]:
    """Put the label into these columns wherever they hold a mark; returns the rows that changed."""
    query = select(model).where(_holds([cast(one, Text) for one in columns], marks))
    rows = list(session.execute(query.with_for_update()).scalars())
    for row in rows:
        for column in columns:
            before = getattr(row, column.key)
            if before is not None:
                setattr(row, column.key, _reworded(before, reword))
    session.flush()
    return rows


def _reworded(value: Any, reword: Reword) -> Any:
    if isinstance(value, str):
        return reword(value)
    if isinstance(value, list):
        return [_reworded(one, reword) for one in value]
    if isinstance(value, dict):
        return {reword(key): _reworded(one, reword) for key, one in value.items()}
    return value


def _in_transcripts(session: Session, settings: Settings, who: _Who, reword: Reword) -> tuple[set[int], int]:
    """Speakers, words and facts of recordings; their documents are written anew and leave the index until then."""
    segments = _reword(session, Segment, [Segment.speaker, Segment.text, Segment.heard], who.words, reword)
    alone = {word.casefold() for word in who.short}
    is_alone = func.lower(Segment.speaker).in_(alone)
    spoken = list(session.execute(select(Segment).where(is_alone)).scalars()) if alone else []
    for row in spoken:
        row.speaker = LABEL
    segments += spoken
    for row in segments:
        for word in who.words:
            row.words = replaced_in_words(row.words, word, LABEL) if row.words else row.words
    facts = [Recording.title, Recording.file_name, Recording.participants, Recording.origin, Recording.error]
    recordings = {row.id: row for row in _reword(session, Recording, facts, who.marks, reword)}
    for recording_id in {row.recording_id for row in segments} - set(recordings):
        recordings[recording_id] = session.get_one(Recording, recording_id)
    for row in recordings.values():
        row.participants = [LABEL if one.casefold() in alone else one for one in row.participants]
        if row.document_id is not None:
            remove_document(session, row.document_id)
            rewrite_document(session, settings, row)
    return set(recordings), len(segments)


def _in_minutes(session: Session, who: _Who, reword: Reword) -> tuple[int, int]:
    """Lines of every version. The page that stands is written again from its own base, so that the merge sees the
    name as ours and not as somebody's edit; what was read back of it is forgotten until it is read anew.
    """
    rows = _reword(session, Minutes, [Minutes.lines, Minutes.warnings], who.marks, reword)
    storages = [Minutes.published_storage, Minutes.transcript_storage]
    query = select(Minutes).where(_holds([cast(one, Text) for one in storages], who.marks))
    named = session.execute(query).scalars().all()
    standing = {row.recording_id: row for row in (*rows, *named) if row.state == "published"}
    for row in standing.values():
        enqueue_publication(session, row)
    for row in named:
        if row.state != "published":
            row.published_storage = row.transcript_storage = None
    pages = [page for row in (*rows, *named) for page in (row.page_id, row.transcript_page_id) if page]
    _forget_pages(session, pages)
    session.flush()
    return len(rows), len(standing)


def _forget_pages(session: Session, pages: Sequence[str]) -> None:
    query = select(Document.id).where(or_(Document.external_id.in_(pages), Document.parent_id.in_(pages)))
    ids = list(session.execute(query).scalars()) if pages else []
    for document_id in ids:
        remove_document(session, document_id)
    session.execute(delete(Document).where(Document.id.in_(ids)))


def _parts(session: Session, who: _Who, uploads: Sequence[str]) -> int | None:
    """Pieces of unfinished uploads lie beside the blobs; the job that erases files takes them away."""
    if not uploads:
        return None
    nothing: dict[str, Any] = {"sha256": "", "blobs": [], "pages": [], "messages": [], "minutes": []}
    key = f"person:{who.person_id}"
    return jobs.enqueue(session, "erase_outside", key, uploads=list(uploads), person_id=None, **nothing)


def _delete(session: Session, model: type[Base], condition: Any) -> int:
    key = model.__mapper__.primary_key[0]
    found = session.execute(delete(model).where(condition).returning(key))
    return len(found.all())
