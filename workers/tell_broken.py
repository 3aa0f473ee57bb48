"""Job: tell who asked that their question will get no answer, after its job was given up without a word.

A worker that dies cannot say so: the sweep that gives a job up asks for this one.
"""

from typing import Any

from connectors.slack import posting
from connectors.slack.web import make_client
from core.errors import NotFound, Unavailable
from core.running_job import RunningJob
from core.tables.jobs import Job
from workers.answer_question import UNEXPECTED, load, say_that_it_broke
from workers.context import Context
from workers.slack_message import words_for


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
    client, posted = make_client(context.settings), ended.checkpoint.get("posted_ts")
    if ended.checkpoint.get("said"):
        if posted:  # the asker has the answer; only the channel still waits
            words = words_for(question).not_for_all.format(user=question.place["user"])
            posting.edit_words(client, question.place, posted, words)
        return {"told": bool(posted), "why": "it was answered alone"}
    why = str(job.args.get("why") or UNEXPECTED)
    say_that_it_broke(client, posted, question, why)
    return {"told": True}
