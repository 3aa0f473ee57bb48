"""The sweep that rings for forgotten jobs again: a thread in every worker process.

No Celery task: that would wait behind the very jobs it has to rescue, and need the broker whose losses it
mends. Sweeps of several processes do not disturb each other (locked rows are skipped).
"""

import logging
import random
import threading

from sqlalchemy.exc import SQLAlchemyError

from core.running_job import draining
from workers import periodic
from workers.context import Context

logger = logging.getLogger(__name__)


def start_sweeping(context: Context) -> threading.Thread:
    """Sweep every `IMP_SWEEP_S` seconds (with jitter) until this process drains."""
    thread = threading.Thread(target=_sweep_on, args=(context,), name="sweep", daemon=True)
    thread.start()
    return thread


def _sweep_on(context: Context) -> None:
    while not draining.wait(context.settings.imp_sweep_s * random.uniform(0.8, 1.2)):
        try:
            periodic.sweep(context)
        except SQLAlchemyError as exc:
            logger.warning("sweep_missed", extra={"why": type(exc).__name__})
        except Exception:  # the thread's outer edge: without it every lost ring would stay lost
            logger.exception("sweep_crashed")
