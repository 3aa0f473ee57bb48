"""Job: tell the channel that minutes were published, with a link; once a version.

The title, the counts and Confluence's link (it spells the title) are for channels whose every reader may open the
recording; any other one only learns that some minutes are ready.
"""

from datetime import UTC, datetime
from typing import Any

from connectors.slack.announcing import Announcement, announce
from connectors.slack.directory import workspace
from core import jobs
from core.errors import NotConfigured, NotFound
from core.running_job import RunningJob
from core.tables.meetings import Minutes, Recording
from workers import channel_rules, slack_people
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
    if (delay_s := _wait_for_quiet_hours(context, row.id, team or workspace(client).team_id, channel)) > 0:
        return {"waits_s": delay_s}
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


def _wait_for_quiet_hours(context: Context, minutes_id: int, team: str, channel: str) -> int:
    """Seconds until the channel may be told, where a job waits for that; 0 when it may be now."""
    with context.factory.begin() as session:
        left = channel_rules.quiet_left(session, team, channel)
        if left is None:
            return 0
        delay_s = int(left.total_seconds()) + 1
        ends = int(datetime.now(UTC).timestamp()) + delay_s
        key = f"{minutes_id}:{ends}"
        jobs.enqueue(session, "announce_minutes", key, delay_s=delay_s, minutes_id=minutes_id)
    return delay_s
