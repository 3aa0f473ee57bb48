"""Job: answer one question where it was asked.

A private place (slash command, direct message) uses the asker's gates. A public one uses only what every
reader of the channel may open; when that leaves nothing it says so in words that are always the same, and the
asker alone gets what the asker may open. What a channel's settings say about asking there goes first.
"""

import logging
from typing import Any

from slack_sdk import WebClient

from connectors.slack import panel, posting
from connectors.slack.answer_message import section
from connectors.slack.mrkdwn import escape
from core import jobs
from core.errors import ImpError, NotFound, TryAgain
from core.running_job import RunningJob
from core.tables.questions import Question
from workers import channel_rules, slack_conversations, slack_people
from workers.channel_settings import ChannelSettings
from workers.context import Context
from workers.slack_message import message_of, words_for
from workers.slack_workspaces import client_of

logger = logging.getLogger(__name__)

UNEXPECTED = "something on my side is broken"


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `question_id`. Outcome: what was said where."""
    client = client_of(context, job.args.get("team"))
    question = load(context, int(job.args["question_id"]))
    try:
        rules = channel_rules.rules_of(context, question)
        if not rules.may_ask(question.place["user"]):
            return _refused(context, client, job, question)
        if question.place["kind"] == "command":
            return _below_command(context, client, job, question)
        if is_in_panel(question):
            return _in_panel(context, client, job, question)
        if question.place["kind"] == "dm":
            return _in_direct_message(context, client, job, question)
        if channel_rules.is_private(rules):
            return _in_channel_alone(context, client, job, question)
        return _in_public(context, client, job, question, rules)
    except Exception as exc:
        if is_last(job, exc):
            why = str(exc) if isinstance(exc, ImpError) else UNEXPECTED
            _tell(context, client, job, question, why)
        raise


def load(context: Context, question_id: int) -> Question:
    """Raises NotFound when the question is not kept any more."""
    with context.factory() as session:
        question = session.get(Question, question_id)
    if question is None:
        raise NotFound(f"question {question_id} does not exist")
    return question


def is_in_panel(question: Question) -> bool:
    """A thread with us alone: the assistant's side panel shows it as a chat."""
    return question.place["kind"] == "dm" and bool(question.place.get("thread_ts"))


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
    found = channel_rules.answer(context, question, [asker(context, client, question)])
    job.check()
    if not job.checkpoint.get("said"):
        posting.answer_alone(client, question.place, message_of(context, question, found), mark_of(question))
        _save(context, job, said=True)
    return {"outcome": found.outcome, "said": "private"}


def _refused(context: Context, client: WebClient, job: RunningJob, question: Question) -> dict[str, Any]:
    """Somebody the channel's settings do not name; only they learn of it."""
    said = words_for(question).may_not_ask
    if not job.checkpoint.get("said"):
        posting.say_alone(client, question.place, said, [section(said)], mark_of(question))
        _save(context, job, said=True)
    channel_rules.refuse(context, question, "this channel names who may ask")
    return {"outcome": "refused", "said": "private"}


def _in_channel_alone(
    context: Context, client: WebClient, job: RunningJob, question: Question
) -> dict[str, Any]:
    """A mention where nothing may be posted for all to see: as below a command."""
    if not job.checkpoint.get("looking"):
        mark = f"{mark_of(question)}:looking"
        posting.say_alone(client, question.place, posting.LOOKING, [section(posting.LOOKING)], mark)
        _save(context, job, looking=True)
    return _below_command(context, client, job, question)


def _in_direct_message(
    context: Context, client: WebClient, job: RunningJob, question: Question
) -> dict[str, Any]:
    posted = _looking(context, client, job, question)
    found = channel_rules.answer(context, question, [asker(context, client, question)])
    job.check()
    posting.edit_private(client, question.place, posted, message_of(context, question, found))
    return {"outcome": found.outcome, "said": "private"}


