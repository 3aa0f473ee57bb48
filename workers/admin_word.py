"""Job: carry out an admin's word from Slack (`/imp status`, `sync`, `people`, …), tell that admin alone, keep an audit."""

import logging
from collections.abc import Sequence
from typing import Any

from slack_sdk import WebClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.confluence import reading
from connectors.slack import posting
from connectors.slack.answer_message import Block, section
from connectors.slack.channel_modal import summary_blocks
from connectors.slack.directory import workspace
from connectors.slack.mrkdwn import escape, shorten
from core.errors import BadInput, ImpError
from core.running_job import RunningJob
from core.tables.people import Account, Person
from workers import audit, channel_form, periodic, slack_people
from workers.confluence_source import open_site
from workers.context import Context
from workers.slack_workspaces import client_of
from workers.sources import list_sources, request_sync
from workers.sync_source import chosen_spaces
from workers.sync_status import SourceStatus, sync_status

logger = logging.getLogger(__name__)

NOT_ADMIN = "Only admins can do this. `imp people list` shows who is one."
NOT_A_CHANNEL = "Use `/imp settings` in the channel it is about."
WORDS = ("status", "sync", "people", "settings", "help")
HELP = (
    "`/imp status` says how syncing stands, `/imp sync` starts it now, `/imp sync SPACE …` reads these spaces whole, "
    "`/imp people` says who is admin and who is not linked, `/imp settings` in a channel says how it is answered, "
    "`/imp help` shows this. What admins do is listed by `imp audit`."
)
STARTED = "Syncing started; `/imp status` follows it."
NO_SOURCE = "There is no source yet: `imp source add` connects one."
NO_SITE = "There is no Confluence site to sync: `imp source add` connects one."
MAX_CHARS = 2_900
MOST_SPACES = 50
MOST_NAMES = 20
NOT_A_KEY = frozenset({"now", "all"})


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `text`, `user`, `channel`, `response_url`. Outcome: the word and whether it was allowed."""
    client = client_of(context, job.args.get("team"))
    user, [word, *rest] = str(job.args["user"]), str(job.args["text"]).split() or ["help"]
    person_id = slack_people.person_of(context, client, user)
    is_admin = _is_admin(context, person_id)
    blocks: list[Block] | None = None
    said = NOT_ADMIN
    if is_admin and word == "settings":
        said, blocks = _settings(context, client, job)
    elif is_admin:
        said = carry_out(context, word, rest)
    logger.info("admin_word", extra={"word": word[:20], "person_id": person_id, "is_allowed": is_admin})
    place = {"kind": "command", **{name: job.args[name] for name in ("user", "channel", "response_url")}}
    if not job.checkpoint.get("said"):
        posting.say_alone(client, place, said, blocks or [section(said)], f"admin:{job.claimed.id}")
        with context.factory.begin() as session:
            _keep(session, job, word, rest, person_id, is_allowed=is_admin)
            job.save(session, said=True)
    return {"word": word[:20], "is_allowed": is_admin}


def _is_admin(context: Context, person_id: int | None) -> bool:
    if person_id is None:
        return False
    with context.factory() as session:
        person = session.get(Person, person_id)
        return person is not None and person.is_admin


def carry_out(context: Context, word: str, rest: Sequence[str]) -> str:
    """Do what an admin asked for. Returns what to say; a site that refuses is said, not raised."""
    if word == "status":
        with context.factory() as session:
            lines = [status_line(source) for source in sync_status(session)]
        return shorten("\n".join(lines), MAX_CHARS) or NO_SOURCE
    if word == "people":
        with context.factory() as session:
            return _people(session)
    if word == "sync" and (keys := keys_in(rest)):
        return _sync_spaces(context, keys)
    if word == "sync":
        periodic.poll_sources(context)
        return STARTED
    return HELP


def _settings(context: Context, client: WebClient, job: RunningJob) -> tuple[str, list[Block] | None]:
    """The channel's settings with a button that opens the modal, for who could not be shown it at once."""
    channel = str(job.args["channel"])
    if not channel.startswith(("C", "G")):
        return NOT_A_CHANNEL, None
    with context.factory() as session:
        form, sources = channel_form.shown(
            session, str(job.args.get("team") or workspace(client).team_id), channel
        )
    return "Settings of this channel", summary_blocks(form, sources)


