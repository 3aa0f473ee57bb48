"""Job: draw an announcement of drafted minutes again after somebody changed the draft behind it."""

from typing import Any

from connectors.slack.web import translated
from core.running_job import RunningJob
from core.tables.meetings import Minutes, Recording
from workers import slack_people
from workers.ask_review import blocks_for_channel, review_draft
from workers.context import Context
from workers.slack_workspaces import client_of


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `minutes_id`, `channel`, `ts`, `team`. Outcome: whether it was drawn.

    A direct message shows the lines, its reader may open them.
    """
    client = client_of(context, job.args.get("team"))
    channel, ts = str(job.args["channel"]), str(job.args["ts"])
    with context.factory() as session:
        row = session.get(Minutes, int(job.args["minutes_id"]))
        if row is None or row.state != "draft":
            return {"drawn": False, "why": "no draft any more"}
        recording = session.get_one(Recording, row.recording_id)
    draft = review_draft(context, recording, row)
    is_open = channel.startswith("D") or slack_people.all_may_open(
        context, client, channel, recording.gate_ids
    )
    blocks = blocks_for_channel(draft, is_open=is_open)
    with translated("the minutes to review"):
        client.chat_update(channel=channel, ts=ts, text="Minutes to review", blocks=blocks)
    return {"drawn": True}
