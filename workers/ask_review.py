"""Job: show drafted minutes to who may approve them: their submitter, else the channel of the announcements.

Whoever gave the recording sees the lines; a channel sees how many there are, the title only when all who read there
may open the recording, and each click is checked.
"""

from dataclasses import replace
from typing import Any

from slack_sdk import WebClient

from connectors.slack import posting
from connectors.slack.answer_message import section
from connectors.slack.mrkdwn import escape, shorten
from connectors.slack.review import Draft, DraftLine, buttons, review_blocks
from connectors.slack.web import translated
from core.access import passed_gates
from core.running_job import RunningJob
from core.tables.meetings import Minutes, Recording
from workers import slack_people
from workers.context import Context
from workers.minutes import draft_of
from workers.slack_workspaces import announce_place, client_of, is_installed, user_of

UNNAMED = "a meeting that not everyone here may open"


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `minutes_id`. Outcome: who was asked."""
    with context.factory() as session:
        row = session.get(Minutes, int(job.args["minutes_id"]))
        if row is None or row.state != "draft":
            return {"asked": "nobody", "why": "no draft any more"}
        recording = session.get_one(Recording, row.recording_id)
        may_open = recording.submitted_by is not None and set(recording.gate_ids or [0]) <= set(
            passed_gates(session, recording.submitted_by)
        )
    draft = review_draft(context, recording, row)
    mark = f"review:{row.id}"
    reached = _submitter(context, recording) if may_open else None
    if reached:
        posting.direct_message(*reached, "Minutes to review", review_blocks(draft), mark)
        return {"asked": "submitter"}
    team, channel = announce_place(context.settings)
    if not channel:
        return {"asked": "nobody", "why": "no Slack account of the submitter, no SLACK_ANNOUNCE_CHANNEL"}
    client = client_of(context, team)
    if job.claimed.attempt == 1 or posting.posted_before(client, channel, None, mark) is None:
        is_named = slack_people.all_may_open(context, client, channel, recording.gate_ids)
        _post_in_channel(client, channel, draft if is_named else replace(draft, title=UNNAMED), mark)
    return {"asked": "channel"}


def _submitter(context: Context, recording: Recording) -> tuple[WebClient, str] | None:
    """A client and the user behind it for who gave the recording; first where it was given, if in Slack."""
    if recording.submitted_by is None:
        return None
    accounts = slack_people.linked_accounts(context, [recording.submitted_by])
    users = [user_of(context.settings, account) for account in accounts]
    given_in = recording.origin.get("team")
    for team, user in sorted(users, key=lambda one: one[0] != given_in):
        if team is None or is_installed(context, team):
            return client_of(context, team), user
    return None


def review_draft(context: Context, recording: Recording, row: Minutes) -> Draft:
    """A version of minutes as Slack shows it to reviewers."""
    drafted = draft_of(row)
    return Draft(
        minutes_id=row.id,
        title=recording.title,
        url=f"{context.settings.public_url}/recordings/{recording.id}",
        lines=tuple(
            DraftLine(
                line.section, line.text, line.is_flagged, line.owner,
                line.due.isoformat() if line.due else line.due_text,
            )
            for line in drafted.lines
        ),
        warnings=tuple(dict.fromkeys((*recording.warnings, *drafted.warnings))),
    )  # fmt: skip


def _post_in_channel(client: WebClient, channel: str, draft: Draft, mark: str) -> None:
    counts = len(draft.lines)
    text = f"📝 *Minutes to review:* {shorten(escape(draft.title), 300)} — {counts} line{'' if counts == 1 else 's'}"
    with translated("the review in the channel"):
        client.chat_postMessage(
            channel=channel, text=shorten(text, 300), blocks=[section(text), buttons(draft.minutes_id)],
            metadata=posting.marked(mark), unfurl_links=False,
        )  # fmt: skip
