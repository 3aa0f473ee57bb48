"""The job table alone: who may take a row, who may write it, when it is rung, how it ends."""

import threading
from typing import Any

import pytest
from sqlalchemy import text

from core import jobs
from core.db import SessionFactory
from core.errors import ClaimLost, NotFound
from core.job_kinds import KINDS, QUEUES
from core.jobs import Claimed
from tests.core.conftest import HeardBell

STALE_S = 30.0


def enqueue(factory: SessionFactory, key: str = "7", *, kind: str = "sync_page", **args: Any) -> int:
    with factory.begin() as session:
        return jobs.enqueue(session, kind, key, **args)


def claim(factory: SessionFactory, job_id: int, worker: str = "a") -> Claimed | None:
    with factory.begin() as session:
        return jobs.claim(session, job_id, worker=worker, stale_s=STALE_S)


def taken(factory: SessionFactory, job_id: int, worker: str = "a") -> Claimed:
    claimed = claim(factory, job_id, worker)
    assert claimed is not None
    return claimed


def row(factory: SessionFactory, job_id: int) -> Any:
    with factory() as session:
        return session.execute(text("SELECT * FROM jobs WHERE id = :id"), {"id": job_id}).one()


def rows_of(factory: SessionFactory, key: str) -> list[Any]:
    with factory() as session:
        return list(session.execute(text("SELECT * FROM jobs WHERE key = :key ORDER BY id"), {"key": key}))


def age(factory: SessionFactory, job_id: int, column: str, seconds: float) -> None:
    """Let `seconds` pass for one timestamp of the row."""
    with factory.begin() as session:
        session.execute(
            text(f"UPDATE jobs SET {column} = {column} - make_interval(secs => :s) WHERE id = :id"),
            {"s": seconds, "id": job_id},
        )


def die(factory: SessionFactory, job_id: int) -> None:
    """The worker's last sign of life lies longer back than anybody waits."""
    age(factory, job_id, "heartbeat_at", STALE_S + 1)


def sweep(factory: SessionFactory, bell: HeardBell) -> list[int]:
    """Sweep once; the ids that were rung."""
    bell.rings.clear()
    with factory.begin() as session:
        jobs.sweep(session, bell, stale_s=STALE_S, queues=QUEUES)
    return [job_id for _, _, job_id in bell.rings]


# Enqueue


def test_a_new_job_waits_and_is_rung_once_committed(factory: SessionFactory, bell: HeardBell) -> None:
    with factory.begin() as session:
        job_id = jobs.enqueue(session, "sync_page", "7", page_id="12")
        assert bell.rings == []
    assert bell.rings == [("sync_page", "sync", job_id)]
    found = row(factory, job_id)
    assert (found.state, found.args, found.attempts) == ("queued", {"page_id": "12"}, 0)
    assert found.max_attempts == KINDS["sync_page"].max_attempts


def test_a_queued_key_keeps_one_row_with_the_newest_args(factory: SessionFactory, bell: HeardBell) -> None:
    first = enqueue(factory, page_id="1")
    assert enqueue(factory, page_id="2") == first
    assert [found.args for found in rows_of(factory, "7")] == [{"page_id": "2"}]


def test_another_key_or_kind_is_another_job(factory: SessionFactory) -> None:
    ids = {enqueue(factory, "7"), enqueue(factory, "8"), enqueue(factory, "7", kind="index_document")}
    assert len(ids) == 3


def test_a_delayed_job_is_neither_rung_nor_taken_early(factory: SessionFactory, bell: HeardBell) -> None:
    job_id = enqueue(factory, delay_s=60)
    assert bell.rings == [] and claim(factory, job_id) is None and sweep(factory, bell) == []
    age(factory, job_id, "run_after", 61)
    assert sweep(factory, bell) == []  # rung_at says it was rung when due: the pause must pass
    age(factory, job_id, "rung_at", 62)
    assert sweep(factory, bell) == [job_id]
    assert taken(factory, job_id).attempt == 1


def test_asking_again_without_delay_makes_a_delayed_job_due(factory: SessionFactory, bell: HeardBell) -> None:
    job_id = enqueue(factory, delay_s=60)
    assert enqueue(factory) == job_id and [ring[2] for ring in bell.rings] == [job_id]
    assert claim(factory, job_id) is not None


