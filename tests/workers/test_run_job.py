"""The frame around every job: what each ending writes, and that Postgres may be away meanwhile."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError

from core import jobs
from core.db import SessionFactory, make_engine, make_session_factory
from core.doorbell import SilentBell
from core.errors import BadInput, Cancelled, ClaimLost, Interrupted, RateLimited, Unavailable
from core.job_kinds import KINDS
from core.running_job import RunningJob, draining
from core.settings import load_settings
from workers import run_job as frame
from workers.context import Context
from workers.run_job import Work, run_job


@pytest.fixture(scope="module")
def own_engine(make_database: Callable[[], str]) -> Iterator[Engine]:
    engine = make_engine(make_database())
    yield engine
    engine.dispose()


@pytest.fixture
def context(own_engine: Engine) -> Iterator[Context]:
    settings = load_settings(imp_heartbeat_s=0.05, imp_stale_s=1.0, imp_retry_base_s=8.0)
    yield Context(settings, make_session_factory(own_engine, doorbell=SilentBell()), SilentBell())
    draining.clear()
    with own_engine.begin() as connection:
        connection.execute(text("TRUNCATE jobs"))


def enqueue(factory: SessionFactory, kind: str = "sync_page") -> int:
    with factory.begin() as session:
        return jobs.enqueue(session, kind, "7", page_id="1")


def row(context: Context, job_id: int) -> Any:
    with context.factory() as session:
        return session.execute(
            text("SELECT *, extract(epoch FROM run_after - now())::float AS wait_s FROM jobs WHERE id = :id"),
            {"id": job_id},
        ).one()


def raising(exc: Exception) -> Work:
    def work(context: Context, job: RunningJob) -> dict[str, Any]:
        raise exc

    return work


def run(context: Context, work: Work) -> tuple[str, Any]:
    job_id = enqueue(context.factory)
    return run_job(context, job_id, work), row(context, job_id)


def test_done_keeps_the_outcome_and_a_second_ring_finds_nothing(context: Context) -> None:
    job_id = enqueue(context.factory)
    assert run_job(context, job_id, lambda _, job: {"page": job.args["page_id"]}) == "done"
    assert row(context, job_id).outcome == {"page": "1"}
    assert run_job(context, job_id, raising(AssertionError("must not run"))) == "not_claimed"


def test_a_passing_fault_is_tried_again_after_the_backoff(context: Context) -> None:
    status, found = run(context, raising(Unavailable("the site is down")))
    assert (status, found.state, found.attempts, found.error) == ("retry", "queued", 1, "the site is down")
    assert 3.0 < found.wait_s <= 8.0


@pytest.mark.parametrize(("asked_s", "waits_s"), [(42.0, 42.0), (0.0, 0.1), (86_400.0, jobs.MAX_BACKOFF_S)])
def test_the_pause_the_other_side_asked_for_is_kept_within_reason(
    context: Context, asked_s: float, waits_s: float
) -> None:
    status, found = run(context, raising(RateLimited("slower", retry_after_s=asked_s)))
    assert status == "retry" and waits_s - 2 < found.wait_s <= waits_s


def test_a_lasting_fault_fails_at_once(context: Context) -> None:
    status, found = run(context, raising(BadInput("no such sound")))
    assert (status, found.state, found.attempts, found.error) == ("failed", "failed", 1, "no such sound")


def test_tries_end(context: Context) -> None:
    job_id = enqueue(context.factory)
    for attempt in range(1, KINDS["sync_page"].max_attempts + 1):
        with context.factory.begin() as session:
            session.execute(text("UPDATE jobs SET run_after = now()"))
        status = run_job(context, job_id, raising(Unavailable("down")))
        assert status == ("failed" if attempt == KINDS["sync_page"].max_attempts else "retry")
    assert row(context, job_id).error == "down"


def test_a_crash_tells_its_type_but_not_its_text(context: Context) -> None:
    status, found = run(context, raising(ValueError("words of a meeting")))
    assert status == "retry" and "ValueError" in found.error and "meeting" not in found.error


def test_an_interrupted_job_waits_again_without_counting(context: Context) -> None:
    status, found = run(context, raising(Interrupted("draining")))
    assert (status, found.state, found.attempts, found.error) == ("interrupted", "queued", 0, None)


def test_a_draining_worker_hands_a_ring_on(context: Context) -> None:
    draining.set()
    status, found = run(context, raising(AssertionError("must not run")))
    assert (status, found.state, found.attempts) == ("interrupted", "queued", 0)


def test_a_cancelled_job_stops_at_its_next_check(context: Context) -> None:
    job_id = enqueue(context.factory)

    def work(context: Context, job: RunningJob) -> dict[str, Any]:
        with context.factory.begin() as session:
            jobs.cancel(session, job_id)
        for _ in range(100):
            threading.Event().wait(0.02)
            job.check()
        return {}

    assert run_job(context, job_id, work) == "cancelled"
    assert row(context, job_id).error == "cancelled on request"


@pytest.mark.parametrize("end", [None, ClaimLost("taken"), Cancelled("x"), BadInput("x"), Unavailable("x")])
def test_whoever_lost_the_claim_ends_nothing(context: Context, end: Exception | None) -> None:
    job_id = enqueue(context.factory)

    def work(context: Context, job: RunningJob) -> dict[str, Any]:
        with context.factory.begin() as session:
            session.execute(text("UPDATE jobs SET claim = 'of another', worker = 'b'"))
        if end is not None:
            raise end
        return {}

    assert run_job(context, job_id, work) == "lost"
    assert (row(context, job_id).state, row(context, job_id).worker) == ("running", "b")


class Outage:
    """Refuses the next `n` transactions of an engine as a stopped server does."""

    def __init__(self, engine: Engine) -> None:
        self.n = 0
        self._engine = engine
        event.listen(engine, "begin", self._refuse)

    def _refuse(self, _: object) -> None:
        if self.n > 0:
            self.n -= 1
            raise OperationalError("BEGIN", {}, ConnectionError("the server is away"))

    def end(self) -> None:
        event.remove(self._engine, "begin", self._refuse)


@pytest.fixture
def outage(own_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outage]:
    monkeypatch.setattr(frame, "CLOSE_PAUSE_S", 0.01)
    outage = Outage(own_engine)
    yield outage
    outage.end()


def test_a_ring_waits_for_postgres(context: Context, outage: Outage) -> None:
    job_id = enqueue(context.factory)
    outage.n = 3
    assert run_job(context, job_id, lambda *_: {}) == "done"


def test_an_ending_waits_for_postgres(context: Context, outage: Outage) -> None:
    job_id = enqueue(context.factory)

    def work(context: Context, job: RunningJob) -> dict[str, Any]:
        outage.n = 5
        return {"n": 1}

    assert run_job(context, job_id, work) == "done"
    assert (row(context, job_id).state, row(context, job_id).attempts) == ("done", 1)


def test_a_draining_worker_does_not_wait_for_postgres(
    context: Context, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame, "DRAIN_PATIENCE_S", 0.05)
    job_id = enqueue(context.factory)

    def work(context: Context, job: RunningJob) -> dict[str, Any]:
        outage.n = 10_000
        draining.set()
        return {}

    assert run_job(context, job_id, work) == "lost"
    outage.n = 0
    assert row(context, job_id).state == "running"  # and soon silent: the sweep gives it to another worker
