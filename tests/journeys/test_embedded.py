"""One folder, one command: what was acknowledged is there again whatever was killed.

The real supervisor with real Postgres, Redis, workers and beat, started and killed as a whole.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from core import jobs
from core.db import make_engine, make_session_factory
from core.doorbell import SilentBell
from tests.journeys.machinery import REPO, kill_tree, wait_until

HASTY = {"IMP_HEARTBEAT_S": "0.3", "IMP_STALE_S": "1.5", "IMP_SWEEP_S": "0.5", "OMP_NUM_THREADS": "1"}


class Installation:
    """A folder and the driver that runs on it."""

    def __init__(self, home: Path, *, prefix: Sequence[str] = (), env: dict[str, str] | None = None) -> None:
        self.home = home
        outer = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
        self._env = {**outer, **HASTY, "HOME": str(home), **(env or {})}
        self._prefix = prefix
        self._drivers: list[subprocess.Popen[str]] = []

    def launch(self) -> subprocess.Popen[str]:
        driver = subprocess.Popen(
            [*self._prefix, sys.executable, "-m", "tests.journeys.embedded_driver", str(self.home)],
            cwd=REPO,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._drivers.append(driver)
        return driver

    def start(self) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        """Launch and wait for what the driver tells of itself."""
        driver = self.launch()
        watchdog = threading.Timer(90, driver.kill)
        watchdog.start()
        assert driver.stdout is not None and driver.stderr is not None
        line = driver.stdout.readline()
        watchdog.cancel()
        assert line, driver.stderr.read()
        facts: dict[str, Any] = json.loads(line)
        return driver, facts

    def close(self) -> None:
        for driver in self._drivers:
            kill_tree(driver.pid)
            driver.communicate(timeout=10)


@pytest.fixture
def home() -> Iterator[Path]:
    """Short and world-traversable, as a home folder is."""
    path = Path(tempfile.mkdtemp(prefix="imp-home-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def installation(home: Path) -> Iterator[Installation]:
    installation = Installation(home)
    yield installation
    installation.close()


def ping(database_url: str) -> int:
    """A job that only the sweep knows of."""
    engine = make_engine(database_url)
    with make_session_factory(engine, doorbell=SilentBell()).begin() as session:
        job_id = jobs.enqueue(session, "ping", str(time.monotonic_ns()))
    engine.dispose()
    return job_id


def state_of(database_url: str, job_id: int) -> str:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT state FROM jobs WHERE id = %s", (job_id,)).fetchone()
    assert row is not None
    return str(row[0])


def wait_done(database_url: str, job_id: int) -> None:
    wait_until(lambda: state_of(database_url, job_id) == "done", "the ping", timeout_s=40, every_s=0.2)


def none_alive(pids: list[int]) -> Callable[[], bool]:
    def check() -> bool:
        return not any(psutil.pid_exists(p) and psutil.Process(p).status() != "zombie" for p in pids)

    return check


class Writer(threading.Thread):
    """Commits one number after the other and remembers what the server acknowledged."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self.acknowledged = 0

    def run(self) -> None:
        try:
            with psycopg.connect(self._url, autocommit=True) as connection:
                connection.execute("CREATE TABLE written (n int PRIMARY KEY)")
                while True:
                    connection.execute("INSERT INTO written VALUES (%s)", (self.acknowledged + 1,))
                    self.acknowledged += 1
        except psycopg.OperationalError:
            return


def processes_of(home: Path) -> list[psutil.Process]:
    """All that run with this folder in their command line, environment or as their working folder."""
    found = []
    for process in psutil.process_iter():
        try:
            traces = [*process.cmdline(), process.environ().get("IMP_HOME", ""), process.cwd()]
        except psutil.Error:
            continue
        if any(str(home) in trace for trace in traces):
            found.append(process)
    return found


