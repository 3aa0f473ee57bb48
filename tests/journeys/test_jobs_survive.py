"""No job is lost and no effect happens twice, whatever dies: workers, Redis, Postgres.

Real servers, real Celery processes. Each effect is written behind the job's fence, in the transaction that
saves its checkpoint; the table that counts them has no constraint that could hide a second one.
"""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from core import jobs
from core.db import SessionFactory, make_engine, make_session_factory
from core.doorbell import CeleryBell, SilentBell
from core.job_kinds import KINDS, JobKind
from migrations import schema
from tests.journeys import chaos_job
from tests.journeys.machinery import Crew, PostgresServer, RedisServer, wait_until

KEYS_LEFT = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')"


@pytest.fixture(scope="module")
def postgres(
    tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path_factory.mktemp("postgres-home"), free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def engine(postgres: PostgresServer) -> Iterator[Engine]:
    engine = make_engine(postgres.url)
    schema.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text(chaos_job.TABLES))
    yield engine
    engine.dispose()


@pytest.fixture
def redis(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path, free_port())
    server.start()
    yield server
    server.kill()


@pytest.fixture
def crew(tmp_path: Path, engine: Engine, postgres: PostgresServer, redis: RedisServer) -> Iterator[Crew]:
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE jobs, effects, runs, mended"))
    crew = Crew(tmp_path, postgres.url, redis.url)
    yield crew
    sys.stderr.write(crew.tails())  # shown by pytest where the test failed
    crew.kill_all()


class Office:
    """Writes jobs as the product does, and looks at what became of them."""

    def __init__(self, factory: SessionFactory) -> None:
        self._factory = factory

    def enqueue(self, *keys: str, queue: str | None = None, **args: Any) -> list[int]:
        args = {"steps": 1, "step_s": 0.0, **args}
        with self._factory.begin() as session:
            return [jobs.enqueue(session, "chaos", key, queue=queue, **args) for key in keys]

    def ask(self, statement: str, **values: Any) -> list[Any]:
        with self._factory.begin() as session:
            return list(session.execute(text(statement), values))

    def job(self, job_id: int) -> Any:
        return self.ask("SELECT * FROM jobs WHERE id = :id", id=job_id)[0]

    def do(self, action: Callable[..., Any], job_id: int) -> None:
        with self._factory.begin() as session:
            action(session, job_id)

    def n_effects(self) -> int:
        return int(self.ask("SELECT count(*) AS n FROM effects")[0].n)

    def all_ended(self) -> bool:
        return self.ask(KEYS_LEFT)[0].count == 0

    def wait_done(self, timeout_s: float) -> None:
        wait_until(self.all_ended, "all jobs ended", timeout_s=timeout_s)

    def assert_each_once(self, keys: list[str], steps: int) -> None:
        """Every step of every key left exactly one effect, and every job is done."""
        found = Counter((row.key, row.step) for row in self.ask("SELECT key, step FROM effects"))
        assert found == Counter((key, step) for key in keys for step in range(steps))
        states = self.ask("SELECT state, count(*) AS n FROM jobs GROUP BY state")
        assert {row.state: row.n for row in states} == {"done": len(keys)}