def test_a_running_key_runs_once_more_with_the_newest_args(factory: SessionFactory, bell: HeardBell) -> None:
    first = enqueue(factory, version=1)
    running = taken(factory, first)
    for version in (2, 3):
        assert enqueue(factory, version=version) == first
    with factory.begin() as session:
        jobs.close(session, running, state="done")
    ended, waiting = rows_of(factory, "7")
    assert (ended.id, ended.state) == (first, "done")
    assert (waiting.state, waiting.args, waiting.is_due_again) == ("queued", {"version": 3}, False)
    again = taken(factory, waiting.id)
    with factory.begin() as session:
        jobs.close(session, again, state="done")
    assert [found.state for found in rows_of(factory, "7")] == ["done", "done"]


@pytest.mark.parametrize("ending", ["put_back", "gave_up", "cancelled"])
def test_asked_for_while_running_survives_every_ending(
    factory: SessionFactory, bell: HeardBell, ending: str
) -> None:
    job_id = enqueue(factory, version=1)
    running = taken(factory, job_id)
    if ending == "cancelled":
        with factory.begin() as session:
            jobs.cancel(session, job_id)
    enqueue(factory, version=2)
    with factory.begin() as session:
        if ending == "put_back":
            jobs.put_back(session, running, error=None, delay_s=0)
        elif ending == "cancelled":
            jobs.close(session, running, state="cancelled")
        else:
            session.execute(text("UPDATE jobs SET attempts = max_attempts"))
    if ending == "gave_up":
        die(factory, job_id)
        sweep(factory, bell)
    (waiting,) = [found for found in rows_of(factory, "7") if found.state == "queued"]
    assert waiting.args == {"version": 2}
    assert taken(factory, waiting.id).args == {"version": 2}


def test_cancelling_also_cancels_the_run_asked_for_before(factory: SessionFactory) -> None:
    job_id = enqueue(factory)
    running = taken(factory, job_id)
    enqueue(factory)
    with factory.begin() as session:
        assert jobs.cancel(session, job_id) == "running"
    with factory.begin() as session:
        jobs.close(session, running, state="cancelled")
    assert [found.state for found in rows_of(factory, "7")] == ["cancelled"]


def test_arguments_are_plain(factory: SessionFactory) -> None:
    with pytest.raises(TypeError, match="ids and scalars"):
        enqueue(factory, pages={1, 2})


# Rings


def test_no_ring_after_rollback(factory: SessionFactory, bell: HeardBell) -> None:
    with factory() as session:
        jobs.enqueue(session, "sync_page", "gone")
        session.rollback()
        jobs.enqueue(session, "sync_page", "kept")
        session.commit()
    assert [ring[2] for ring in bell.rings] == [rows_of(factory, "kept")[0].id]


def test_no_ring_for_a_session_that_was_closed_without_commit(
    factory: SessionFactory, bell: HeardBell
) -> None:
    session = factory()
    jobs.enqueue(session, "sync_page", "gone")
    session.close()
    session.execute(text("SELECT 1"))
    session.commit()
    assert bell.rings == []


def test_savepoints_ring_with_the_outer_commit_and_only_what_they_kept(
    factory: SessionFactory, bell: HeardBell
) -> None:
    with factory() as session:
        jobs.enqueue(session, "sync_page", "before")
        with session.begin_nested():
            jobs.enqueue(session, "sync_page", "released")
        outer = session.begin_nested()
        jobs.enqueue(session, "sync_page", "undone")
        with session.begin_nested():
            jobs.enqueue(session, "sync_page", "undone with its parent")
        outer.rollback()
        jobs.enqueue(session, "sync_page", "after")
        assert bell.rings == []
        session.commit()
    kept = [rows_of(factory, key)[0].id for key in ("before", "released", "after")]
    assert [ring[2] for ring in bell.rings] == kept


def test_a_failed_savepoint_keeps_the_rings_before_it(factory: SessionFactory, bell: HeardBell) -> None:
    with factory.begin() as session:
        job_id = jobs.enqueue(session, "sync_page", "7")
        with pytest.raises(TypeError), session.begin_nested():
            jobs.enqueue(session, "sync_page", "8", page_ids={1, 2})
    assert [ring[2] for ring in bell.rings] == [job_id]


