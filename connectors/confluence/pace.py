"""How fast one site may be asked: a token bucket and a pause that every client of this process shares.

The rate shrinks when the site complains and grows again with each answer (additive increase, multiplicative
decrease). Knows no HTTP.
"""

import threading
import time
from collections.abc import Callable

FULL_RATE = 40.0
"""Requests a second at best; Atlassian publishes no figure, a browser opening a page makes as many."""
LEAST_RATE = 1.0
GROWTH = 0.5
AFTER_PAUSE = 0.5
AFTER_FAILURE = 0.95
"""A failure may be one page's own fault, a request for fewer requests is not."""
BURST = 20.0

_lock = threading.Lock()
_paces: dict[str, "Pace"] = {}


def pace_of(site: str) -> "Pace":
    """The one pace of a site in this process."""
    with _lock:
        return _paces.setdefault(site, Pace())


class Pace:
    """Thread-safe."""

    def __init__(self, rate: float = FULL_RATE) -> None:
        self._lock = threading.Lock()
        self._full_rate = self._rate = rate
        self._tokens = BURST
        self._filled_at = time.monotonic()
        self._paused_until = 0.0

    def take(self, check: Callable[[], None]) -> None:
        """Wait for this request's turn; `check` is called while waiting and may raise to give up."""
        while (wait_s := self._wait_s()) > 0:
            check()
            time.sleep(min(wait_s, 0.25))

    def pause(self, seconds: float) -> None:
        """Nobody asks the site for so long; a shorter pause never cuts a longer one."""
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def slow_down(self, factor: float) -> None:
        with self._lock:
            self._rate = max(LEAST_RATE, self._rate * factor)

    def speed_up(self) -> None:
        with self._lock:
            self._rate = min(self._full_rate, self._rate + GROWTH)

    @property
    def rate(self) -> float:
        return self._rate

    def _wait_s(self) -> float:
        """0 when the request may go (its token is taken), else seconds until it is worth asking again."""
        with self._lock:
            now = time.monotonic()
            if now < self._paused_until:
                return self._paused_until - now
            self._tokens = min(BURST, self._tokens + (now - self._filled_at) * self._rate)
            self._filled_at = now
            if self._tokens >= 1:
                self._tokens -= 1
                return 0.0
            return (1 - self._tokens) / self._rate