def _in_panel(context: Context, client: WebClient, job: RunningJob, question: Question) -> dict[str, Any]:
    """Streamed below the question; as one message where Slack does not stream."""
    place = question.place
    if not job.checkpoint.get("posted_ts"):
        panel.set_status(client, place, panel.LOOKING)
        if not place.get("understood"):
            panel.set_title(client, place, question.text)
    found = channel_rules.answer(context, question, [asker(context, client, question)])
    job.check()
    message = message_of(context, question, found)
    begun = job.checkpoint.get("posted_ts")
    if begun is None and job.checkpoint.get("is_streaming"):
        begun = panel.begun_before(client, place)
    if begun is not None:
        panel.finish(client, place, str(begun), message, mark_of(question))
        return {"outcome": found.outcome, "said": "private"}
    _save(context, job, is_streaming=True)
    panel.set_status(client, place, panel.WRITING)
    streamed = panel.stream(
        client, place, message, mark_of(question), on_begun=lambda ts: _save(context, job, posted_ts=ts)
    )
    if streamed is None:
        posted = _looking(context, client, job, question)
        posting.edit_private(client, place, posted, message)
    return {"outcome": found.outcome, "said": "private", "is_streamed": streamed is not None}


def _in_public(
    context: Context, client: WebClient, job: RunningJob, question: Question, rules: ChannelSettings
) -> dict[str, Any]:
    """In the thread of the mention, or where the channel wants it, for everybody who reads the channel."""
    place = channel_rules.at_its_place(question, rules)
    posted = _looking(context, client, job, question, place)
    if rules.reply == "channel":
        with context.factory.begin() as session:
            slack_conversations.goes_on(session, place["channel"], posted, question.id)
    person_id = asker(context, client, question)
    audience = [*slack_people.audience_of(context, client, place["channel"]), person_id]
    found = channel_rules.answer(context, question, audience)
    job.check()
    if found.outcome == "answered":
        posting.edit_public(client, place, posted, message_of(context, question, found))
        return {"outcome": found.outcome, "said": "public"}
    alone = channel_rules.answer(context, question, [person_id])
    job.check()
    if not job.checkpoint.get("said"):
        posting.answer_alone(client, place, message_of(context, question, alone), mark_of(question))
        _save(context, job, said=True)
    posting.edit_words(client, place, posted, words_for(question).not_for_all.format(user=place["user"]))
    return {"outcome": alone.outcome, "said": "private"}


def _looking(
    context: Context,
    client: WebClient,
    job: RunningJob,
    question: Question,
    place: dict[str, Any] | None = None,
) -> str:
    """The message the answer will be edited into; remembered, so that it is posted once."""
    posted = job.checkpoint.get("posted_ts")
    if posted is None:
        is_retry = job.claimed.attempt > 1
        posted = posting.find_or_post_looking(
            client, place or question.place, mark_of(question), is_retry=is_retry
        )
        _save(context, job, posted_ts=posted)
    return str(posted)


def _tell(context: Context, client: WebClient, job: RunningJob, question: Question, why: str) -> None:
    """Say that it broke; where even that fails, another job tries until Slack listens again."""
    try:
        say_that_it_broke(client, job.checkpoint.get("posted_ts"), question, why)
    except ImpError as exc:
        logger.warning("asker_not_told", extra={"why": type(exc).__name__})
        with context.factory.begin() as session:
            jobs.enqueue(session, "tell_broken", str(job.claimed.id), job_id=job.claimed.id, why=why)


def say_that_it_broke(client: WebClient, posted: str | None, question: Question, why: str) -> None:
    """Nobody is left looking at "looking…"; a channel is told less than the asker.

    Args:
        posted: the message that should have become the answer.

    Raises:
        core.errors.ImpError: Slack did not take it.
    """
    place, words, mark = question.place, words_for(question), f"{mark_of(question)}:broken"
    told = words.broken.format(why=why)
    if is_in_panel(question):
        panel.say_instead(client, place, posted, escape(told), mark)
        return
    if posted and place["kind"] == "dm":
        posting.edit_words(client, place, posted, escape(told))
        return
    if posted:
        posting.edit_words(client, place, posted, words.broken_in_public)
    posting.say_to_asker(client, place, told, mark)


def mark_of(question: Question) -> str:
    """By which a second run finds what the first one posted."""
    return f"question:{question.id}"


def _save(context: Context, job: RunningJob, **checkpoint: Any) -> None:
    with context.factory.begin() as session:
        job.save(session, **checkpoint)
