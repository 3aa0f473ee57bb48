"""Children are kept alive, stopped in order, and never outlive their supervisor."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.supervisor import Child, Supervisor
from core.errors import Unavailable
from tests.journeys.machinery import kill_tree, wait_until

REPO = Path(__file__).resolve().parents[2]
SLEEPER = "import time; time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
# Notes its name when told to stop, so that the order of ends can be read.
NOTER = """
import signal, sys, time
def end(*_):
    open(sys.argv[2], 'a').write(sys.argv[1] + ' ')
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print('ready', flush=True)
time.sleep(60)
"""


def python(name: str, code: str, *args: str, is_ready: Callable[[], object] | None = None) -> Child:
    """A child that runs `code`; with `is_ready` it is a service."""

    def wait(check: Callable[[], None]) -> None:
        while is_ready is not None and not is_ready():
            check()
            time.sleep(0.02)

    return Child(name, [sys.executable, "-c", code, *args], wait_ready=wait if is_ready else None)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path / "logs", said.append)
    yield supervisor
    supervisor.stop()


def has_logged(tmp_path: Path, name: str, word: str) -> Callable[[], bool]:
    log = tmp_path / "logs" / f"{name}.log"
    return lambda: log.exists() and word in log.read_text()


def test_a_crashed_child_is_started_again(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(python("worker", SLEEPER))
    first = supervisor.pids()["worker"]
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: supervisor.tick() or len(said) == 2, "the restart", timeout_s=10)
    assert said[0].startswith("worker ended (signal SIGKILL), starting again in 0.5 s")
    assert supervisor.pids()["worker"] != first and psutil.pid_exists(supervisor.pids()["worker"])


def test_a_child_that_crashes_again_waits_longer_each_time(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(python("worker", "raise SystemExit(3)"))
    wait_until(lambda: supervisor.tick() or len(said) >= 5, "three crashes", timeout_s=15)
    assert [line.split(";")[0] for line in said if "ended" in line] == [
        f"worker ended (exit code 3), starting again in {pause} s" for pause in ("0.5", "1.0", "2.0")
    ]


def test_a_service_that_ends_while_it_starts_is_told_at_once(supervisor: Supervisor) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"redis ended \(exit code 4\); see .*redis.log"):
        supervisor.start(python("redis", "raise SystemExit(4)", is_ready=lambda: False))
    assert time.monotonic() - began < 5


def test_services_stop_after_those_who_use_them_the_newest_first(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    ends = tmp_path / "ends"
    for name in ("postgres", "redis"):
        supervisor.start(python(name, NOTER, name, str(ends), is_ready=has_logged(tmp_path, name, "ready")))
    supervisor.start(python("worker", NOTER, "worker", str(ends)))
    wait_until(has_logged(tmp_path, "worker", "ready"), "the worker runs", timeout_s=10)
    supervisor.stop()
    assert ends.read_text().split()[0] == "worker"
    assert sorted(ends.read_text().split()[1:]) == ["postgres", "redis"]
    assert supervisor.pids() == {}


def test_who_does_not_stop_is_killed_in_time(supervisor: Supervisor, tmp_path: Path, said: list[str]) -> None:
    supervisor.start(python("worker", DEAF))
    supervisor.start(python("postgres", DEAF, is_ready=has_logged(tmp_path, "postgres", "deaf")))
    wait_until(has_logged(tmp_path, "worker", "deaf"), "the worker runs", timeout_s=10)
    pids = supervisor.pids()
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 10
    assert [line.split(" did")[0] for line in said] == ["worker", "postgres"]
    assert not any(psutil.pid_exists(pid) for pid in pids.values())


DRIVER = """
import sys, time
from pathlib import Path
from app.supervisor import Child, Supervisor
supervisor = Supervisor(Path(sys.argv[1]), lambda line: print(line, flush=True))
supervisor.stop_on_signals()
supervisor.start(Child("worker", [sys.executable, "-c", sys.argv[2]]))
told = []
def tell():
    if not told:
        told.append(print("pid", supervisor.pids()["worker"], flush=True))
supervisor.run(until=tell)
supervisor.stop()
print("stopped", flush=True)
"""


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path), DEAF], cwd=REPO, stdout=subprocess.PIPE, text=True
    )
    yield process
    kill_tree(process.pid)
    process.wait(10)
    if process.stdout is not None:
        process.stdout.close()


def child_of(driver: subprocess.Popen[str]) -> int:
    assert driver.stdout is not None
    return int(driver.stdout.readline().split()[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_within_ten_seconds(
    driver: subprocess.Popen[str], number: signal.Signals
) -> None:
    child = child_of(driver)
    driver.send_signal(number)
    assert driver.wait(10) == 0
    assert driver.stdout is not None and driver.stdout.read().endswith("stopped\n")
    assert not psutil.pid_exists(child)


def test_a_killed_supervisor_takes_its_children_along(driver: subprocess.Popen[str]) -> None:
    child = child_of(driver)
    driver.kill()
    driver.wait(5)
    wait_until(lambda: not _is_alive(child), "the child ended", timeout_s=3)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