@pytest.fixture
def office(engine: Engine, redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setitem(KINDS, "chaos", JobKind("chaos", "sync", max_attempts=3))
    return Office(make_session_factory(engine, doorbell=CeleryBell(redis.url)))


@pytest.fixture
def silent_office(engine: Engine, office: Office) -> Office:
    """Nobody is rung for its jobs; only the sweep can find them."""
    return Office(make_session_factory(engine, doorbell=SilentBell()))


def n_keys(n: int) -> list[str]:
    return [f"k{i}" for i in range(n)]


# Workers die


def test_another_worker_goes_on_from_the_checkpoint_after_kill_9(crew: Crew, office: Office) -> None:
    (job_id,) = office.enqueue("long", steps=10, step_s=0.15)
    workers = {worker.pid: worker for worker in crew.start(2)}
    wait_until(lambda: office.n_effects() >= 4, "four steps", timeout_s=30)
    victim = workers[int(office.job(job_id).worker.split(":")[1])]
    victim.kill()
    killed_at = time.monotonic()
    office.wait_done(20)
    assert time.monotonic() - killed_at < 12
    office.assert_each_once(["long"], 10)
    assert len(office.ask("SELECT DISTINCT worker FROM effects")) == 2
    assert office.job(job_id).attempts == 2


def test_a_frozen_worker_that_wakes_up_finds_its_claim_gone(crew: Crew, office: Office) -> None:
    office.enqueue(*n_keys(4), steps=8, step_s=0.2)
    first = crew.start(1, threads=4)[0]
    wait_until(lambda: office.n_effects() >= 8, "eight steps", timeout_s=30)
    wait_until(lambda: _frozen_outside_a_transaction(first, office), "a quiet moment", timeout_s=20)
    crew.start(1, threads=4)
    office.wait_done(30)
    first.send_signal(signal.SIGCONT)
    time.sleep(1.5)
    office.assert_each_once(n_keys(4), 8)


def _frozen_outside_a_transaction(worker: subprocess.Popen[bytes], office: Office) -> bool:
    """Stop the process; inside a transaction it would keep its row's lock until Postgres ends its session."""
    worker.send_signal(signal.SIGSTOP)
    time.sleep(0.1)
    if not office.ask("SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"):
        return True
    worker.send_signal(signal.SIGCONT)
    return False


def test_sigterm_drains_checkpoint_put_back_attempt_not_counted(crew: Crew, office: Office) -> None:
    office.enqueue(*n_keys(3), steps=30, step_s=0.1)
    worker = crew.start(1, threads=2)[0]
    wait_until(lambda: office.n_effects() >= 6, "six steps", timeout_s=30)
    worker.terminate()
    assert worker.wait(6) == 0
    waiting = office.ask("SELECT state, attempts, checkpoint FROM jobs")
    assert {(row.state, row.attempts) for row in waiting} == {("queued", 0)}
    n_before = office.n_effects()
    assert sum(row.checkpoint.get("step", 0) for row in waiting) == n_before
    crew.start(1, threads=4)
    office.wait_done(30)
    office.assert_each_once(n_keys(3), 30)


def test_sigterm_lets_a_step_end_that_cannot_stop(crew: Crew, office: Office) -> None:
    office.enqueue("slow", steps=1, step_s=2.0)
    worker = crew.start(1)[0]
    wait_until(lambda: office.ask("SELECT 1 FROM runs"), "the job runs", timeout_s=30)
    worker.terminate()
    assert worker.wait(8) == 0
    office.assert_each_once(["slow"], 1)


def test_a_job_that_kills_its_workers_gives_up_and_leaves_the_others_alone(
    crew: Crew, office: Office
) -> None:
    (poison,) = office.enqueue("poison", fault="die")
    office.enqueue(*n_keys(5))
    workers = crew.start(2, threads=1)

    def has_ended() -> bool:
        for worker in workers[-2:]:
            if worker.poll() is not None:
                workers.remove(worker)
                workers.extend(crew.start(1, threads=1))
        return office.all_ended()

    wait_until(has_ended, "the poison gave up", timeout_s=45, every_s=0.2)
    found = office.job(poison)
    assert (found.state, found.attempts) == ("failed", 3)
    assert found.error == "gave up after 3 attempts: the worker died."
    assert len(office.ask("SELECT 1 FROM runs WHERE key = 'poison'")) == 3
    assert Counter(row.key for row in office.ask("SELECT key FROM effects")) == Counter(n_keys(5))


# Redis fails


def test_200_jobs_survive_a_flushed_redis(crew: Crew, office: Office, redis: RedisServer) -> None:
    office.enqueue(*n_keys(200), step_s=0.02)
    redis.flush()
    crew.start(2, threads=4)
    wait_until(lambda: office.n_effects() >= 20, "twenty jobs", timeout_s=30)
    redis.flush()
    office.wait_done(45)
    office.assert_each_once(n_keys(200), 1)
    redis.flush()
    office.enqueue("later")
    office.wait_done(2)  # a flush does not unhook the workers: this ring arrives without any sweep's help


def test_workers_come_back_to_a_redis_that_died(crew: Crew, office: Office, redis: RedisServer) -> None:
    office.enqueue(*n_keys(40), steps=4, step_s=0.1)
    workers = crew.start(2, threads=2)
    wait_until(lambda: office.n_effects() >= 10, "ten steps", timeout_s=30)
    redis.kill()
    began = time.monotonic()
    office.enqueue("while away")
    assert time.monotonic() - began < 1.0
    time.sleep(3)
    redis.start()
    office.wait_done(45)
    steps = Counter(row.key for row in office.ask("SELECT key FROM effects"))
    assert steps == Counter(dict.fromkeys(n_keys(40), 4) | {"while away": 1})
    assert all(worker.poll() is None for worker in workers)


def test_jobs_enqueued_without_redis_start_once_it_is_there(
    crew: Crew, office: Office, redis: RedisServer
) -> None:
    redis.kill()
    began = time.monotonic()
    office.enqueue(*n_keys(30))
    assert time.monotonic() - began < 1.0
    crew.start(1)
    time.sleep(3)  # the worker knocks in vain
    redis.start()
    office.wait_done(30)
    office.assert_each_once(n_keys(30), 1)


def test_a_frozen_redis_holds_up_nobody(crew: Crew, office: Office, redis: RedisServer) -> None:
    office.enqueue("first")
    worker = crew.start(1)[0]
    office.wait_done(30)
    redis.freeze()
    began = time.monotonic()
    office.enqueue(*n_keys(30))
    assert time.monotonic() - began < 4
    worker.terminate()
    assert worker.wait(15) == 0
    redis.kill()
    redis.start()
    crew.start(1)
    office.wait_done(30)
    office.assert_each_once(["first", *n_keys(30)], 1)


def test_the_sweep_does_not_wait_behind_long_jobs(crew: Crew, office: Office, silent_office: Office) -> None:
    office.enqueue("long", steps=1, step_s=60.0)
    crew.start(1, queues="sync", threads=1)
    crew.start(1, queues="ask", threads=1)
    wait_until(lambda: office.ask("SELECT 1 FROM runs"), "the long job runs", timeout_s=30)
    silent_office.enqueue("forgotten", queue="ask")
    wait_until(lambda: office.ask("SELECT 1 FROM effects WHERE key = 'forgotten'"), "it ran", timeout_s=15)


# Postgres fails


def _postgres_goes_away(
    crew: Crew, office: Office, postgres: PostgresServer, how: signal.Signals, away_s: float
) -> None:
    office.enqueue(*n_keys(40), steps=5, step_s=0.1)
    workers = crew.start(2, threads=3)
    wait_until(lambda: office.n_effects() >= 30, "thirty steps", timeout_s=30)
    postgres.stop(how)
    time.sleep(away_s)
    postgres.start()
    office.wait_done(40)
    office.assert_each_once(n_keys(40), 5)
    assert all(worker.poll() is None for worker in workers)


@pytest.mark.parametrize(
    ("how", "away_s"), [(signal.SIGINT, 8.0), (signal.SIGQUIT, 3.0)], ids=["fast", "power"]
)
def test_postgres_stops_and_comes_back(
    crew: Crew, office: Office, postgres: PostgresServer, how: signal.Signals, away_s: float
) -> None:
    _postgres_goes_away(crew, office, postgres, how, away_s)


@pytest.mark.slow
def test_postgres_away_for_20_s(crew: Crew, office: Office, postgres: PostgresServer) -> None:
    _postgres_goes_away(crew, office, postgres, signal.SIGINT, 20.0)


# Doubles, poison, cancellation


def test_jobs_rung_five_times_run_once_whoever_hears_it(
    crew: Crew, office: Office, redis: RedisServer
) -> None:
    ids = office.enqueue(*n_keys(30), step_s=0.05)
    bell = CeleryBell(redis.url)
    for _ in range(4):
        for job_id in ids:
            assert bell.ring("chaos", "sync", job_id)
    crew.start(2, threads=4)
    office.wait_done(40)
    wait_until(lambda: bell.depth("sync") == 0, "all rings heard", timeout_s=20)
    time.sleep(0.5)
    assert Counter(row.key for row in office.ask("SELECT key FROM runs")) == Counter(n_keys(30))
    office.assert_each_once(n_keys(30), 1)


def test_poison_stays_visible_with_its_error_and_runs_again_on_retry(crew: Crew, office: Office) -> None:
    bad, crash = office.enqueue("bad", fault="bad")[0], office.enqueue("crash", fault="crash")[0]
    crew.start(1)
    office.wait_done(30)
    assert (office.job(bad).state, office.job(bad).attempts) == ("failed", 1)
    assert office.job(bad).error == "page 7 cannot be read: mend it"
    assert (office.job(crash).state, office.job(crash).attempts) == ("failed", 3)
    assert "ZeroDivisionError" in office.job(crash).error and "text of a page" not in office.job(crash).error
    office.ask("INSERT INTO mended VALUES ('bad'), ('crash') RETURNING key")
    for job_id in (bad, crash):
        office.do(jobs.retry, job_id)
    office.wait_done(10)
    office.assert_each_once(["bad", "crash"], 1)
    assert office.job(crash).error is None


def test_a_running_job_stops_when_cancelled_and_keeps_what_it_did(crew: Crew, office: Office) -> None:
    running, waiting = office.enqueue("running", "waiting", steps=100, step_s=0.1)
    crew.start(1, threads=1)
    wait_until(lambda: office.n_effects() >= 3, "three steps", timeout_s=30)
    for job_id in (running, waiting):
        office.do(jobs.cancel, job_id)
    office.wait_done(5)
    assert [office.job(job_id).state for job_id in (running, waiting)] == ["cancelled", "cancelled"]
    assert office.job(running).checkpoint["step"] == office.n_effects() < 50
    assert not office.ask("SELECT 1 FROM runs WHERE key = 'waiting'")
