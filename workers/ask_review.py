"""Job: show drafted minutes to who may approve them: who gave the recording, the channel of the announcements, or both.

Whoever gave the recording sees the lines, and a channel does when all who read there may open the recording; any other
channel sees how many there are, and each click is checked.
"""

from dataclasses import replace
from typing import Any

from slack_sdk import WebClient

from connectors.slack import posting
from connectors.slack.answer_message import Block
from connectors.slack.review import Draft, DraftLine, channel_blocks, review_blocks
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
    """Args: `minutes_id`, `is_reminder` when it was asked before. Outcome: who was asked."""
    is_reminder = bool(job.args.get("is_reminder"))
    with context.factory() as session:
        row = session.get(Minutes, int(job.args["minutes_id"]))
        if row is None or row.state != "draft":
            return {"asked": "nobody", "why": "no draft any more"}
        recording = session.get_one(Recording, row.recording_id)
        may_open = recording.submitted_by is not None and set(recording.gate_ids or [0]) <= set(
            passed_gates(session, recording.submitted_by)
        )
    draft = replace(review_draft(context, recording, row), is_reminder=is_reminder)
    mark = f"{'remind' if is_reminder else 'review'}:{row.id}"
    policy = context.settings.imp_review_ask
    team, channel = announce_place(context.settings)
    reached = _submitter(context, recording) if may_open and (policy != "channel" or not channel) else None
    if reached:
        posting.direct_message(*reached, "Minutes to review", review_blocks(draft), mark)
    asked = ["submitter"] if reached else []
    if channel and (policy != "organizer" or not reached):
        client = client_of(context, team)
        if job.claimed.attempt == 1 or posting.posted_before(client, channel, None, mark) is None:
            is_open = slack_people.all_may_open(context, client, channel, recording.gate_ids)
            _post_in_channel(client, channel, draft, mark, is_open=is_open)
        asked.append("channel")
    if not asked:
        return {"asked": "nobody", "why": "no Slack account of the submitter, no SLACK_ANNOUNCE_CHANNEL"}
    return {"asked": " and ".join(asked)}


def blocks_for_channel(draft: Draft, *, is_open: bool) -> list[Block]:
    """The lines where everyone who reads there may open the recording, else that there is something."""
    return review_blocks(draft) if is_open else channel_blocks(replace(draft, title=UNNAMED))


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
        due_at=row.review_due_at,
    )  # fmt: skip


def _post_in_channel(client: WebClient, channel: str, draft: Draft, mark: str, *, is_open: bool) -> None:
    with translated("the review in the channel"):
        client.chat_postMessage(
            channel=channel, text="Minutes to review", blocks=blocks_for_channel(draft, is_open=is_open),
            metadata=posting.marked(mark), unfurl_links=False,
        )  # fmt: skip
