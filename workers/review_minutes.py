"""Job: a reviewer clicked Approve or Discard in Slack; the click is checked, done once and answered."""

from typing import Any

from sqlalchemy.orm import Session

from connectors.slack import posting
from connectors.slack.answer_message import section
from connectors.slack.mrkdwn import escape
from connectors.slack.response_url import send
from core import jobs
from core.errors import Conflict, NotFound
from core.running_job import RunningJob
from core.tables.meetings import Minutes, Recording
from core.tables.people import Person
from workers import minutes, slack_people
from workers.context import Context
from workers.may_review import may_edit
from workers.slack_workspaces import client_of

NOT_YOURS = "Only who gave this recording, an admin, or somebody who may open it can review its minutes."
APPROVED = "✅ Approved by <@{user}>: the minutes are on their way to Confluence."
DISCARDED = "🗑️ Discarded by <@{user}>: the minutes are not published."


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `minutes_id`, `is_approved`, `user`, `channel`, `response_url`. Outcome: what became of it."""
    client = client_of(context, job.args.get("team"))
    user, minutes_id = str(job.args["user"]), int(job.args["minutes_id"])
    place = {"kind": "command", "user": user, "channel": job.args["channel"]}
    person_id = slack_people.person_of(context, client, user)
    try:
        _decide(context, job, minutes_id, person_id)
    except (Conflict, NotFound, _NotYours) as exc:
        said = NOT_YOURS if isinstance(exc, _NotYours) else f"Nothing was changed: {exc}."
        posting.say_alone(
            client, {**place, "response_url": job.args["response_url"]}, said, [section(escape(said))],
            f"review-refused:{job.claimed.id}",
        )  # fmt: skip
        return {"became": "refused"}
    said = (APPROVED if job.args["is_approved"] else DISCARDED).format(user=user)
    body = {"text": said, "blocks": [section(said)], "replace_original": True}
    if not send(job.args["response_url"], body):  # the home tab gives no response_url
        with context.factory.begin() as session:
            team = job.args.get("team")
            jobs.enqueue(session, "show_home", f"{team}:{user}" if team else user, user=user, team=team)
    return {"became": "approved" if job.args["is_approved"] else "discarded"}


class _NotYours(Exception):
    """This person may not review these minutes."""


def may_review(session: Session, recording: Recording, person_id: int | None) -> bool:
    """Who gave the recording, admins, and known people who pass all of its doors."""
    person = session.get(Person, person_id) if person_id is not None else None
    return person is not None and (person.is_admin or may_edit(session, recording, person.id))


def _decide(context: Context, job: RunningJob, minutes_id: int, person_id: int | None) -> None:
    """Approve or discard in one transaction with the checkpoint, so that a second run only answers."""
    if job.checkpoint.get("decided"):
        return
    with context.factory.begin() as session:
        row = session.get(Minutes, minutes_id)
        if row is None:
            raise NotFound(f"minutes {minutes_id} do not exist")
        if not may_review(session, session.get_one(Recording, row.recording_id), person_id):
            raise _NotYours
        decide = minutes.approve if job.args["is_approved"] else minutes.discard
        decide(session, minutes_id, person_id=person_id)
        job.save(session, decided=True)