def _keep(
    session: Session,
    job: RunningJob,
    word: str,
    rest: Sequence[str],
    person_id: int | None,
    *,
    is_allowed: bool,
) -> None:
    """Who said which word, allowed or refused; of unknown words only that they were."""
    details: dict[str, Any] = {"word": word if word in WORDS else "(unknown)"}
    if word == "sync" and rest:
        details["spaces"] = keys_in(rest)[:MOST_SPACES]
    audit.write(
        session, f"slack:{job.args.get('team') or '?'}:{job.args['user']}", "admin_word", person_id=person_id,
        target=str(job.args["channel"]) if word == "settings" else None, is_allowed=is_allowed, details=details,
    )  # fmt: skip


def _people(session: Session) -> str:
    """Who is admin, how many are linked, and whose Slack account is nobody's."""
    n_people = session.execute(select(func.count(Person.id))).scalar_one()
    named = session.execute(select(Person.name).where(Person.is_admin).order_by(Person.name)).scalars()
    admins = [escape(name) for name in named]
    statement = (
        select(Account.name)
        .where(Account.provider == "slack", Account.person_id.is_(None), Account.is_bot.is_(False))
        .order_by(Account.name)
    )
    unlinked = [escape(name or "?") for name in session.execute(statement).scalars()]
    said = f"*{n_people} people.* Admins: {', '.join(admins) or 'nobody'}."
    if unlinked:
        more = f" and {len(unlinked) - MOST_NAMES} more" if len(unlinked) > MOST_NAMES else ""
        said += f"\nNot linked in Slack, so they get what is open to everyone: {', '.join(unlinked[:MOST_NAMES])}{more}."
        said += " `imp people link` links them."
    return shorten(said, MAX_CHARS)


def keys_in(words: Sequence[str]) -> list[str]:
    """The space keys somebody typed, each once: between spaces or commas, in backticks or quotes or bare."""
    typed = (one.strip("`'\"“”‘’<>#") for word in words for one in word.split(","))
    return list(dict.fromkeys(one for one in typed if one and one.lower() not in NOT_A_KEY))


def _sync_spaces(context: Context, keys: list[str]) -> str:
    """Have these spaces read whole, once the site has been asked whether they are there. Returns what to say."""
    if len(keys) > MOST_SPACES:
        return f"That is more than {MOST_SPACES} spaces; `/imp sync` alone takes all of them."
    with context.factory() as session:
        source_ids = [source.id for source in list_sources(session) if source.kind == "confluence"]
    refusals: list[str] = []
    for source_id in source_ids:
        try:
            there = _true_keys(context, source_id, keys)
        except ImpError as exc:
            refusals.append(str(exc))
            continue
        with context.factory.begin() as session:
            request_sync(session, source_id, spaces=there)
        return f"Syncing {', '.join(f'*{escape(key)}*' for key in there)} started; `/imp status` follows it."
    return shorten("\n".join(f"⚠️ {escape(one)}" for one in refusals), MAX_CHARS) or NO_SITE


def _true_keys(context: Context, source_id: int, keys: Sequence[str]) -> list[str]:
    """The keys as the site writes them; nobody is made to hold the shift key in a chat.

    Raises:
        BadInput: one is not there, or excluded here; names those that are.
        ImpError: the site cannot be asked.
    """
    site = open_site(context, source_id)
    try:
        visible = reading.spaces(site.client)
        written = {space.key.lower(): space.key for space in visible}
        spaces = chosen_spaces(site, visible, [written.get(key.lower(), key) for key in keys])
    finally:
        site.client.close()
    if unwanted := [space.key for space in spaces if not site.wants(space)]:
        wanted = ", ".join(space.key for space in visible if site.wants(space))
        raise BadInput(
            f"not among the spaces that are synced: {', '.join(unwanted)}; those are {wanted or 'none'}. "
            "CONFLUENCE_SPACES and the settings beside it say which"
        )
    return [space.key for space in spaces]


def status_line(source: SourceStatus) -> str:
    """One source in one line of Slack's markup."""
    parts = [f"{source.n_current} documents"]
    if source.n_unindexed or source.n_pages_waiting:
        parts.append(f"{source.n_unindexed + source.n_pages_waiting} still to read")
    if source.n_failed:
        parts.append(f"{source.n_failed} could not be read")
    if source.n_closed:
        parts.append(f"{source.n_closed} closed, since their doors are unknown")
    for running in source.jobs:
        left = f", about {round(running.left_s / 60) or 1} min left" if running.left_s is not None else ""
        parts.append(f"{running.kind} {running.state}{left}")
    parts.append("never synced" if source.lag_s is None else f"synced {round(source.lag_s)} s ago")
    said = f"*{escape(source.name)}*: {', '.join(parts)}"
    for problem in (source.error, *source.alerts):
        said += f"\n⚠️ {shorten(escape(problem), 300)}" if problem else ""
    return said