def test_a_commit_does_not_wait_for_many_lost_rings(factory: SessionFactory, bell: HeardBell) -> None:
    bell.is_broken = True
    with factory.begin() as session:
        for key in range(20):
            jobs.enqueue(session, "sync_page", str(key))
    assert len(bell.rings) == 1


# Claims


def test_a_claim_counts_the_attempt_and_carries_the_row(factory: SessionFactory) -> None:
    job_id = enqueue(factory, page_id="1")
    claimed = taken(factory, job_id, worker="host:1")
    assert (claimed.kind, claimed.key, claimed.args, claimed.attempt) == (
        "sync_page",
        "7",
        {"page_id": "1"},
        1,
    )
    found = row(factory, job_id)
    assert (found.state, found.worker, found.claim) == ("running", "host:1", claimed.claim)
    assert claim(factory, job_id) is None


def test_of_two_sessions_that_race_one_wins_at_once(factory: SessionFactory) -> None:
    job_id = enqueue(factory)
    with factory.begin() as first, factory.begin() as second:
        assert jobs.claim(first, job_id, worker="a", stale_s=STALE_S) is not None
        second.execute(text("SET LOCAL lock_timeout = '1s'"))
        assert jobs.claim(second, job_id, worker="b", stale_s=STALE_S) is None
    assert row(factory, job_id).worker == "a"


