"""What meetings gave people to do, as the minutes' page has it now."""

from datetime import date, datetime

from sqlalchemy import Identity, UniqueConstraint
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, now, parent
from core.tables.meetings import Recording


class ActionItem(Base):
    """One task of a published page. `line_id` is the task's uuid on the page.

    Written when minutes are published and read back from the page: people tick, reword, reassign and add tasks
    there. `account_id` is the mentioned Confluence account, `owner` a name as it was said. `position` orders them.
    """

    __tablename__ = "action_items"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    recording_id: Mapped[int] = parent(Recording.id, index=False)
    line_id: Mapped[str]
    position: Mapped[int]
    text: Mapped[str]
    owner: Mapped[str | None]
    account_id: Mapped[str | None] = mapped_column(index=True)
    due: Mapped[date | None]
    is_done: Mapped[bool] = mapped_column(server_default=sql_text("false"))
    done_at: Mapped[datetime | None]
    page_id: Mapped[str] = mapped_column(index=True)
    page_url: Mapped[str]
    page_version: Mapped[int]
    read_at: Mapped[datetime] = now()
    __table_args__ = (UniqueConstraint("recording_id", "line_id"),)
