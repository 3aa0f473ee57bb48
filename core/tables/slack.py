"""What Slack adds of its own: workspaces that installed the bot, and how each channel wants to be answered.

The first three tables are slack_sdk's, column by column; its stores read and write them. Tokens in them are
encrypted by `workers.slack_workspaces`.
"""

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, now, texts
from core.tables.people import Person

NAIVE = DateTime(timezone=False)
"""slack_sdk writes UTC without saying so."""


class SlackInstallation(Base):
    """One person installed the bot in one workspace; the newest row of a workspace counts."""

    __tablename__ = "slack_installations"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    client_id: Mapped[str]
    app_id: Mapped[str]
    enterprise_id: Mapped[str | None]
    enterprise_name: Mapped[str | None]
    enterprise_url: Mapped[str | None]
    team_id: Mapped[str | None]
    team_name: Mapped[str | None]
    bot_token: Mapped[str | None]
    bot_id: Mapped[str | None]
    bot_user_id: Mapped[str | None]
    bot_scopes: Mapped[str | None]
    bot_refresh_token: Mapped[str | None]
    bot_token_expires_at: Mapped[datetime | None] = mapped_column(NAIVE)
    user_id: Mapped[str]
    user_token: Mapped[str | None]
    user_scopes: Mapped[str | None]
    user_refresh_token: Mapped[str | None]
    user_token_expires_at: Mapped[datetime | None] = mapped_column(NAIVE)
    incoming_webhook_url: Mapped[str | None]
    incoming_webhook_channel: Mapped[str | None]
    incoming_webhook_channel_id: Mapped[str | None]
    incoming_webhook_configuration_url: Mapped[str | None]
    is_enterprise_install: Mapped[bool]
    token_type: Mapped[str | None]
    installed_at: Mapped[datetime] = mapped_column(NAIVE)
    __table_args__ = (
        Index("slack_installations_idx", "client_id", "enterprise_id", "team_id", "user_id", "installed_at"),
    )


class SlackBot(Base):
    """The bot's token in one workspace; the newest row counts."""

    __tablename__ = "slack_bots"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    client_id: Mapped[str]
    app_id: Mapped[str]
    enterprise_id: Mapped[str | None]
    enterprise_name: Mapped[str | None]
    team_id: Mapped[str | None]
    team_name: Mapped[str | None]
    bot_token: Mapped[str | None]
    bot_id: Mapped[str | None]
    bot_user_id: Mapped[str | None]
    bot_scopes: Mapped[str | None]
    bot_refresh_token: Mapped[str | None]
    bot_token_expires_at: Mapped[datetime | None] = mapped_column(NAIVE)
    is_enterprise_install: Mapped[bool]
    installed_at: Mapped[datetime] = mapped_column(NAIVE)
    __table_args__ = (Index("slack_bots_idx", "client_id", "enterprise_id", "team_id", "installed_at"),)


class SlackOAuthState(Base):
    """A begun installation, so that only who began it can end it."""

    __tablename__ = "slack_oauth_states"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    state: Mapped[str]
    expire_at: Mapped[datetime] = mapped_column(NAIVE)


class SlackChannel(Base):
    """How one channel wants to be answered; a channel without a row takes the defaults.

    `askers` and `experts` are Slack users; empty askers means everyone. `spaces` and `source_ids` empty means all.
    `reply`: thread, channel, private. `auto_minutes`: off, offer, start. `quiet_from`, `quiet_until`: `HH:MM` in
    `timezone`, both or neither.
    """

    __tablename__ = "slack_channels"
    team: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    spaces: Mapped[list[str]] = texts()
    source_ids: Mapped[list[int]] = mapped_column(server_default=sql_text("'{}'"))
    askers: Mapped[list[str]] = texts()
    reply: Mapped[str] = mapped_column(server_default="thread")
    is_questions_only: Mapped[bool] = mapped_column(server_default=sql_text("false"))
    auto_minutes: Mapped[str] = mapped_column(server_default="offer")
    quiet_from: Mapped[str | None]
    quiet_until: Mapped[str | None]
    timezone: Mapped[str] = mapped_column(server_default="UTC")
    experts: Mapped[list[str]] = texts()
    updated_by: Mapped[int | None] = mapped_column(ForeignKey(Person.id, ondelete="SET NULL"))
    updated_at: Mapped[datetime] = now()
