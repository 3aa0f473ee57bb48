"""How fast a site is asked: so many at once, a pause for everybody, one pace for all processes, and none without Redis."""

import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from redis import Redis

from connectors.confluence import pace as pace_module
from connectors.confluence.client import USER_AGENT, ConfluenceClient, nothing
from connectors.confluence.pace import Limits, Pace, Verdict
from connectors.confluence.refusals import asked_pause_s
from connectors.confluence.shared_pace import SharedPace
from core.errors import RateLimited
from tests.workers.confluence_site import ROOT, SERVICE_EMAIL, SERVICE_TOKEN, StandIn

SITE = "http://site.example/wiki"
Make = Callable[[], Pace]


@pytest.fixture(params=["own", "shared"])
def make(request: pytest.FixtureRequest, redis_url: str) -> Make:
    """Paces of one site: each call is what another worker holds, but for `own`, which shares nothing."""
    limits = Limits(rate=10_000, at_once=8)
    if request.param == "own":
        pace = Pace(limits)
        return lambda: pace
    Redis.from_url(redis_url).flushdb()
    return lambda: SharedPace(SITE, redis_url, limits)


@pytest.fixture(autouse=True)
def _every_complaint_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "SHRINK_EVERY_S", 0.0)
    monkeypatch.setattr("connectors.confluence.shared_pace.SHRINK_EVERY_S", 0.0)


def ask(pace: Pace, verdict: Verdict = Verdict.WELL) -> None:
    pace.done(pace.take(nothing, 1.0), verdict)


def test_complaints_shrink_and_answers_grow_again(make: Make) -> None:
    first, second = make(), make()
    ask(first, Verdict.REFUSED)
    assert second.at_once == 4
    ask(second, Verdict.FAILED)
    assert first.at_once == pytest.approx(3.2)
    for _ in range(10):
        ask(first, Verdict.REFUSED)
    assert second.at_once == 1
    ask(second)
    assert first.at_once == 2
    for _ in range(100):
        ask(first)
    assert second.at_once == 8


def test_no_more_are_out_than_may_be(make: Make) -> None:
    first, second = make(), make()
    out = [pace.take(nothing, 1.0) for pace in (first, second) * 4]
    asked = []

    def give_up() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        first.take(give_up, 1.0)
    second.done(out[0], Verdict.WELL)
    second.done(first.take(nothing, 1.0), Verdict.WELL)


def test_a_pause_holds_for_everyone_and_a_long_one_is_not_waited_for(make: Make) -> None:
    first, second = make(), make()
    first.pause(0.3)
    started = time.monotonic()
    ask(second)
    assert time.monotonic() - started >= 0.29
    first.pause(300)
    second.pause(1)
    with pytest.raises(RateLimited) as caught:
        second.take(nothing, 60.0)
    assert 290 < (caught.value.retry_after_s or 0) <= 300


def test_the_bucket_holds_a_burst_and_fills_at_the_rate(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    pace = make()
    pace.limits = Limits(rate=20, at_once=8)
    for _ in range(20):
        ask(pace)
    started = time.monotonic()
    for _ in range(4):
        ask(pace)
    assert time.monotonic() - started >= 0.12


def test_a_worker_that_died_gives_its_place_back(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Redis.from_url(redis_url).flushdb()
    monkeypatch.setattr("connectors.confluence.shared_pace.LEASE_S", 1)
    dead = SharedPace(SITE, redis_url, Limits(rate=100, at_once=1))
    dead.take(nothing, 1.0)
    ask(SharedPace(SITE, redis_url, Limits(rate=100, at_once=1)))


def test_without_redis_each_process_keeps_its_own(free_port: Callable[[], int]) -> None:
    pace = SharedPace(SITE, f"redis://127.0.0.1:{free_port()}/0", Limits(rate=100, at_once=4))
    started = time.monotonic()
    ask(pace, Verdict.REFUSED)
    pace.pause(0.2)
    ask(pace)
    assert 0.19 <= time.monotonic() - started < 3
    assert pace.at_once == 2.5


CHILD = """
import sys, time
from connectors.confluence import reading
from connectors.confluence.client import ConfluenceClient
from connectors.confluence.shared_pace import pace_of
url, redis_url, email, token = sys.argv[1:]
client = ConfluenceClient(url, username=email, api_token=token, pace=pace_of(url, redis_url))
print("ready", flush=True)
for _ in iter(sys.stdin.readline, ""):
    print(len(reading.spaces(client)), flush=True)
"""


def test_two_processes_keep_the_pause_one_of_them_was_asked_for(
    free_port: Callable[[], int], redis_url: str
) -> None:
    Redis.from_url(redis_url).flushdb()
    site = StandIn(free_port())
    argv = [sys.executable, "-c", CHILD, f"{site.url}/wiki", redis_url, SERVICE_EMAIL, SERVICE_TOKEN]
    children = [
        subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        for child in children:
            assert child.stdout is not None and child.stdout.readline() == "ready\n"
        site.faults({"kind": "rate_limit", "retry_after": "seconds", "seconds": 2, "count": 1})
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
            while not site.requests():  # the second starts when the first has been refused
                time.sleep(0.01)
            time.sleep(0.2)
        assert [child.stdout.readline() for child in children if child.stdout] == ["6\n", "6\n"]
        log = site.requests()
        refused = next(one for one in log if one["status"] == 429)
        later = [one["at"] - refused["at"] for one in log if one is not refused]
        assert len(later) >= 2 and min(later) >= 1.9
    finally:
        for child in children:
            child.kill()
            child.wait(5)
        site.stop()


def test_cloud_tells_when_there_is_quota_again() -> None:
    from datetime import UTC, datetime, timedelta

    from requests import Response

    response = Response()
    response.status_code = 429
    response.headers["X-RateLimit-Reset"] = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
    assert asked_pause_s(response) == pytest.approx(30, abs=2)
    response.headers["X-RateLimit-Reset"] = "1700000000"
    assert asked_pause_s(response) is None
    response.headers["Retry-After"] = "7"
    assert asked_pause_s(response) == 7


def test_we_say_who_we_are() -> None:
    client = ConfluenceClient(SITE, username="a", api_token="b")
    assert client._session.headers["User-Agent"] == USER_AGENT
    assert "Confluence sync" in USER_AGENT
    client.close()
