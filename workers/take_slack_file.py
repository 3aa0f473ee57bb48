"""Job: a recording shared in Slack, offered to its giver and taken in like any other on their click, or at once.

Which of the two, or neither, is the channel's own setting.
"""

import tempfile
from pathlib import Path
from typing import Any

from slack_sdk import WebClient

from connectors.slack import files, posting
from connectors.slack.answer_message import section
from connectors.slack.directory import workspace
from connectors.slack.files import SharedFile
from connectors.slack.mrkdwn import escape
from core.errors import Denied, NeverAgain, NotFound
from core.running_job import RunningJob
from workers import slack_people
from workers.add_recording import LocalRecording, add_local
from workers.channel_settings import channel_settings
from workers.context import Context
from workers.slack_workspaces import client_of

NOT_YOURS = "Only who shared this file can have its minutes drafted."
NOT_KNOWN = "Your Slack account is not linked to a Confluence account, so I take no recordings from you."
TAKEN = "On it: I am transcribing {name}. You will get the minutes to review."
TAKEN_BEFORE = "I have this recording already: {name}."


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `file_id`, `user`, `channel`, `is_wanted`, `response_url`. Outcome: what became of the file."""
    client = client_of(context, job.args.get("team"))
    try:
        file = files.describe(client, str(job.args["file_id"]))
    except (NotFound, Denied) as exc:
        return {"became": "nothing", "why": str(exc)}
    if not job.args.get("is_wanted"):
        policy = _policy(context, client, str(job.args["channel"]))
        if policy == "off" or not _is_offered(context, client, job, file):
            return {"became": "ignored"}
        if policy == "offer":
            return _offer(client, job, file)
    said, recording_id = _take(context, client, job, file)
    _tell(client, job, said)
    return {"became": "taken" if recording_id else "refused", "recording_id": recording_id}


def _policy(context: Context, client: WebClient, channel: str) -> str:
    with context.factory() as session:
        return channel_settings(session, workspace(client).team_id, channel).auto_minutes


def _is_offered(context: Context, client: WebClient, job: RunningJob, file: SharedFile) -> bool:
    """Nobody is bothered about other files, by bots, or when the giver is nobody we take recordings from."""
    is_known = slack_people.person_of(context, client, file.user) is not None
    return file.is_recording and is_known and file.user == job.args["user"]


def _offer(client: WebClient, job: RunningJob, file: SharedFile) -> dict[str, Any]:
    place = {"kind": "mention", "user": file.user, "channel": job.args["channel"]}
    posting.say_alone(client, place, "Draft minutes?", files.offer_blocks(file), f"offer:{file.id}")
    return {"became": "offered"}


def _take(context: Context, client: WebClient, job: RunningJob, file: SharedFile) -> tuple[str, int | None]:
    if file.user != job.args["user"]:
        return NOT_YOURS, None
    person_id = slack_people.person_of(context, client, file.user)
    if person_id is None:
        return NOT_KNOWN, None
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / (Path(file.name).name.replace("\x00", "")[:200] or "recording")
            files.download(client, file, path, max_bytes=context.settings.imp_max_upload_bytes)
            job.check()
            origin = {
                "door": "slack", "file_id": file.id, "channel": job.args["channel"], "user": file.user,
                "team": job.args.get("team"),
            }  # fmt: skip
            added = add_local(context, LocalRecording(path, origin=origin), submitted_by=person_id)
    except NeverAgain as exc:
        return f"I could not take {file.name}: {exc}.", None
    return (TAKEN if added.is_new else TAKEN_BEFORE).format(name=file.name), added.recording_id


def _tell(client: WebClient, job: RunningJob, said: str) -> None:
    place = {
        "kind": "mention", "user": job.args["user"], "channel": job.args["channel"],
        "response_url": job.args.get("response_url"),
    }  # fmt: skip
    words = escape(said)
    posting.say_alone(client, place, words, [section(words)], f"file:{job.claimed.id}")
