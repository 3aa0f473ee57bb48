"""The real Celery entry with one more kind of job: `celery -A tests.journeys.chaos_worker worker …`."""

from core.job_kinds import KINDS, JobKind
from workers.tasks import MODULES

CHAOS = JobKind("chaos", "sync", max_attempts=3)
KINDS[CHAOS.name] = CHAOS
MODULES[CHAOS.name] = "tests.journeys.chaos_job"

from workers.celery_app import app  # noqa: E402

__all__ = ["app"]
