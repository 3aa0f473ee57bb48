"""Job: tell the channel that minutes were published, with a link; once a version.

The title, the counts and Confluence's link (it spells the title) are for channels whose every reader may open the
recording; any other one only learns that some minutes are ready.
"""

from datetime import UTC, datetime
from typing import Any

from connectors.slack.announcing import Announcement, announce
from core.errors import NotConfigured, NotFound
from core.running_job import RunningJob
from core.tables.meetings import Minutes, Recording
from workers import slack_people
from workers.context import Context
from workers.minutes import draft_of
from workers.slack_workspaces import announce_place, client_of

UNNAMED = "a meeting that not everyone here may open"


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `minutes_id`. Outcome: the message's timestamp."""
    team, channel = announce_place(context.settings)
    if not channel:
        raise NotConfigured("SLACK_ANNOUNCE_CHANNEL is not set")
    with context.factory() as session:
        row = session.get(Minutes, int(job.args["minutes_id"]))
        if row is None or row.page_url is None:
            raise NotFound(f"minutes {job.args['minutes_id']} are not published")
        if row.announced_at is not None:
            return {"already": True}
        recording = session.get_one(Recording, row.recording_id)
        draft = draft_of(row)
    client = client_of(context, team)
    key = f"minutes:{row.id}"
    if slack_people.all_may_open(context, client, channel, recording.gate_ids):
        announcement = Announcement(
            key=key,
            title=recording.title,
            page_url=row.page_url,
            n_decisions=len(draft.section("decision")),
            n_actions=len(draft.section("action")),
            n_questions=len(draft.section("question")),
            warnings=tuple(dict.fromkeys((*recording.warnings, *row.warnings))),
        )
    else:
        url = f"{context.settings.public_url}/recordings/{recording.id}"
        announcement = Announcement(key, UNNAMED, url, n_decisions=0, n_actions=0, n_questions=0)
    ts = announce(client, channel, announcement, is_retry=job.claimed.attempt > 1)
    with context.factory.begin() as session:
        job.fence(session)
        now = session.get_one(Minutes, row.id)
        now.announced_at, now.announcement = datetime.now(UTC), {"team": team, "channel": channel, "ts": ts}
    return {"ts": ts}
