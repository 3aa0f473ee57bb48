"""Job: answer one question where it was asked, or share an answer with a channel.

A private place (slash command, direct message) uses the asker's gates. A public one uses only what every
reader of the channel may open; when that leaves nothing, it says so in neutral words and the asker gets the
private answer.
"""

from typing import Any

from slack_sdk import WebClient

from connectors.slack import posting
from connectors.slack.answer_message import AnswerMessage, sources_of
from connectors.slack.web import make_client
from core.errors import ImpError, NotFound, TryAgain
from core.models import Question
from core.running_job import RunningJob
from rag.answer import Answer
from workers import questions, slack_people
from workers.context import Context

NOT_FOR_ALL = (
    "I can't answer this from pages that everyone in this channel may open. "
    "<@{user}>, I sent you what I found for you alone."
)
NOT_SHARED = "I did not share it: nothing that everyone in this channel may open answers this question."
BROKEN = "I could not answer this: {why}. Your question is kept; an admin can run it again."


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `question_id`, and `share_response_url` to share an answer. Outcome: what was said where."""
    question_id = int(job.args["question_id"])
    client = make_client(context.settings)
    with context.factory() as session:
        question = session.get(Question, question_id)
    if question is None:
        raise NotFound(f"question {question_id} does not exist")
    place = question.place
    try:
        if f"{question_id}:share" == job.claimed.key:
            return _share(context, client, question, job.args.get("share_response_url"))
        if place["kind"] == "mention":
            return _in_public(context, client, job, question)
        return _in_private(context, client, job, question)
    except ImpError as exc:
        is_last = not isinstance(exc, TryAgain) or job.claimed.attempt >= job.claimed.max_attempts
        if is_last:
            posting.tell_asker(client, place, BROKEN.format(why=exc))
        raise


def _in_private(context: Context, client: WebClient, job: RunningJob, question: Question) -> dict[str, Any]:
    person_id = _asker(context, client, question)
    found = questions.answer(context, question.id, audience=[person_id])
    job.check()
    posting.answer_privately(client, question.place, _message(context, question, found))
    return {"outcome": found.outcome, "said": "private"}


def _in_public(context: Context, client: WebClient, job: RunningJob, question: Question) -> dict[str, Any]:
    """In the thread of the mention, for everybody who reads the channel."""
    place = question.place
    person_id = _asker(context, client, question)
    posted = posting.find_or_post_looking(client, place, question.id, is_retry=job.claimed.attempt > 1)
    audience = slack_people.audience_of(context, client, place["channel"])
    found = questions.answer(context, question.id, audience=[*audience, person_id])
    job.check()
    if found.outcome == "answered":
        posting.answer_publicly(client, place, posted, _message(context, question, found))
        return {"outcome": found.outcome, "said": "public"}
    alone = questions.answer(context, question.id, audience=[person_id])
    job.check()
    if alone.outcome == "answered":
        posting.say_publicly(client, place, posted, NOT_FOR_ALL.format(user=place["user"]))
        posting.answer_ephemerally(client, place, _message(context, question, alone))
        return {"outcome": alone.outcome, "said": "private"}
    posting.say_publicly(client, place, posted, found.text)
    return {"outcome": found.outcome, "said": "public"}


def _share(
    context: Context, client: WebClient, question: Question, response_url: str | None
) -> dict[str, Any]:
    """Post for all what all may open; the private answer stays as it is."""
    place = question.place
    audience = slack_people.audience_of(context, client, place["channel"])
    with context.factory.begin() as session:
        shared_id = questions.write_down(
            session,
            question.text,
            person_id=question.person_id,
            place={**place, "kind": "share", "response_url": None},
            max_chars=context.settings.imp_question_max_chars,
        )
    found = questions.answer(context, shared_id, audience=[*audience, question.person_id])
    if found.outcome != "answered":
        posting.respond(client, response_url or place.get("response_url"), place, NOT_SHARED)
        return {"outcome": found.outcome, "said": "refused"}
    message = _message(context, question, found)
    posting.share(client, place, message)
    return {"outcome": found.outcome, "said": "shared"}


def _asker(context: Context, client: WebClient, question: Question) -> int | None:
    """The person who asked, looked up by address the first time they are seen."""
    if question.person_id is not None:
        return question.person_id
    person_id = slack_people.person_of(context, client, question.place["user"])
    if person_id is not None:
        with context.factory.begin() as session:
            session.get_one(Question, question.id).person_id = person_id
    return person_id


def _message(context: Context, question: Question, found: Answer) -> AnswerMessage:
    citations = [questions.plain_citation(one) for one in found.citations]
    is_answered = found.outcome == "answered"
    return AnswerMessage(
        question_id=question.id,
        question=question.text,
        text=found.text,
        sources=sources_of(citations) if is_answered else (),
        is_answered=is_answered,
        confidence=found.confidence,
        engine=found.engine,
        nearest=() if is_answered else sources_of(citations),
    )
