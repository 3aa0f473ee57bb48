"""How fast one site may be asked: a token bucket, so many requests at once, and a pause everybody keeps.

How many at once shrinks when the site complains and grows again with each answer (additive increase, multiplicative
decrease); the rate follows it. This one is a process's own; `shared_pace` shares it among workers. Knows no HTTP.
"""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from core.errors import RateLimited

FULL_RATE = 40.0
"""Requests a second at best; Atlassian publishes no figure, a browser opening a page makes as many."""
MOST_AT_ONCE = 8
BURST = 20.0
LEAST_AT_ONCE = 1.0
SHRINK_EVERY_S = 1.0
"""The answers to requests that went out together are one complaint, not eight."""
LOOK_AGAIN_S = 0.02


class Verdict(Enum):
    """How a request ended; the value is what becomes of the number of requests at once."""

    WELL = 1.0
    FAILED = 0.8
    """A failure may be one page's own fault; a request for fewer requests is not."""
    REFUSED = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """The most one site is asked: requests a second, requests at once."""

    rate: float = FULL_RATE
    at_once: int = MOST_AT_ONCE


class Pace:
    """Thread-safe. Every request begins with `take` and ends with `done`."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._window = float(self.limits.at_once)
        self._tokens, self._filled_at = BURST, time.monotonic()
        self._paused_until = 0.0
        self._shrunk_at = -SHRINK_EVERY_S
        self._out: set[str] = set()

    def take(self, check: Callable[[], None], patience_s: float) -> str:
        """Wait for this request's turn; returns what `done` needs. `check` may raise to give up.

        Raises:
            RateLimited: everybody pauses for longer than `patience_s`.
        """
        lease = uuid.uuid4().hex
        while (wait_s := self._wait_s(lease)) > 0:
            if wait_s > patience_s:
                raise RateLimited("Confluence asked for a pause that is not over yet", retry_after_s=wait_s)
            check()
            time.sleep(min(wait_s, 0.25))
        return lease

    def done(self, lease: str, verdict: Verdict) -> None:
        with self._lock:
            self._out.discard(lease)
            now = time.monotonic()
            if verdict is Verdict.WELL:
                self._window = min(self.limits.at_once, self._window + 1 / self._window)
            elif now - self._shrunk_at >= SHRINK_EVERY_S:
                self._window = max(LEAST_AT_ONCE, self._window * verdict.value)
                self._shrunk_at = now

    def pause(self, seconds: float) -> None:
        """Nobody asks the site for so long; a shorter pause never cuts a longer one."""
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    @property
    def at_once(self) -> float:
        """How many requests may be out at once just now."""
        return self._window

    def _wait_s(self, lease: str) -> float:
        """0 when the request may go, else seconds until it is worth asking again."""
        with self._lock:
            now = time.monotonic()
            if now < self._paused_until:
                return self._paused_until - now
            if len(self._out) >= int(self._window):
                return LOOK_AGAIN_S
            rate = self.limits.rate * self._window / self.limits.at_once
            self._tokens = min(BURST, self._tokens + (now - self._filled_at) * rate)
            self._filled_at = now
            if self._tokens < 1:
                return (1 - self._tokens) / rate
            self._tokens -= 1
            self._out.add(lease)
            return 0.0
