"""The Celery worker's and beat's entry: `celery -A workers.celery_app worker -Q sync,io -P threads`.

Reads the settings once per process; jobs themselves are registered in `workers.tasks`.
"""

import atexit
import logging
import os
import sys
from threading import Thread

from celery.signals import worker_ready, worker_shutdown, worker_shutting_down

from core.doorbell import make_celery
from core.log import configure_logging
from core.running_job import draining
from core.settings import load_settings
from workers.context import make_context
from workers.schedule import beat_schedule
from workers.sweeper import start_sweeping
from workers.tasks import register

settings = load_settings()
configure_logging(log_format=settings.imp_log_format, level=settings.imp_log_level)
app = make_celery(settings.require_redis_url())
app.conf.beat_schedule = beat_schedule(settings)
context = make_context(settings)
register(app, context)


@worker_ready.connect  # type: ignore[untyped-decorator]
def _begin(**_: object) -> None:
    start_sweeping(context)
    if "ask" in app.amqp.queues.consume_from:
        # Somebody waits for the first question too: it must not wait for the model as well.
        Thread(target=context.warm_up, name="warm-up", daemon=True).start()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _drain(**_: object) -> None:
    draining.set()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def _leave_quickly(**_: object) -> None:
    atexit.register(_leave)


def _leave() -> None:
    """End at once when all jobs are put back: taking torch apart costs seconds and saves nothing of ours."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
