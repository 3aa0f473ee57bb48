"""What the house has learned about how people speak: terms to listen for, and voices where people agreed."""

from datetime import datetime

from sqlalchemy import ForeignKey, Identity, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Json, json_object, now, parent, texts
from core.tables.people import Person


class GlossaryTerm(Base):
    """A word or name as it is to be written, and what it was misheard as. `origin`: manual, import, correction.

    `learned` keeps by recording id what corrections of that recording added to `heard_as`.
    """

    __tablename__ = "glossary"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    term: Mapped[str]
    heard_as: Mapped[list[str]] = texts()
    origin: Mapped[str] = mapped_column(server_default="manual")
    learned: Mapped[Json] = json_object()
    added_by: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"))
    created_at: Mapped[datetime] = now()
    updated_at: Mapped[datetime] = now()


Index("uq_glossary_lower_term", func.lower(GlossaryTerm.term), unique=True)


class Voice(Base):
    """A person's voice as one engine's vector, kept only with their consent."""

    __tablename__ = "voices"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    person_id: Mapped[int] = parent(Person.id, index=False)
    engine: Mapped[str]
    vector: Mapped[list[float]]
    spoken_s: Mapped[float]
    consented_at: Mapped[datetime]
    updated_at: Mapped[datetime] = now()
    __table_args__ = (UniqueConstraint("person_id", "engine"),)
