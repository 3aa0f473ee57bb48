"""Job: what an erased recording left outside the database: files, pages in Confluence, messages in Slack.

Each kind goes by itself: one that cannot be reached now is tried again with the job, the others are gone already.
Its arguments are ids and addresses; no words of the recording are in them.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from connectors.confluence.erasing import erase_page, pages_of
from connectors.confluence.publishing import transcript_key
from connectors.slack.erasing import delete_marked, delete_message, open_conversation
from core.errors import Denied, ImpError, NotConfigured
from core.running_job import RunningJob
from workers import slack_people
from workers.confluence_site import connect
from workers.context import Context
from workers.slack_workspaces import announce_place, client_of
from workers.upload_parts import UploadParts

logger = logging.getLogger(__name__)

ALERT = text("""
    INSERT INTO alerts (key, message, details) VALUES (:key, :message, CAST(:details AS jsonb))
    ON CONFLICT (key) WHERE closed_at IS NULL DO UPDATE SET message = excluded.message, details = excluded.details
""")


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args as `workers.erase_recording` writes them. Outcome: how many files, pages and messages went, what stayed."""
    steps: tuple[tuple[str, Callable[[Context, RunningJob], dict[str, Any]]], ...] = (
        ("files", _files),
        ("pages", _pages),
        ("messages", _messages),
    )
    failed: list[ImpError] = []
    outcome: dict[str, Any] = {}
    for name, step in steps:
        job.check()
        try:
            outcome[name] = step(context, job)
        except NotConfigured as exc:
            outcome[name] = {"skipped": str(exc)}
        except ImpError as exc:
            logger.warning("erasure_incomplete", extra={"step": name, "why": type(exc).__name__})
            failed.append(exc)
    if failed:
        raise failed[0]
    return outcome


def _files(context: Context, job: RunningJob) -> dict[str, Any]:
    n_removed = sum(context.blobs.remove(url) for url in job.args["blobs"])
    parts = UploadParts(context.settings.blobs_url)
    for upload_id in job.args["uploads"]:
        parts.remove(upload_id)
    return {"n_removed": n_removed}


def _pages(context: Context, job: RunningJob) -> dict[str, Any]:
    sha256 = str(job.args["sha256"])
    if not sha256 or not (context.settings.confluence_url or job.args["pages"]):
        return {"n_gone": 0}
    client = connect(context.settings, check=job.check)
    found: dict[str, str] = {}
    try:
        # The transcript's own page lies below the minutes, so it goes first.
        keys = (transcript_key(sha256), sha256)
        labelled = [page_id for key in keys for page_id in pages_of(client, key)]
        for page_id in dict.fromkeys([*job.args["pages"], *labelled]):
            try:
                found[page_id] = erase_page(client, page_id, keys)
            except Denied:
                found[page_id] = "denied"
    finally:
        client.close()
    left = {page_id: state for page_id, state in found.items() if state != "gone"}
    if left:
        _alert(context, job, left)
    return {"n_gone": len(found) - len(left), "left": left}


def _messages(context: Context, job: RunningJob) -> dict[str, Any]:
    minutes = job.args["minutes"]
    if not minutes and not job.args["messages"]:
        return {"n_deleted": 0}
    team, announced_in = announce_place(context.settings)
    client = client_of(context, team)
    n_deleted = sum(
        delete_message(client_of(context, its_team or team), channel, ts)
        for its_team, channel, ts in job.args["messages"]
    )
    marks = frozenset(f"{kind}:{minutes_id}" for kind in ("minutes", "review") for minutes_id in minutes)
    channels = [announced_in] if announced_in else []
    if job.args["person_id"] is not None:
        accounts = slack_people.linked_accounts(context, [int(job.args["person_id"])])
        channels += [open_conversation(client, account) for account in accounts]
    n_deleted += sum(delete_marked(client, channel, marks) for channel in channels)
    return {"n_deleted": n_deleted}


def _alert(context: Context, job: RunningJob, left: dict[str, str]) -> None:
    named = ", ".join(f"{page_id} ({state})" for page_id, state in left.items())
    message = f"Pages of an erased recording are left in Confluence: {named}. Delete them there, out of the trash too."
    with context.factory.begin() as session:
        job.fence(session)
        values = {"key": f"erasure:{job.claimed.key}", "message": message, "details": json.dumps(left)}
        session.execute(ALERT, values)
