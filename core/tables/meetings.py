"""What was heard, who said it, and what was written about it."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Json, json_object, now, parent, texts
from core.tables.documents import Document, Source
from core.tables.people import Person


class Recording(Base):
    """One meeting's media. `state`: received, transcribing, transcribed, failed.

    `meeting_key` names the meeting where a tool said which it was (`zoom:<uuid>`, `ics:<uid>`), so that its other
    recordings join this one.

    `gate_ids` are the doors of the place it came from; the transcript document and the minutes inherit them.
    `media_expired_at`: when its sound was thrown away by policy; transcript and minutes stay.
    """

    __tablename__ = "recordings"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    sha256: Mapped[str] = mapped_column(unique=True)
    blob_url: Mapped[str]
    transcript_url: Mapped[str | None]
    file_name: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    duration_s: Mapped[float | None]
    title: Mapped[str]
    started_at: Mapped[datetime | None]
    participants: Mapped[list[str]] = texts()
    language: Mapped[str | None]
    engine: Mapped[str | None]
    warnings: Mapped[list[str]] = texts()
    state: Mapped[str] = mapped_column(server_default="received")
    error: Mapped[str | None]
    source_id: Mapped[int] = parent(Source.id)
    document_id: Mapped[int | None] = mapped_column(ForeignKey(Document.id, ondelete="SET NULL"))
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"))
    gate_ids: Mapped[list[int] | None]
    origin: Mapped[Json] = json_object()
    meeting_key: Mapped[str | None] = mapped_column(index=True)
    media_expired_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = now()


class Segment(Base):
    """One utterance of a recording, in order of `position`.

    `words` are `[start_s, end_s, text, confidence]` where the engine timed them; `heard` is the text as it was
    before somebody corrected it, NULL while nobody has.
    """

    __tablename__ = "segments"
    recording_id: Mapped[int] = mapped_column(ForeignKey(Recording.id, ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    start_s: Mapped[float]
    end_s: Mapped[float]
    speaker: Mapped[str | None]
    text: Mapped[str]
    confidence: Mapped[float | None]
    words: Mapped[list[list[Any]] | None] = mapped_column(JSONB(none_as_null=True))
    heard: Mapped[str | None]


class Minutes(Base):
    """A version of a recording's minutes. `state`: draft, approved, published, discarded, superseded.

    `lines` is `core.minutes.MinutesDraft` as JSON. `published_storage` is the base of the next merge.
    `announcement` is the Slack message that told of them: `{"team", "channel", "ts"}`, or empty.
    `transcript_page_id` and `transcript_storage` are the same of the transcript's own page, where it has one.
    `edited_by` is who made this version out of the one before. A draft is to be reviewed until `review_due_at`;
    `reminded_at` is when the reviewer was reminded of it, which happens once.
    """

    __tablename__ = "minutes"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    recording_id: Mapped[int] = parent(Recording.id, index=False)
    version: Mapped[int]
    state: Mapped[str] = mapped_column(server_default="draft")
    lines: Mapped[list[Json]]
    engine: Mapped[str]
    warnings: Mapped[list[str]] = texts()
    edited_by: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"))
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"))
    review_due_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    page_id: Mapped[str | None]
    page_version: Mapped[int | None]
    page_url: Mapped[str | None]
    published_storage: Mapped[str | None]
    transcript_page_id: Mapped[str | None]
    transcript_storage: Mapped[str | None]
    announced_at: Mapped[datetime | None]
    announcement: Mapped[Json] = json_object()
    created_at: Mapped[datetime] = now()
    published_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("recording_id", "version"),)
