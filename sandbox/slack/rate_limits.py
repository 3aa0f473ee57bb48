"""Slack's per-method rate limits as sliding minutes; tiers from the Web API rate limit page."""

import math
import time
from collections import defaultdict, deque

PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}
POST_PER_SECOND = 1


class RateLimits:
    """Counts calls when switched on. `overrides` maps a method to its calls per minute."""

    def __init__(self, enabled: bool = False) -> None:
        self.enabled = enabled
        self.overrides: dict[str, int] = {}
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    def retry_after_s(self, method: str, tier: int, channel: str | None) -> int | None:
        """None when the call may pass (and is counted), else whole seconds to wait."""
        if not self.enabled:
            return None
        if method in self.overrides:
            return self._take(method, self.overrides[method], 60.0)
        if method in ("chat.postMessage", "chat.postEphemeral"):
            return self._take(f"{method} {channel}", POST_PER_SECOND, 1.0)
        return self._take(method, PER_MINUTE[tier], 60.0)

    def reset(self) -> None:
        self._calls.clear()

    def _take(self, key: str, n_allowed: int, window_s: float) -> int | None:
        now = time.monotonic()
        calls = self._calls[key]
        while calls and calls[0] <= now - window_s:
            calls.popleft()
        if len(calls) >= n_allowed:
            oldest = calls[0] if calls else now
            return max(1, math.ceil(oldest + window_s - now))
        calls.append(now)
        return None
