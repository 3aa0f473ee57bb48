"""The job of the survival tests: steps that each leave one effect, and ways to go wrong on the way."""

import os
import signal
import time
from typing import Any

from sqlalchemy import text

from core.errors import BadInput
from core.running_job import RunningJob
from workers.context import Context

TABLES = """
    CREATE TABLE effects (key text NOT NULL, step int NOT NULL, worker text NOT NULL);
    CREATE TABLE runs (key text NOT NULL, worker text NOT NULL);
    CREATE TABLE mended (key text NOT NULL)
"""


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """`steps` times: work `step_s` seconds, then write one effect with the checkpoint behind the fence.

    `fault`: `die` ends the whole process as the kernel's OOM killer would, `bad` and `crash` raise an
    expected and an unexpected error; all of them only while the key is not in `mended`.
    """
    fields = {"key": job.claimed.key, "worker": context.worker}
    with context.factory.begin() as session:
        session.execute(text("INSERT INTO runs VALUES (:key, :worker)"), fields)
        is_mended = session.execute(text("SELECT 1 FROM mended WHERE key = :key"), fields).first() is not None
    if not is_mended:
        _go_wrong(job.args.get("fault"))
    for step in range(job.checkpoint.get("step", 0), job.args["steps"]):
        job.check()
        time.sleep(job.args["step_s"])
        with context.factory.begin() as session:
            job.fence(session)
            session.execute(
                text("INSERT INTO effects VALUES (:key, :step, :worker)"), {**fields, "step": step}
            )
            job.save(session, step=step + 1)
    return {"steps": job.args["steps"]}


def _go_wrong(fault: str | None) -> None:
    if fault == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "bad":
        raise BadInput("page 7 cannot be read: mend it")
    if fault == "crash":
        raise ZeroDivisionError("text of a page")
