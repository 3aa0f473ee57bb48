"""Start, watch, restart and stop the child processes of one machine; knows none of them.

Single-threaded: one loop starts what is missing, restarts what crashed (with growing pauses) and, on
Ctrl-C or SIGTERM, stops all, services last, within ten seconds. A supervisor that is killed takes
its children along (the kernel signals them).
"""

import ctypes
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import Interrupted, Unavailable

logger = logging.getLogger(__name__)

# Ten seconds in all: workers and web put their jobs back first, then the services they used end.
STOP_TIMEOUT_S = 6.0
SERVICE_STOP_TIMEOUT_S = 3.5
POLL_S = 0.2
PR_SET_PDEATHSIG = 1
MAX_PAUSE_S = 30.0
STEADY_S = 30.0  # running this long makes the next crash count as the first


@dataclass(frozen=True, slots=True)
class Child:
    """One process to keep alive.

    `wait_ready` makes it a service: it runs after each start and returns when others may rely on it; the
    function it gets raises when waiting on is vain. `stop_signal` asks the child to end in order;
    `orphan_signal` is what the kernel sends it when the supervisor dies.
    """

    name: str
    argv: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)
    popen: dict[str, Any] = field(default_factory=dict)
    stop_signal: int = signal.SIGTERM
    orphan_signal: int = signal.SIGKILL  # its services go too: an orderly end would only wait for them
    wait_ready: Callable[[Callable[[], None]], None] | None = None


class Supervisor:
    """Keeps `children` running, in the order they were added."""

    def __init__(self, logs: Path, say: Callable[[str], None]) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._say = say
        self._children: list[Child] = []
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started_at: dict[str, float] = {}
        self._crashes: dict[str, int] = {}
        self._restart_at: dict[str, float] = {}
        self._is_stopping = False
        self._is_watching = False

    def start(self, child: Child) -> None:
        """Start one child and wait until it is ready. Raises Unavailable where it ends or does not get ready."""
        self._children.append(child)
        self._spawn(child)

    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self._running.items()}

    @property
    def is_stopping(self) -> bool:
        return self._is_stopping

    def stop_on_signals(self) -> None:
        """Ctrl-C and SIGTERM end `run`; before and after it they interrupt whatever is being done."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Watch until asked to stop or `until()` is true."""
        self._is_watching = True
        while not self._is_stopping and not until():
            self.tick()
            time.sleep(POLL_S)
        self._is_watching = False

    def tick(self) -> None:
        """Notice crashed children and restart those whose pause is over."""
        now = time.monotonic()
        for child in self._children:
            process = self._running.get(child.name)
            if process is not None and process.poll() is not None:
                self._note_crash(child, process.returncode, now)
            elif process is None and now >= self._restart_at.get(child.name, 0.0):
                self._restart(child)

    def stop(self) -> None:
        """End all children, services last; those that do not end in time are killed."""
        self._is_stopping = True
        services = [child for child in self._children if child.wait_ready is not None]
        others = [child for child in self._children if child.wait_ready is None]
        patience = ((others, STOP_TIMEOUT_S), (list(reversed(services)), SERVICE_STOP_TIMEOUT_S))
        for group, timeout_s in patience:
            deadline = time.monotonic() + timeout_s
            running = [(child, self._running[child.name]) for child in group if child.name in self._running]
            for child, process in running:
                _signal(process, child.stop_signal)
            for child, process in running:
                self._wait_or_kill(child, process, deadline)
            self._running = {n: p for n, p in self._running.items() if p.poll() is None}

    def _spawn(self, child: Child) -> None:
        log = self._logs / f"{child.name}.log"
        if log.exists() and log.stat().st_size > 20 * 1024**2:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            self._running[child.name] = subprocess.Popen(
                list(child.argv),
                env={**os.environ, **child.env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops all in order
                preexec_fn=_die_with_parent(child.orphan_signal),
                **child.popen,
            )
        self._started_at[child.name] = time.monotonic()
        if child.wait_ready is not None:
            child.wait_ready(lambda: self._check_start(child))

    def _check_start(self, child: Child) -> None:
        if self._is_stopping:
            raise Interrupted("asked to stop")
        code = self._running[child.name].poll()
        if code is not None:
            raise Unavailable(f"{child.name} ended ({_how(code)}); see {self._logs}/{child.name}.log")

    def _note_crash(self, child: Child, code: int, now: float) -> None:
        del self._running[child.name]
        if now - self._started_at[child.name] > STEADY_S:
            self._crashes[child.name] = 0
        self._crashes[child.name] = self._crashes.get(child.name, 0) + 1
        pause_s = min(MAX_PAUSE_S, 0.5 * 2 ** (self._crashes[child.name] - 1))
        self._restart_at[child.name] = now + pause_s
        self._say(
            f"{child.name} ended ({_how(code)}), starting again in {pause_s:.1f} s; see {self._logs}/{child.name}.log"
        )
        logger.warning("child_crashed", extra={"child": child.name, "code": code})

    def _restart(self, child: Child) -> None:
        try:
            self._spawn(child)
        except Exception as exc:
            logger.exception("restart_failed", extra={"child": child.name})
            self._say(f"{child.name} does not start: {exc}")
            self._restart_at[child.name] = time.monotonic() + MAX_PAUSE_S
        else:
            self._say(f"{child.name} runs again (pid {self._running[child.name].pid})")

    def _wait_or_kill(self, child: Child, process: subprocess.Popen[bytes], deadline: float) -> None:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._say(f"{child.name} did not stop in time, killed; its jobs go on at the next start")
            _signal(process, signal.SIGKILL)
            process.wait(5)

    def _ask_to_stop(self, *_: object) -> None:
        is_first = not self._is_stopping
        self._is_stopping = True
        if is_first and not self._is_watching:
            raise KeyboardInterrupt


def _die_with_parent(number: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)

    def set_signal() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)

    return set_signal


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        process.send_signal(number)
    except ProcessLookupError:
        return


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
