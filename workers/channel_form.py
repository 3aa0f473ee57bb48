"""A channel's settings as an admin's form: shown to admins, checked word by word, saved with the audit.

Knows no Slack call.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.slack.channel_modal import AUTO_MINUTES, MAX_ASKERS, MAX_EXPERTS, REPLY, ChannelForm
from core.errors import BadInput, Denied
from core.settings import Settings
from core.tables.documents import Document, Source
from core.tables.people import Person
from workers import audit
from workers.channel_settings import AutoMinutes, ChannelSettings, Reply, change_channel, channel_settings
from workers.people import person_of_account
from workers.slack_workspaces import account_id

HOURS = re.compile(r"^([01]?\d|2[0-3]):([0-5]\d)\s*(?:-|–|—|to|until)\s*([01]?\d|2[0-3]):([0-5]\d)$")
MAX_SPACES = 100
NOT_ADMIN = "Only admins can change how a channel is answered."


class WrongFields(BadInput):
    """What is wrong with a form; `fields` says it for each field."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in fields.items()))
        self.fields = dict(fields)


@dataclass(frozen=True, slots=True)
class Admin:
    """The admin behind a Slack user."""

    person_id: int
    actor: str


def admin_behind(session: Session, settings: Settings, team: str, user: str) -> Admin:
    """Who asks for it, if an admin.

    Raises:
        Denied: nobody we know, or no admin.
    """
    person_id = person_of_account(session, "slack", account_id(settings, team, user))
    person = session.get(Person, person_id) if person_id is not None else None
    if person is None or not person.is_admin:
        raise Denied(NOT_ADMIN)
    return Admin(person.id, f"slack:{team}:{user}")


def shown(session: Session, team: str, channel: str) -> tuple[ChannelForm, dict[int, str]]:
    """The channel's settings as a form, and the sources there are."""
    now = channel_settings(session, team, channel)
    quiet = f"{now.quiet_from}-{now.quiet_until}" if now.quiet_from and now.quiet_until else ""
    form = ChannelForm(
        team=team, channel=channel, spaces=", ".join(now.spaces), source_ids=now.source_ids, askers=now.askers,
        reply=now.reply, is_questions_only=now.is_questions_only, auto_minutes=now.auto_minutes, quiet=quiet,
        timezone=now.timezone, experts=now.experts,
    )  # fmt: skip
    return form, _sources(session)


def save(session: Session, form: ChannelForm, admin: Admin) -> dict[str, object]:
    """Keep the form. Returns what changed. Raises WrongFields."""
    wanted = checked(session, form)
    return change_channel(
        session, form.team, form.channel, wanted, actor=admin.actor, person_id=admin.person_id
    )


def open_audited(session: Session, form: ChannelForm, admin: Admin) -> None:
    """An admin looked at a channel's settings."""
    audit.write(
        session, admin.actor, "admin_word", person_id=admin.person_id, target=f"{form.team}/{form.channel}",
        details={"word": "settings"},
    )  # fmt: skip


def checked(session: Session, form: ChannelForm) -> ChannelSettings:
    """The form's words as settings.

    Raises:
        WrongFields: a space or source that is not there, hours or a time zone that are none, too many people.
    """
    wrong: dict[str, str] = {}
    spaces = _spaces(session, form.spaces, wrong)
    if unknown := [number for number in form.source_ids if number not in _sources(session)]:
        wrong["source_ids"] = f"There is no source {unknown[0]} any more."
    hours = HOURS.match(form.quiet.strip().lower())
    if form.quiet.strip() and hours is None:
        wrong["quiet"] = "Write two times such as 22:00-07:00, or nothing."
    if form.timezone not in available_timezones():
        wrong["timezone"] = "Write a time zone such as Europe/Berlin or UTC."
    for name, users, most in (("askers", form.askers, MAX_ASKERS), ("experts", form.experts, MAX_EXPERTS)):
        if len(users) > most:
            wrong[name] = f"At most {most} people."
    if form.reply not in REPLY:
        wrong["reply"] = "Choose where answers go."
    if form.auto_minutes not in AUTO_MINUTES:
        wrong["auto_minutes"] = "Choose what becomes of recordings."
    if wrong:
        raise WrongFields(wrong)
    begin, end = (
        (f"{int(hours[1]):02}:{hours[2]}", f"{int(hours[3]):02}:{hours[4]}") if hours else (None, None)
    )
    return ChannelSettings(
        spaces=spaces, source_ids=form.source_ids, askers=form.askers, reply=cast(Reply, form.reply),
        is_questions_only=form.is_questions_only, auto_minutes=cast(AutoMinutes, form.auto_minutes),
        quiet_from=begin, quiet_until=end, timezone=ZoneInfo(form.timezone).key, experts=form.experts,
    )  # fmt: skip


def _spaces(session: Session, typed: str, wrong: dict[str, str]) -> tuple[str, ...]:
    """Keys as we know them, whatever their case."""
    words = list(dict.fromkeys(word for word in re.split(r"[,;\s]+", typed) if word))
    known = {
        key.lower(): key
        for key in session.execute(select(Document.space_key).distinct()).scalars()
        if key is not None
    }
    unknown = [word for word in words if word.lower() not in known]
    if len(words) > MAX_SPACES:
        wrong["spaces"] = f"At most {MAX_SPACES} spaces."
    elif unknown:
        wrong["spaces"] = f"Nothing of {', '.join(unknown)[:200]} is synced. `imp sync` shows what is."
    return tuple(dict.fromkeys(known[word.lower()] for word in words if word.lower() in known))


def _sources(session: Session) -> dict[int, str]:
    statement = select(Source.id, Source.name).where(Source.state != "removed").order_by(Source.id)
    return {row.id: row.name for row in session.execute(statement)}
