"""One site's pace for all workers that share a Redis; each process keeps its own while Redis is away.

Redis holds nothing that must last: a wiped one means a fresh pace, a silent one costs half a second now and then.
"""

import hashlib
import logging
import threading
import time
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from connectors.confluence.pace import (
    BURST,
    LEAST_AT_ONCE,
    LOOK_AGAIN_S,
    SHRINK_EVERY_S,
    Limits,
    Pace,
    Verdict,
)

logger = logging.getLogger(__name__)

REDIS_TIMEOUT_S = 0.5
REDIS_AWAY_S = 5.0
"""So long a Redis that failed is not asked again."""
LEASE_S = 150
"""A request that was never reported done is over by then: its worker died."""
FORGET_S = 3600

# Redis' own clock, since workers' clocks differ. Returns seconds to wait as text; 0 means the request may go.
TAKE = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local full_rate, most, burst = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local found = redis.call('HMGET', KEYS[1], 'window', 'tokens', 'filled_at', 'paused_until')
local window = math.min(most, tonumber(found[1]) or most)
local paused_until = tonumber(found[4]) or 0
if paused_until > now then return tostring(paused_until - now) end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if redis.call('ZCARD', KEYS[2]) >= math.floor(window) then return ARGV[6] end
local rate = full_rate * window / most
local tokens = math.min(burst, (tonumber(found[2]) or burst) + (now - (tonumber(found[3]) or now)) * rate)
local wait = tokens < 1 and (1 - tokens) / rate or 0
if wait == 0 then
    tokens = tokens - 1
    redis.call('ZADD', KEYS[2], now + ARGV[5], ARGV[1])
    redis.call('EXPIRE', KEYS[2], ARGV[7])
end
redis.call('HSET', KEYS[1], 'window', tostring(window), 'tokens', tostring(tokens), 'filled_at', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], ARGV[7])
return tostring(wait)
"""
DONE = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local most, factor = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[1])
local found = redis.call('HMGET', KEYS[1], 'window', 'shrunk_at')
local window = tonumber(found[1]) or most
if factor == 1 then
    window = math.min(most, window + 1 / window)
elseif now - (tonumber(found[2]) or 0) >= tonumber(ARGV[4]) then
    window = math.max(tonumber(ARGV[5]), window * factor)
    redis.call('HSET', KEYS[1], 'shrunk_at', string.format('%.6f', now))
end
redis.call('HSET', KEYS[1], 'window', tostring(window))
redis.call('EXPIRE', KEYS[1], ARGV[6])
return 1
"""
PAUSE = """
local t = redis.call('TIME')
local paused_until = t[1] + t[2] / 1000000 + ARGV[1]
if paused_until > (tonumber(redis.call('HGET', KEYS[1], 'paused_until')) or 0) then
    redis.call('HSET', KEYS[1], 'paused_until', string.format('%.6f', paused_until))
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""

_lock = threading.Lock()
_paces: dict[tuple[str, str | None, Limits], Pace] = {}


def pace_of(site: str, redis_url: str | None = None, limits: Limits | None = None) -> Pace:
    """The one pace of a site in this process; with `redis_url` the same one for every process on that Redis."""
    limits = limits or Limits()
    with _lock:
        key = (site, redis_url, limits)
        if key not in _paces:
            _paces[key] = SharedPace(site, redis_url, limits) if redis_url else Pace(limits)
        return _paces[key]


def forget_paces() -> None:
    """Start over in this process, as a new one does."""
    with _lock:
        _paces.clear()


class SharedPace(Pace):
    """As `Pace`, counted in Redis. What Redis hears this process remembers too, for when it goes away."""

    def __init__(self, site: str, redis_url: str, limits: Limits | None = None) -> None:
        super().__init__(limits)
        self._redis = Redis.from_url(
            redis_url,
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
            decode_responses=True,
        )
        name = f"imp:pace:{hashlib.sha256(site.encode()).hexdigest()[:16]}"
        self._keys = [name, f"{name}:out"]
        self._take, self._done, self._pause = map(self._redis.register_script, (TAKE, DONE, PAUSE))
        self._away_until = 0.0

    def done(self, lease: str, verdict: Verdict) -> None:
        super().done(lease, verdict)
        self._ask(
            self._done, lease, self.limits.at_once, verdict.value, SHRINK_EVERY_S, LEAST_AT_ONCE, FORGET_S
        )

    def pause(self, seconds: float) -> None:
        super().pause(seconds)
        self._ask(self._pause, seconds, max(FORGET_S, int(seconds) + 60))

    @property
    def at_once(self) -> float:
        try:
            found = self._redis.hget(self._keys[0], "window")
        except (RedisError, OSError):
            return super().at_once
        return float(str(found)) if found is not None else float(self.limits.at_once)

    def _wait_s(self, lease: str) -> float:
        limits = self.limits
        told = self._ask(
            self._take, lease, limits.rate, limits.at_once, BURST, LEASE_S, LOOK_AGAIN_S, FORGET_S
        )
        return super()._wait_s(lease) if told is None else float(told)

    def _ask(self, script: Any, *args: object) -> Any:
        """What the script says; None while Redis is away."""
        if time.monotonic() < self._away_until:
            return None
        try:
            return script(keys=self._keys, args=list(args))
        except (RedisError, OSError) as exc:
            self._away_until = time.monotonic() + REDIS_AWAY_S
            logger.warning("pace_not_shared", extra={"why": type(exc).__name__})
            return None
