"""Job: share a private answer with the channel it was asked in, answered anew for everyone who reads there."""

from datetime import UTC, datetime
from typing import Any

from slack_sdk import WebClient

from connectors.slack import posting
from core.errors import Denied, NotFound
from core.running_job import RunningJob
from core.tables.questions import Question
from workers import channel_rules, questions, slack_people
from workers.answer_question import UNEXPECTED, is_last, load
from workers.context import Context
from workers.slack_message import message_of, words_for
from workers.slack_workspaces import client_of

NOT_SHARED = "I did not share it: nothing that everyone in this channel may open answers this question."
QUIET_HOURS = "I did not share it: this channel has quiet hours now. Share it when they are over."
NOT_A_MEMBER = "I did not share it: I am not in this channel. Invite me, then share again."


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `question_id`, `response_url` of the click. Outcome: shared or refused."""
    question = load(context, int(job.args["question_id"]))
    client = client_of(context, question.place.get("team"))
    place = {**question.place, "response_url": job.args.get("response_url")}
    mark = mark_of_share(job.claimed.id)
    if channel_rules.rules_of(context, question).quiet_for(datetime.now(UTC)) is not None:
        posting.tell_asker(client, place, QUIET_HOURS, mark)
        return {"said": "refused"}
    try:
        return _share(context, client, job, question, mark)
    except (Denied, NotFound):
        posting.tell_asker(client, place, NOT_A_MEMBER, mark)
        return {"said": "refused"}
    except _Refused:
        posting.tell_asker(client, place, NOT_SHARED, mark)
        return {"said": "refused"}
    except Exception as exc:
        if is_last(job, exc):
            posting.tell_asker(client, place, words_for(question).broken.format(why=UNEXPECTED), mark)
        raise


def mark_of_share(job_id: int) -> str:
    """By which the shared message is found again."""
    return f"share:{job_id}"


class _Refused(Exception):
    """Not everyone may open what would answer."""


def _share(
    context: Context, client: WebClient, job: RunningJob, question: Question, mark: str
) -> dict[str, Any]:
    place = question.place
    audience = slack_people.audience_of(context, client, place["channel"])
    shared_id = _shared_question(context, job, question)
    person_id = slack_people.person_of(context, client, place["user"])
    found = channel_rules.answer(context, load(context, shared_id), [*audience, person_id])
    if found.outcome != "answered":
        raise _Refused
    message = message_of(context, load(context, shared_id), found)
    job.check()
    posting.share(client, place, message, mark, is_retry=job.claimed.attempt > 1)
    return {"outcome": found.outcome, "said": "shared"}


def _shared_question(context: Context, job: RunningJob, question: Question) -> int:
    """A row of its own for what the channel sees, made once; feedback of the channel goes there."""
    known = job.checkpoint.get("shared_id")
    if known is not None:
        return int(known)
    place = {**question.place, "kind": "share", "response_url": None, "shared_from": question.id}
    with context.factory.begin() as session:
        shared_id = questions.write_down(
            session, question.text, person_id=question.person_id, place=place,
            max_chars=max(len(question.text), 1),
        )  # fmt: skip
        job.save(session, shared_id=shared_id)
    return shared_id
