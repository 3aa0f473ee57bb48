"""Job: show the passages an answer rests on to one person, as far as that person may open them now."""

from typing import Any

from sqlalchemy import text

from connectors.slack import posting
from connectors.slack.answer_message import quotes_blocks, quotes_of, section
from core.access import passed_gates
from core.running_job import RunningJob
from workers import slack_people
from workers.answer_question import load
from workers.context import Context
from workers.slack_workspaces import client_of

NONE_LEFT = "You may not open the sources of this answer, or they are gone."

READABLE = text("""
    SELECT id FROM documents WHERE id = ANY(:ids) AND gate_ids <@ CAST(:passed AS int[])
    AND deleted_at IS NULL AND status = 'current'
""")


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `question_id`, `user`, `response_url` of the click. Outcome: how many were shown."""
    question = load(context, int(job.args["question_id"]))
    client = client_of(context, question.place.get("team"))
    user = str(job.args["user"])
    person_id = slack_people.person_of(context, client, user)
    ids = [int(citation["document_id"]) for citation in question.citations]
    with context.factory() as session:
        readable = set(
            session.execute(READABLE, {"ids": ids, "passed": passed_gates(session, person_id)}).scalars()
        )
    citations = [one for one in question.citations if one["document_id"] in readable]
    blocks = quotes_blocks(quotes_of(citations)) if citations else [section(NONE_LEFT)]
    place = {
        "kind": "mention", "user": user, "channel": job.args["channel"],
        "ts": job.args.get("ts"), "response_url": job.args.get("response_url"),
    }  # fmt: skip
    job.check()
    text_shown = "The sources of this answer" if citations else NONE_LEFT
    posting.say_alone(client, place, text_shown, blocks, f"sources:{job.claimed.id}")
    return {"n_shown": len(citations)}
