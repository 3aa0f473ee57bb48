"""A claimed job while it runs: its heartbeat, its checkpoints, and the three reasons to stop early.

Knows no job's meaning. One thread beats per running job; it also hears of cancellation and of a lost claim.
"""

import logging
import threading
import time
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core import jobs
from core.db import SessionFactory
from core.errors import Cancelled, ClaimLost, Interrupted
from core.jobs import Claimed

logger = logging.getLogger(__name__)

PROGRESS_EVERY_S = 1.0
draining = threading.Event()
"""Set once when this process was told to stop: running jobs end at their next `check()`."""


class RunningJob:
    """What a job function gets: its arguments, and a way to save, show and stop.

    Used as a context manager: the heartbeat runs inside the block.
    """

    def __init__(self, claimed: Claimed, factory: SessionFactory, *, heartbeat_s: float) -> None:
        self.claimed = claimed
        self.args: dict[str, Any] = claimed.args
        self.checkpoint: dict[str, Any] = claimed.checkpoint
        self._factory = factory
        self._heartbeat_s = heartbeat_s
        self._ended = threading.Event()
        self._is_lost = False
        self._is_cancelled = False
        self._progress_at = 0.0
        self._thread = threading.Thread(target=self._beat, name=f"beat-{claimed.id}", daemon=True)

    def __enter__(self) -> "RunningJob":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=self._heartbeat_s)

    def check(self) -> None:
        """Call between steps.

        Raises:
            ClaimLost: another worker has the job.
            Cancelled: a person asked to stop.
            Interrupted: this process is draining.
        """
        if self._is_lost:
            raise ClaimLost(f"job {self.claimed.id} was taken over by another worker")
        if self._is_cancelled:
            raise Cancelled("cancelled on request")
        if draining.is_set():
            raise Interrupted("the worker is shutting down")

    def fence(self, session: Session) -> None:
        """Make the caller's transaction the only writer of this job. Raises ClaimLost."""
        jobs.fence(session, self.claimed)

    def save(self, session: Session, **checkpoint: Any) -> None:
        """Save the checkpoint with the work it stands for, in one transaction. Raises ClaimLost."""
        self.checkpoint = {**self.checkpoint, **checkpoint}
        jobs.save_checkpoint(session, self.claimed, self.checkpoint)

    def progress(self, done: float, total: float | None, unit: str, **more: Any) -> None:
        """Show how far the work is; at most once a second, and never worth failing for."""
        now = time.monotonic()
        if now - self._progress_at < PROGRESS_EVERY_S and done != total:
            return
        self._progress_at = now
        try:
            with self._factory.begin() as session:
                jobs.save_progress(
                    session, self.claimed, {"done": done, "total": total, "unit": unit, **more}
                )
        except SQLAlchemyError as exc:
            logger.warning("progress_not_saved", extra={"why": type(exc).__name__})

    def _beat(self) -> None:
        while not self._ended.wait(self._heartbeat_s):
            try:
                with self._factory.begin() as session:
                    self._is_cancelled = jobs.beat(session, self.claimed) or self._is_cancelled
            except ClaimLost:
                self._is_lost = True
                return
            except SQLAlchemyError as exc:
                logger.warning(
                    "heartbeat_missed", extra={"job_id": self.claimed.id, "why": type(exc).__name__}
                )