def test_every_acknowledged_row_outlives_kill_9_of_everything(installation: Installation) -> None:
    driver, facts = installation.start()
    url = facts["database_url"]
    assert sorted(facts["pids"]) == ["beat", "postgres", "redis", "worker-ask", "worker-gpu", "worker-sync"]
    wait_done(url, ping(url))
    writer = Writer(url)
    writer.start()
    wait_until(lambda: writer.acknowledged > 300, "300 rows", timeout_s=30)
    left = ping(url)
    kill_tree(driver.pid)
    writer.join(10)
    assert not writer.is_alive()

    again, facts = installation.start()
    assert facts["database_url"] == url  # same port, same password
    with psycopg.connect(url) as connection:
        found = [row[0] for row in connection.execute("SELECT n FROM written ORDER BY n")]
    assert found[: writer.acknowledged] == list(range(1, writer.acknowledged + 1))
    assert len(found) <= writer.acknowledged + 1  # one may have been committed but not yet acknowledged
    wait_done(url, left)

    began = time.monotonic()
    again.send_signal(signal.SIGINT)
    assert again.wait(12) == 0
    assert time.monotonic() - began < 10
    assert none_alive(list(facts["pids"].values()))()


def test_a_second_start_is_refused_and_crashes_are_mended(installation: Installation) -> None:
    driver, facts = installation.start()
    url = facts["database_url"]
    second = installation.launch()
    _, told = second.communicate(timeout=30)
    assert second.returncode == 3
    assert f"NotConfigured: {installation.home} is in use: held by process {driver.pid} on" in told
    wait_done(url, ping(url))

    os.kill(facts["pids"]["redis"], signal.SIGKILL)
    os.kill(facts["pids"]["worker-sync"], signal.SIGKILL)
    os.kill(facts["pids"]["postgres"], signal.SIGKILL)

    def answers() -> bool:
        try:
            return state_of(url, ping(url)) == "queued"
        except Exception:
            return False

    wait_until(answers, "Postgres runs again", timeout_s=40, every_s=0.3)
    wait_done(url, ping(url))

    assert len(processes_of(installation.home)) >= 7
    driver.kill()
    driver.wait(5)
    wait_until(lambda: not processes_of(installation.home), "children ended as well", timeout_s=15)
    after, facts = installation.start()
    wait_done(facts["database_url"], ping(facts["database_url"]))
    began = time.monotonic()
    after.terminate()
    assert after.wait(12) == 0 and time.monotonic() - began < 10


def test_external_services_are_used_where_they_are_named(
    home: Path, fresh_database_url: str, redis_url: str
) -> None:
    installation = Installation(home, env={"DATABASE_URL": fresh_database_url, "REDIS_URL": redis_url})
    try:
        driver, facts = installation.start()
        assert (facts["database_url"], facts["redis_url"]) == (fresh_database_url, redis_url)
        assert sorted(facts["pids"]) == ["beat", "worker-ask", "worker-gpu", "worker-sync"]
        assert not (home / "postgres").exists() and not (home / "redis").exists()
        wait_done(fresh_database_url, ping(fresh_database_url))
        driver.terminate()
        assert driver.wait(12) == 0
    finally:
        installation.close()


def _as_nobody() -> list[str]:
    """Command prefix that makes root an ordinary user, allowed to read (only) where this checkout lies."""
    if os.geteuid() != 0:
        pytest.skip("not root: the other tests of this file already run as an ordinary user")
    prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    prefix += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv (Debian: util-linux) is missing")
    probe = subprocess.run([*prefix, sys.executable, "-c", "import app.up"], cwd=REPO, capture_output=True)
    if probe.returncode != 0:
        pytest.skip("the user `nobody` cannot read this checkout or its Python")
    return prefix


def test_an_ordinary_user_can_run_it_too(home: Path) -> None:
    installation = Installation(home, prefix=_as_nobody())
    shutil.chown(home, "nobody")
    try:
        driver, facts = installation.start()
        assert {p.username() for p in processes_of(home)} == {"nobody"}
        assert "postgres" in facts["pids"]
        wait_done(facts["database_url"], ping(facts["database_url"]))
        driver.terminate()
        assert driver.wait(12) == 0
    finally:
        installation.close()


def test_a_half_made_data_folder_is_made_anew(installation: Installation) -> None:
    """As a kill in the middle of the first start leaves it."""
    half = installation.home / "postgres.part"
    half.mkdir()
    (half / "PG_VERSION").write_text("16")
    _, facts = installation.start()
    wait_done(facts["database_url"], ping(facts["database_url"]))
    assert not half.exists()
