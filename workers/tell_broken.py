"""Job: tell who asked that their question will get no answer, after its job was given up without a word.

A worker that dies cannot say so: the sweep that gives a job up asks for this one.
"""

from typing import Any

from slack_sdk import WebClient

from connectors.slack import posting
from core.errors import Denied, NotFound, Unavailable
from core.running_job import RunningJob
from core.tables.jobs import Job
from core.tables.questions import Question
from workers.answer_question import UNEXPECTED, load, say_that_it_broke
from workers.context import Context
from workers.share_answer import mark_of_share
from workers.slack_message import words_for
from workers.slack_workspaces import client_of


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `job_id` of what was given up. Outcome: whether somebody was told."""
    with context.factory() as session:
        ended = session.get(Job, int(job.args["job_id"]))
    if ended is not None and ended.state == "running":
        raise Unavailable("the job has not ended yet")
    if ended is None or ended.state != "failed":
        return {"told": False, "why": "it runs again, or is forgotten"}
    try:
        question = load(context, int(ended.args["question_id"]))
    except NotFound:
        return {"told": False, "why": "the question is not kept any more"}
    if question.place.get("via") != "slack":
        return {"told": False, "why": "it was not asked in Slack"}
    client, posted = client_of(context, question.place.get("team")), ended.checkpoint.get("posted_ts")
    why = str(job.args.get("why") or UNEXPECTED)
    if ended.kind == "share_answer":
        return _tell_sharer(client, ended, question, why)
    if ended.checkpoint.get("said"):
        if posted:  # the asker has the answer; only the channel still waits
            words = words_for(question).not_for_all.format(user=question.place["user"])
            posting.edit_words(client, question.place, posted, words)
        return {"told": bool(posted), "why": "it was answered alone"}
    say_that_it_broke(client, posted, question, why)
    return {"told": True}


def _tell_sharer(client: WebClient, ended: Job, question: Question, why: str) -> dict[str, Any]:
    """Who clicked Share reads "Checking…" until somebody says how it ended."""
    place, mark = question.place, mark_of_share(ended.id)
    thread = place.get("thread_ts") or place.get("ts")
    try:
        is_shared = posting.posted_before(client, place["channel"], thread, mark) is not None
    except (Denied, NotFound):
        is_shared = False
    if is_shared:
        return {"told": False, "why": "it was shared"}
    clicked = {**place, "response_url": ended.args.get("response_url")}
    posting.say_to_asker(client, clicked, words_for(question).broken.format(why=why), mark)
    return {"told": True}
