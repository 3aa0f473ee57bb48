"""What else belongs to a recording: further parts of its meeting, tracks of single people, uploads on their way."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Json, json_object, now, parent
from core.tables.meetings import Recording
from core.tables.people import Person


class RecordingFile(Base):
    """A sounding file of a meeting besides the recording's own. `role`: part, track.

    A part goes on where others stop (or overlaps them); a track is the microphone of one person, `speaker`.
    `offset_s` is where the file starts on the recording's clock.
    """

    __tablename__ = "recording_files"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    recording_id: Mapped[int] = parent(Recording.id, index=False)
    role: Mapped[str]
    sha256: Mapped[str] = mapped_column(index=True)
    blob_url: Mapped[str]
    file_name: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    speaker: Mapped[str | None]
    offset_s: Mapped[float]
    transcript_url: Mapped[str | None]
    transcript_name: Mapped[str | None]
    created_at: Mapped[datetime] = now()
    __table_args__ = (UniqueConstraint("recording_id", "sha256"),)


class Upload(Base):
    """A recording that arrives in pieces. `state`: open, complete, taken, failed.

    `parts` are `{"url", "size"}` of the pieces kept so far, in order; `received_bytes` is their sum.
    """

    __tablename__ = "uploads"
    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = parent(Person.id)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    received_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    facts: Mapped[Json] = json_object()
    parts: Mapped[list[Json]] = mapped_column(server_default="[]")
    state: Mapped[str] = mapped_column(server_default="open")
    error: Mapped[str | None]
    recording_id: Mapped[int | None] = mapped_column(ForeignKey(Recording.id, ondelete="SET NULL"))
    created_at: Mapped[datetime] = now()
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ErasedFile(Base):
    """A file of an erased recording, by its content: it is not taken in again, whichever door it comes through."""

    __tablename__ = "erased_files"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    erased_at: Mapped[datetime] = now()
