"""How one Slack channel wants to be answered: read with its defaults, written by who may, kept in the audit.

Knows no Slack call and no view; every part of the product that says something in a channel asks here first.
"""

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, time, timedelta
from typing import Literal, cast
from zoneinfo import ZoneInfo

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.tables.slack import SlackChannel
from workers import audit

Reply = Literal["thread", "channel", "private"]
AutoMinutes = Literal["off", "offer", "start"]


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One channel's wishes. Empty `spaces`, `source_ids`, `askers` restrict nothing.

    `askers` and `experts` are Slack users. In quiet hours nothing is posted for all to see: answers go to the
    asker alone, announcements wait until `quiet_until`.
    """

    spaces: tuple[str, ...] = ()
    source_ids: tuple[int, ...] = ()
    askers: tuple[str, ...] = ()
    reply: Reply = "thread"
    is_questions_only: bool = False
    auto_minutes: AutoMinutes = "offer"
    quiet_from: str | None = None
    quiet_until: str | None = None
    timezone: str = "UTC"
    experts: tuple[str, ...] = ()

    def may_ask(self, user: str) -> bool:
        return not self.askers or user in self.askers

    def quiet_for(self, now: datetime) -> timedelta | None:
        """How long the quiet hours that hold at `now` still last; None outside of them.

        They may pass midnight; the same time twice means the whole day.
        """
        if not (self.quiet_from and self.quiet_until):
            return None
        zone = ZoneInfo(self.timezone)
        here = now.astimezone(zone)
        begin, end = time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until)
        clock = here.time()
        is_quiet = begin <= clock < end if begin < end else clock >= begin or clock < end
        if not is_quiet:
            return None
        ends = datetime.combine(here.date(), end, tzinfo=zone)
        if ends <= here:
            ends = datetime.combine(here.date() + timedelta(days=1), end, tzinfo=zone)
        return ends.astimezone(UTC) - now.astimezone(UTC)


NAMES = tuple(field.name for field in fields(ChannelSettings))


def channel_settings(session: Session, team: str, channel: str) -> ChannelSettings:
    """What holds in this channel; the defaults where nobody set anything, as in direct messages."""
    row = session.get(SlackChannel, (team, channel))
    if row is None:
        return ChannelSettings()
    return ChannelSettings(
        spaces=tuple(row.spaces), source_ids=tuple(row.source_ids), askers=tuple(row.askers),
        reply=cast(Reply, row.reply), is_questions_only=row.is_questions_only,
        auto_minutes=cast(AutoMinutes, row.auto_minutes), quiet_from=row.quiet_from,
        quiet_until=row.quiet_until, timezone=row.timezone, experts=tuple(row.experts),
    )  # fmt: skip


def change_channel(
    session: Session, team: str, channel: str, wanted: ChannelSettings, *, actor: str, person_id: int | None
) -> dict[str, object]:
    """Write all of a channel's settings and what changed into the audit. Returns what changed, new values."""
    before, after = asdict(channel_settings(session, team, channel)), asdict(wanted)
    changed = {name: after[name] for name in NAMES if before[name] != after[name]}
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in after.items()}
    values |= {"updated_by": person_id, "updated_at": datetime.now(UTC)}
    statement = insert(SlackChannel).values(team=team, channel=channel, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["team", "channel"], set_=values))
    if changed:
        audit.write(
            session, actor, "channel_settings", person_id=person_id, target=f"{team}/{channel}",
            details={"before": {name: before[name] for name in changed}, "after": changed},
        )  # fmt: skip
    return changed