def test_of_many_threads_that_race_one_wins(factory: SessionFactory) -> None:
    for round_ in range(10):
        job_id = enqueue(factory, str(round_))
        start, wins = threading.Barrier(6), []

        def race(name: str, job_id: int = job_id, start: Any = start, wins: list[str] = wins) -> None:
            start.wait(10)
            if claim(factory, job_id, name) is not None:
                wins.append(name)

        threads = [threading.Thread(target=race, args=(f"w{n}",)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert wins == [row(factory, job_id).worker]


def test_a_silent_worker_loses_its_row_a_beating_one_keeps_it(factory: SessionFactory) -> None:
    job_id = enqueue(factory)
    first = taken(factory, job_id, "a")
    die(factory, job_id)
    with factory.begin() as session:
        assert jobs.beat(session, first) is False
    assert claim(factory, job_id, "b") is None
    die(factory, job_id)
    assert taken(factory, job_id, "b").attempt == 2


def test_a_lost_claim_can_write_nothing(factory: SessionFactory) -> None:
    job_id = enqueue(factory)
    first = taken(factory, job_id, "a")
    with factory.begin() as session:
        jobs.save_checkpoint(session, first, {"window": 3})
    die(factory, job_id)
    second = taken(factory, job_id, "b")
    assert second.checkpoint == {"window": 3}
    before = row(factory, job_id)
    for write in (
        lambda s: jobs.beat(s, first),
        lambda s: jobs.fence(s, first),
        lambda s: jobs.save_checkpoint(s, first, {"window": 99}),
        lambda s: jobs.save_progress(s, first, {"done": 99}),
        lambda s: jobs.close(s, first, state="done", outcome={"by": "a"}),
        lambda s: jobs.put_back(s, first, error="a", delay_s=0),
    ):
        with pytest.raises(ClaimLost), factory.begin() as session:
            write(session)
        assert row(factory, job_id) == before
    with factory.begin() as session:
        jobs.close(session, second, state="done", outcome={"by": "b"})
    assert row(factory, job_id).outcome == {"by": "b"}


def test_nobody_takes_the_row_while_a_fenced_transaction_writes(
    factory: SessionFactory, bell: HeardBell
) -> None:
    """However old the heartbeat looks: who holds the fence is alive, and sweeping does not wait for it."""
    job_id, other = enqueue(factory), enqueue(factory, "other")
    first = taken(factory, job_id)
    with factory.begin() as session:
        session.execute(
            text("UPDATE jobs SET attempts = max_attempts, rung_at = rung_at - interval '1 hour'")
        )
        session.execute(text("UPDATE jobs SET attempts = 0 WHERE id = :id"), {"id": other})
    die(factory, job_id)
    with factory.begin() as writing, factory.begin() as rival:
        jobs.fence(writing, first)
        rival.execute(text("SET LOCAL lock_timeout = '1s'"))
        assert jobs.claim(rival, job_id, worker="b", stale_s=STALE_S) is None
        jobs.sweep(rival, bell, stale_s=STALE_S, queues=QUEUES)
        jobs.save_checkpoint(writing, first, {"window": 1})
    assert row(factory, job_id).state == "running"
    assert claim(factory, job_id, "b") is None


def test_a_beat_that_waited_tells_the_time_of_its_writing(factory: SessionFactory) -> None:
    job_id = enqueue(factory)
    running = taken(factory, job_id)
    with factory.begin() as writing:
        jobs.fence(writing, running)
        thread = threading.Thread(target=lambda: _beat(factory, running))
        thread.start()
        writing.execute(text("SELECT pg_sleep(0.6)"))
        ended = writing.execute(text("SELECT clock_timestamp()")).scalar_one()
    thread.join(10)
    assert row(factory, job_id).heartbeat_at >= ended


def _beat(factory: SessionFactory, claimed: Claimed) -> None:
    with factory.begin() as session:
        jobs.beat(session, claimed)


# Endings


def test_done_keeps_its_outcome_and_cannot_be_taken_again(factory: SessionFactory, bell: HeardBell) -> None:
    job_id = enqueue(factory)
    running = taken(factory, job_id)
    with factory.begin() as session:
        jobs.close(session, running, state="done", outcome={"n_pages": 3})
    found = row(factory, job_id)
    assert (found.state, found.outcome, found.claim) == ("done", {"n_pages": 3}, None)
    assert found.finished_at is not None
    assert claim(factory, job_id) is None and sweep(factory, bell) == []
    with pytest.raises(ClaimLost), factory.begin() as session:
        jobs.close(session, running, state="failed")


def test_put_back_waits_counts_and_keeps_the_checkpoint(factory: SessionFactory) -> None:
    job_id = enqueue(factory)
    running = taken(factory, job_id)
    with factory.begin() as session:
        jobs.save_checkpoint(session, running, {"cursor": "x"})
        jobs.put_back(session, running, error="the site is down", delay_s=50)
    found = row(factory, job_id)
    assert (found.state, found.error, found.attempts) == ("queued", "the site is down", 1)
    assert claim(factory, job_id) is None
    age(factory, job_id, "run_after", 51)
    again = taken(factory, job_id)
    assert (again.attempt, again.checkpoint) == (2, {"cursor": "x"})


def test_an_interrupted_attempt_is_free_and_rung_at_once(factory: SessionFactory, bell: HeardBell) -> None:
    job_id = enqueue(factory)
    for _ in range(KINDS["sync_page"].max_attempts + 2):
        running = taken(factory, job_id)
        bell.rings.clear()
        with factory.begin() as session:
            jobs.put_back(session, running, error=None, delay_s=0, is_free=True)
        assert [ring[2] for ring in bell.rings] == [job_id]
    assert row(factory, job_id).attempts == 0


def test_a_job_whose_worker_dies_each_time_gives_up(factory: SessionFactory, bell: HeardBell) -> None:
    job_id = enqueue(factory)
    for attempt in range(1, KINDS["sync_page"].max_attempts + 1):
        assert row(factory, job_id).state != "failed"
        assert taken(factory, job_id).attempt == attempt
        die(factory, job_id)
        sweep(factory, bell)
    found = row(factory, job_id)
    assert found.state == "failed" and found.finished_at is not None
    assert found.error.startswith(f"gave up after {found.max_attempts} attempts")
    assert claim(factory, job_id) is None


def test_retry_runs_a_failed_job_afresh_and_nothing_else(factory: SessionFactory, bell: HeardBell) -> None:
    job_id = enqueue(factory)
    with pytest.raises(NotFound), factory.begin() as session:
        jobs.retry(session, job_id)
    running = taken(factory, job_id)
    with factory.begin() as session:
        jobs.save_checkpoint(session, running, {"window": 2})
        jobs.close(session, running, state="failed", error="broken file")
    bell.rings.clear()
    with factory.begin() as session:
        jobs.retry(session, job_id)
    assert [ring[2] for ring in bell.rings] == [job_id]
    found = row(factory, job_id)
    assert (found.state, found.attempts, found.error, found.finished_at) == ("queued", 0, None, None)
    assert taken(factory, job_id).checkpoint == {"window": 2}


def test_retry_refuses_when_the_same_work_waits_already(factory: SessionFactory) -> None:
    failed = enqueue(factory)
    running = taken(factory, failed)
    with factory.begin() as session:
        jobs.close(session, running, state="failed", error="x")
    enqueue(factory)
    with pytest.raises(NotFound), factory.begin() as session:
        jobs.retry(session, failed)


def test_cancel_ends_a_waiting_job_and_asks_a_running_one(factory: SessionFactory, bell: HeardBell) -> None:
    waiting, running_id = enqueue(factory, "1"), enqueue(factory, "2")
    running = taken(factory, running_id)
    with factory.begin() as session:
        assert jobs.cancel(session, waiting) == "cancelled"
        assert jobs.cancel(session, running_id) == "running"
        assert jobs.beat(session, running) is True
    assert claim(factory, waiting) is None
    with pytest.raises(NotFound), factory.begin() as session:
        jobs.cancel(session, waiting)
    die(factory, running_id)
    assert claim(factory, running_id) is None
    sweep(factory, bell)
    assert row(factory, running_id).state == "cancelled"


# The sweep


def test_the_sweep_rings_an_empty_queue_again_but_not_at_once(
    factory: SessionFactory, bell: HeardBell
) -> None:
    job_id = enqueue(factory)
    assert sweep(factory, bell) == []
    age(factory, job_id, "rung_at", STALE_S)
    age(factory, job_id, "run_after", STALE_S)
    assert sweep(factory, bell) == [job_id]
    assert sweep(factory, bell) == []


def test_the_sweep_leaves_a_deep_queue_alone_until_the_ring_is_old(
    factory: SessionFactory, bell: HeardBell
) -> None:
    job_id = enqueue(factory)
    bell.depths["sync"] = 5_000
    for column in ("rung_at", "run_after"):
        age(factory, job_id, column, STALE_S)
    assert sweep(factory, bell) == []
    for column in ("rung_at", "run_after"):
        age(factory, job_id, column, jobs.RING_AGAIN_S)
    assert sweep(factory, bell) == [job_id]


@pytest.mark.parametrize("depth", [0, 5_000])
def test_the_sweep_rings_for_a_silent_worker_whatever_the_depth_but_does_not_pile_up(
    factory: SessionFactory, bell: HeardBell, depth: int
) -> None:
    job_id = enqueue(factory)
    taken(factory, job_id)
    age(factory, job_id, "rung_at", STALE_S + 1)
    bell.depths["sync"] = depth
    assert sweep(factory, bell) == []
    die(factory, job_id)
    assert sweep(factory, bell) == [job_id]
    assert sweep(factory, bell) == []


def test_nothing_counts_as_rung_while_the_broker_is_away(factory: SessionFactory, bell: HeardBell) -> None:
    job_id = enqueue(factory)
    for column in ("rung_at", "run_after"):
        age(factory, job_id, column, STALE_S)
    bell.depths = dict.fromkeys(QUEUES)
    assert sweep(factory, bell) == []
    bell.depths.clear()
    assert sweep(factory, bell) == [job_id]


def test_a_kind_this_process_does_not_know_does_not_stop_the_sweep(
    factory: SessionFactory, bell: HeardBell
) -> None:
    alien, known = enqueue(factory, "1"), enqueue(factory, "2")
    taken(factory, alien)
    with factory.begin() as session:
        session.execute(
            text(
                "UPDATE jobs SET kind = 'of_a_newer_release', attempts = 99, is_due_again = true WHERE id = :id"
            ),
            {"id": alien},
        )
    die(factory, alien)
    age(factory, known, "rung_at", STALE_S)
    assert sweep(factory, bell) == [known]
    assert row(factory, alien).state == "failed"


def test_the_backoff_doubles_up_to_its_cap() -> None:
    for attempt, low, high in ((1, 1.0, 2.0), (2, 2.0, 4.0), (5, 16.0, 32.0), (60, 450.0, 900.0)):
        drawn = [jobs.backoff_s(attempt, 2.0) for _ in range(200)]
        assert low <= min(drawn) and max(drawn) <= high
        assert len({round(value, 6) for value in drawn}) > 100
