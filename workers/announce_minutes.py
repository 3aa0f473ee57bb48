"""Job: tell the channel that minutes were published, with a link; once a version."""

from datetime import UTC, datetime
from typing import Any

from connectors.slack.announcing import Announcement, announce
from connectors.slack.web import make_client
from core.errors import NotConfigured, NotFound
from core.running_job import RunningJob
from core.tables.meetings import Minutes, Recording
from workers.context import Context
from workers.minutes import draft_of


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `minutes_id`. Outcome: the message's timestamp."""
    channel = context.settings.slack_announce_channel
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
    announcement = Announcement(
        key=f"minutes:{row.id}",
        title=recording.title,
        page_url=row.page_url,
        n_decisions=len(draft.section("decision")),
        n_actions=len(draft.section("action")),
        n_questions=len(draft.section("question")),
        warnings=tuple(dict.fromkeys((*recording.warnings, *row.warnings))),
    )
    ts = announce(make_client(context.settings), channel, announcement, is_retry=job.claimed.attempt > 1)
    with context.factory.begin() as session:
        job.fence(session)
        session.get_one(Minutes, row.id).announced_at = datetime.now(UTC)
    return {"ts": ts}
