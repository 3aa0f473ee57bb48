"""The smallest job: proves that a worker of the asked queue is alive (used by `imp doctor`)."""

from typing import Any

from core.running_job import RunningJob
from workers.context import Context


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    return {"worker": context.worker}
