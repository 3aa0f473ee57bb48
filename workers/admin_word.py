"""Job: carry out an admin's word from Slack (`/imp status`, `sync`, `help`) and tell that admin alone."""

import logging
from typing import Any

from connectors.slack import posting
from connectors.slack.answer_message import section
from connectors.slack.mrkdwn import escape, shorten
from core.running_job import RunningJob
from core.tables.people import Person
from workers import periodic, slack_people
from workers.context import Context
from workers.slack_workspaces import client_of
from workers.sync_status import SourceStatus, sync_status

logger = logging.getLogger(__name__)

NOT_ADMIN = "Only admins can do this. `imp people` shows who is one."
HELP = "`/imp status` says how syncing stands, `/imp sync` starts it now, `/imp help` shows this."
STARTED = "Syncing started; `/imp status` follows it."
NO_SOURCE = "There is no source yet: `imp sources add` connects one."
MAX_CHARS = 2_900


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `text`, `user`, `channel`, `response_url`. Outcome: the word and whether it was allowed."""
    client = client_of(context, job.args.get("team"))
    user, word = str(job.args["user"]), str(job.args["text"]).split(" ")[0] or "help"
    person_id = slack_people.person_of(context, client, user)
    is_admin = _is_admin(context, person_id)
    said = _carry_out(context, word) if is_admin else NOT_ADMIN
    logger.info("admin_word", extra={"word": word[:20], "person_id": person_id, "is_allowed": is_admin})
    place = {"kind": "command", **{name: job.args[name] for name in ("user", "channel", "response_url")}}
    if not job.checkpoint.get("said"):
        posting.say_alone(client, place, said, [section(said)], f"admin:{job.claimed.id}")
        with context.factory.begin() as session:
            job.save(session, said=True)
    return {"word": word[:20], "is_allowed": is_admin}


def _is_admin(context: Context, person_id: int | None) -> bool:
    if person_id is None:
        return False
    with context.factory() as session:
        person = session.get(Person, person_id)
        return person is not None and person.is_admin


def _carry_out(context: Context, word: str) -> str:
    if word == "status":
        with context.factory() as session:
            lines = [status_line(source) for source in sync_status(session)]
        return shorten("\n".join(lines), MAX_CHARS) or NO_SOURCE
    if word == "sync":
        periodic.poll_sources(context)
        return STARTED
    return HELP


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
