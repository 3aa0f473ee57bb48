"""Job: answer one question where it was asked.

A private place (slash command, direct message) uses the asker's gates. A public one uses only what every
reader of the channel may open; when that leaves nothing it says so in words that are always the same, and the
asker alone gets what the asker may open.
"""

import logging
from typing import Any

from slack_sdk import WebClient

from connectors.slack import posting
from connectors.slack.mrkdwn import escape
from connectors.slack.web import make_client
from core.errors import ImpError, NotFound, TryAgain
from core.running_job import RunningJob
from core.tables.questions import Question
from workers import questions, slack_people
from workers.context import Context
from workers.slack_message import message_of

logger = logging.getLogger(__name__)

NOT_FOR_ALL = (
    "I found no answer in what everyone in this channel may open. "
    "<@{user}>, I told you alone what you may open about it."
)
BROKEN = "I could not answer this: {why}. Your question is kept; an admin can run it again."
BROKEN_IN_PUBLIC = "Something on my side is broken, so I could not answer this."
UNEXPECTED = "something on my side is broken"


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `question_id`. Outcome: what was said where."""
    client = make_client(context.settings)
    question = load(context, int(job.args["question_id"]))
    try:
        if question.place["kind"] == "command":
            return _below_command(context, client, job, question)
        if question.place["kind"] == "dm":
            return _in_direct_message(context, client, job, question)
        return _in_public(context, client, job, question)
    except Exception as exc:
        if is_last(job, exc):
            _say_that_it_broke(client, job, question, exc)
        raise


def load(context: Context, question_id: int) -> Question:
    """Raises NotFound when the question is not kept any more."""
    with context.factory() as session:
        question = session.get(Question, question_id)
    if question is None:
        raise NotFound(f"question {question_id} does not exist")
    return question


def is_last(job: RunningJob, exc: Exception) -> bool:
    """True when this failure will not be tried again."""
    is_passing = isinstance(exc, TryAgain) or not isinstance(exc, ImpError)
    return not is_passing or job.claimed.attempt >= job.claimed.max_attempts


def asker(context: Context, client: WebClient, question: Question) -> int | None:
    """The person who asked as Slack and we know them now; kept with the question."""
    person_id = slack_people.person_of(context, client, question.place["user"])
    if person_id != question.person_id:
        with context.factory.begin() as session:
            session.get_one(Question, question.id).person_id = person_id
    return person_id


def _below_command(
    context: Context, client: WebClient, job: RunningJob, question: Question
) -> dict[str, Any]:
    found = questions.answer(context, question.id, audience=[asker(context, client, question)])
    job.check()
    if not job.checkpoint.get("said"):
        posting.answer_alone(client, question.place, message_of(context, question, found), _mark(question))
        _save(context, job, said=True)
    return {"outcome": found.outcome, "said": "private"}


def _in_direct_message(
    context: Context, client: WebClient, job: RunningJob, question: Question
) -> dict[str, Any]:
    posted = _looking(context, client, job, question)
    found = questions.answer(context, question.id, audience=[asker(context, client, question)])
    job.check()
    posting.edit_private(client, question.place, posted, message_of(context, question, found))
    return {"outcome": found.outcome, "said": "private"}


def _in_public(context: Context, client: WebClient, job: RunningJob, question: Question) -> dict[str, Any]:
    """In the thread of the mention, for everybody who reads the channel."""
    place = question.place
    posted = _looking(context, client, job, question)
    person_id = asker(context, client, question)
    audience = [*slack_people.audience_of(context, client, place["channel"]), person_id]
    found = questions.answer(context, question.id, audience=audience)
    job.check()
    if found.outcome == "answered":
        posting.edit_public(client, place, posted, message_of(context, question, found))
        return {"outcome": found.outcome, "said": "public"}
    alone = questions.answer(context, question.id, audience=[person_id])
    job.check()
    if not job.checkpoint.get("said"):
        posting.answer_alone(client, place, message_of(context, question, alone), _mark(question))
        _save(context, job, said=True)
    posting.edit_words(client, place, posted, NOT_FOR_ALL.format(user=place["user"]))
    return {"outcome": alone.outcome, "said": "private"}


def _looking(context: Context, client: WebClient, job: RunningJob, question: Question) -> str:
    """The message the answer will be edited into; remembered, so that it is posted once."""
    posted = job.checkpoint.get("posted_ts")
    if posted is None:
        is_retry = job.claimed.attempt > 1
        posted = posting.find_or_post_looking(client, question.place, _mark(question), is_retry=is_retry)
        _save(context, job, posted_ts=posted)
    return str(posted)


def _say_that_it_broke(client: WebClient, job: RunningJob, question: Question, exc: Exception) -> None:
    """Nobody is left looking at "looking…"; a channel is told less than the asker."""
    why = str(exc) if isinstance(exc, ImpError) else UNEXPECTED
    posted, place = job.checkpoint.get("posted_ts"), question.place
    try:
        if posted and place["kind"] == "dm":
            posting.edit_words(client, place, posted, escape(BROKEN.format(why=why)))
            return
        if posted:
            posting.edit_words(client, place, posted, BROKEN_IN_PUBLIC)
    except ImpError as failed:
        logger.warning("asker_not_told", extra={"why": type(failed).__name__})
    posting.tell_asker(client, place, BROKEN.format(why=why), f"{_mark(question)}:broken")


def _mark(question: Question) -> str:
    return f"question:{question.id}"


def _save(context: Context, job: RunningJob, **checkpoint: Any) -> None:
    with context.factory.begin() as session:
        job.save(session, **checkpoint)
