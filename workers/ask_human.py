"""Job: ask people about a question: the channel's experts, else who wrote the page that was cited first.

What they read is the question and who asked. No title, no link and nothing of the answer goes along, and an author
whose page not everyone in the channel may open is asked alone.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from slack_sdk import WebClient

from connectors.slack import posting
from connectors.slack.answer_message import section
from connectors.slack.mrkdwn import escape, shorten
from core.access import gates_passed_by_all
from core.errors import Denied, NotFound
from core.running_job import RunningJob
from core.tables.questions import Question
from workers import channel_rules, slack_experts, slack_people
from workers.answer_question import load
from workers.context import Context
from workers.slack_message import words_for
from workers.slack_workspaces import client_of

NOBODY = "I know nobody to ask: no expert is named for this channel, and I do not know who wrote the page."
ASKED_ALONE = "I asked {people} alone."
MAX_CHARS = 1_500


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `question_id`, `user` and `channel` of the click, `response_url`. Outcome: who was asked where."""
    question = load(context, int(job.args["question_id"]))
    client = client_of(context, question.place.get("team"))
    clicker = str(job.args["user"])
    people, may_be_public = _whom(context, client, question, clicker)
    mark = f"human:{question.id}"
    if not people:
        posting.tell_asker(client, _place(job, question), NOBODY, mark)
        return {"asked": "nobody"}
    words = _words(question, clicker, people)
    job.check()
    if may_be_public and _posted(client, question, words, mark, is_retry=job.claimed.attempt > 1):
        asked = "channel"
    else:
        asked = "alone"
        for user in people:
            posting.direct_message(client, user, words, [section(words)], mark)
        named = ASKED_ALONE.format(people=_named(people))
        place = _place(job, question)
        if question.place["kind"] == "dm":
            posting.direct_message(client, clicker, named, [section(named)], f"{mark}:told")
        else:
            posting.say_alone(client, place, named, [section(named)], f"{mark}:told")
    _remember(context, question, people)
    return {"asked": asked, "n_people": len(people)}


def _whom(context: Context, client: WebClient, question: Question, clicker: str) -> tuple[list[str], bool]:
    """Whom to ask, and whether the channel may see that it is they."""
    place = question.place
    is_quiet = channel_rules.rules_of(context, question).quiet_for(datetime.now(UTC)) is not None
    with context.factory() as session:
        experts = slack_experts.experts_of(session, context.settings, place["channel"], place.get("team"))
        owner = slack_experts.owner_of_first_source(session, context.settings, question)
    others = [user for user in experts if user != clicker]
    if others:
        return others, place["kind"] != "dm" and not is_quiet
    if owner is None:
        return [], False
    users = [user for user in owner.users if user != clicker]
    if place["kind"] == "dm" or is_quiet:
        return users, False
    audience = slack_people.audience_of(context, client, place["channel"])
    with context.factory() as session:
        return users, set(owner.gate_ids) <= set(gates_passed_by_all(session, audience))


def _words(question: Question, clicker: str, people: Sequence[str]) -> str:
    asked = shorten(escape(" ".join(question.text.split())), MAX_CHARS)
    said = words_for(question).asks_people.format(people=_named(people), asker=f"<@{clicker}>")
    return f"🙋 {said}\n>{asked}"


def _named(people: Sequence[str]) -> str:
    return " ".join(f"<@{user}>" for user in people)


def _posted(client: WebClient, question: Question, words: str, mark: str, *, is_retry: bool) -> bool:
    """In the thread of the question, or in the channel it was asked in; False where we may not write."""
    try:
        posting.post_once(client, question.place, words, mark, is_retry=is_retry)
    except (Denied, NotFound):
        return False
    return True


def _place(job: RunningJob, question: Question) -> dict[str, Any]:
    return {**question.place, "user": job.args["user"], "response_url": job.args.get("response_url")}


def _remember(context: Context, question: Question, people: Sequence[str]) -> None:
    with context.factory.begin() as session:
        kept = session.get(Question, question.id)
        if kept is not None:
            kept.place = {**kept.place, "asked_people": list(people)}
