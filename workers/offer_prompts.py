"""Job: offer questions in the assistant's side panel, from the channel the person looks at.

Only what that person may read anyway is offered: recordings they may open, questions asked aloud in a channel they
are in.
"""

from typing import Any

from slack_sdk import WebClient
from sqlalchemy import text

from connectors.slack import panel
from connectors.slack.directory import members
from core.access import passed_gates
from core.errors import Denied, NotFound
from core.running_job import RunningJob
from workers import slack_people
from workers.context import Context
from workers.slack_workspaces import client_of

ALWAYS = (
    ("What was decided lately?", "What did we decide in the last meetings?"),
    ("Open action items", "Which action items are still open, and who has them?"),
    ("How do we do this?", "How do I get started as somebody new here?"),
)
N_OF_CHANNEL = 2
MEETINGS = text("""
    SELECT title FROM recordings
    WHERE origin->>'channel' = :channel AND state NOT IN ('failed', 'removed')
      AND (gate_ids <@ CAST(:passed AS int[]) OR submitted_by = :person_id)
    ORDER BY created_at DESC LIMIT 1
""")
ASKED = text("""
    SELECT text FROM (
        SELECT DISTINCT ON (lower(text)) text, asked_at FROM questions
        WHERE place->>'channel' = :channel AND place->>'kind' = 'mention' AND outcome = 'answered'
          AND asked_at > now() - interval '30 days' AND length(text) <= 150
        ORDER BY lower(text), asked_at DESC
    ) asked ORDER BY asked_at DESC LIMIT :most
""")


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `user`, `channel`, `thread_ts`, `beside`, `team`. Outcome: how many were offered."""
    client = client_of(context, job.args.get("team"))
    place = {"channel": job.args["channel"], "thread_ts": job.args["thread_ts"]}
    user, beside = str(job.args["user"]), job.args.get("beside")
    of_channel = _of_channel(context, client, user, str(beside)) if beside else []
    prompts = [*of_channel, *ALWAYS][: panel.MAX_PROMPTS]
    job.check()
    try:
        panel.offer(client, place, prompts)
    except (Denied, NotFound) as exc:
        return {"n_offered": 0, "why": str(exc)}
    return {"n_offered": len(prompts), "n_of_channel": len(of_channel)}


def _of_channel(context: Context, client: WebClient, user: str, beside: str) -> list[tuple[str, str]]:
    """Of the last meeting shared there and of what people asked there; nothing for who is not in it."""
    try:
        if user not in (members(client, beside) or ()):
            return []
    except (Denied, NotFound):
        return []
    person_id = slack_people.person_of(context, client, user)
    with context.factory() as session:
        about = {"channel": beside, "passed": passed_gates(session, person_id), "person_id": person_id}
        meetings = [row.title for row in session.execute(MEETINGS, about)]
        asked = [row.text for row in session.execute(ASKED, {"channel": beside, "most": N_OF_CHANNEL})]
    return [
        *((f"Decisions of {title}", f"What was decided in {title}?") for title in meetings),
        *((question, question) for question in asked),
    ]
