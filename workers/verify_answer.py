"""Job: keep an answer that an expert has edited and stands for, and tell them."""

from typing import Any

from connectors.slack import posting
from connectors.slack.answer_message import section
from connectors.slack.mrkdwn import escape
from core.errors import BadInput, Conflict, Denied, NotFound
from core.running_job import RunningJob
from core.tables.people import Person
from rag.verified import Confirmed, confirm
from workers import slack_experts
from workers.context import Context
from workers.people import person_of_account
from workers.slack_workspaces import account_id, client_of

KEPT = (
    "✅ Thank you. Whoever asks this and may open its sources is given your answer, until a source changes."
)
REFUSED = "I could not keep your answer: {why}."


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `question_id`, `question`, `answer`, `channel`, `user`, `team`. Outcome: the confirmed answer's id."""
    client = client_of(context, job.args.get("team"))
    user, said = str(job.args["user"]), KEPT
    verified_id = job.checkpoint.get("verified_id")
    if verified_id is None:
        try:
            verified_id = _keep(context, job, user)
        except (BadInput, Conflict, Denied, NotFound) as exc:
            said = REFUSED.format(why=str(exc).rstrip("."))
    words = escape(said)
    posting.direct_message(client, user, words, [section(words)], f"verify:{job.claimed.id}")
    return {"verified_id": verified_id}


def _keep(context: Context, job: RunningJob, user: str) -> int:
    """Looked at once more, since between modal and now doors may have closed."""
    text = str(job.args["question"])
    vector = context.embedder.embed_query(text)
    with context.factory.begin() as session:
        question = slack_experts.confirmable(
            session,
            context.settings,
            int(job.args["question_id"]),
            user=user,
            channel=str(job.args["channel"]),
            team=job.args.get("team"),
        )
        account = account_id(context.settings, job.args.get("team"), user)
        author = session.get_one(Person, person_of_account(session, "slack", account))
        verified_id = confirm(
            session,
            Confirmed(
                question=text,
                answer=str(job.args["answer"]),
                citations=question.citations,
                author_id=author.id,
                author_name=author.name,
                question_id=question.id,
            ),
            embedder=context.embedder,
            vector=vector,
        )
        job.save(session, verified_id=verified_id)
    return verified_id
