"""Job: tell who shared a recording in Slack how much of it is heard, in one message that is kept up to date."""

import time
from datetime import UTC, datetime
from typing import Any

from slack_sdk import WebClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.slack.answer_message import section
from connectors.slack.mrkdwn import escape, shorten
from connectors.slack.web import translated
from core import jobs
from core.progress import progress_words
from core.running_job import RunningJob
from core.tables.jobs import Job
from core.tables.meetings import Recording
from workers.context import Context
from workers.slack_workspaces import client_of

# Slack allows about one update a second a channel; a person looks now and then.
EVERY_S = 20.0
DONE = "✅ *{name}* is transcribed; its minutes are being drafted."
FAILED = "⚠️ *{name}* could not be transcribed: {why}"
HEARING = "🎧 *{name}*: {progress}"

_told_at: dict[int, float] = {}


def note(session: Session, recording: Recording, *, is_last: bool = False) -> None:
    """Have the message brought up to date, where there is one; of many calls one in `EVERY_S` counts."""
    if recording.origin.get("door") != "slack" or not recording.origin.get("user"):
        return
    now = time.monotonic()
    if not is_last and now - _told_at.get(recording.id, 0.0) < EVERY_S:
        return
    _told_at[recording.id] = now
    if is_last:
        _told_at.pop(recording.id, None)
    jobs.enqueue(session, "show_progress", str(recording.id), recording_id=recording.id)


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `recording_id`. Outcome: what was said. A second run says the same in the same message."""
    recording_id = int(job.args["recording_id"])
    with context.factory() as session:
        recording = session.get(Recording, recording_id)
        if recording is None or recording.origin.get("door") != "slack":
            return {"said": None}
        words = _words(session, recording)
    if words is None:
        return {"said": None}
    client = client_of(context, recording.origin.get("team"))
    place = recording.origin.get("progress_message")
    if place:
        with translated("the progress message"):
            client.chat_update(channel=place["channel"], ts=place["ts"], text=words, blocks=[section(words)])
    else:
        posted = _post(client, str(recording.origin["user"]), words)
        with context.factory.begin() as session:
            job.fence(session)
            row = session.get_one(Recording, recording_id, with_for_update=True)
            row.origin = {**row.origin, "progress_message": posted}
    return {"said": words.partition("*:")[2] or "done"}


def _post(client: WebClient, user: str, words: str) -> dict[str, str]:
    with translated("the progress message"):
        channel = str(client.conversations_open(users=user)["channel"]["id"])
        reply = client.chat_postMessage(channel=channel, text=words, blocks=[section(words)])
    return {"channel": channel, "ts": str(reply["ts"])}


def _words(session: Session, recording: Recording) -> str | None:
    name = shorten(escape(recording.file_name).replace("*", "∗"), 200)
    if recording.state == "transcribed":
        return DONE.format(name=name)
    if recording.state == "failed":
        return FAILED.format(name=name, why=shorten(escape(recording.error or ""), 500))
    row = session.execute(
        select(Job.progress, Job.started_at)
        .where(Job.kind == "transcribe_recording", Job.key == str(recording.id), Job.state == "running")
        .order_by(Job.id.desc()).limit(1)
    ).one_or_none()  # fmt: skip
    if row is None or not row.progress:
        return None
    spent_s = (datetime.now(UTC) - row.started_at).total_seconds() if row.started_at else None
    return HEARING.format(name=name, progress=progress_words(row.progress, spent_s=spent_s))
