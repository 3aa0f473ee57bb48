"""One running sandbox: its store and the machines around it. Handlers get this object and nothing global."""

import random
import time
from collections import deque
from typing import Any

import httpx

from sandbox.slack.config import Config
from sandbox.slack.deliveries import Deliveries
from sandbox.slack.faults import Fault
from sandbox.slack.rate_limits import RateLimits
from sandbox.slack.response_urls import ResponseUrls
from sandbox.slack.socket_mode import Sockets
from sandbox.slack.store import Store
from sandbox.slack.triggers import Triggers

N_LOGGED = 2000


class Sandbox:
    """Store, clocks, deliveries, faults and logs of one sandbox; `reset` starts over from the seed."""

    def __init__(self, config: Config, store: Store, http: httpx.AsyncClient) -> None:
        self.config = config
        self.store = store
        self.faults: list[Fault] = []
        self.limits = RateLimits(config.rate_limits)
        self.triggers = Triggers(config.trigger_ttl_s)
        self.response_urls = ResponseUrls(config)
        self.sockets = Sockets()
        self.deliveries = Deliveries(config, self.sockets, http, lambda: self.store)
        self.requests: deque[dict[str, Any]] = deque(maxlen=N_LOGGED)
        self.rng = random.Random(7)

    def reset(self, store: Store) -> None:
        """Forget everything but open sockets and the configuration; seq keeps rising for those who poll."""
        store.seq = self.store.seq
        self.store.touch()
        store.touch()
        self.store = store
        self.faults = []
        self.limits = RateLimits(self.config.rate_limits)
        self.triggers = Triggers(self.config.trigger_ttl_s)
        self.response_urls = ResponseUrls(self.config)
        self.deliveries.forget()
        self.requests.clear()

    def log_request(self, method: str, status: int, reply: Any, args: dict[str, Any]) -> None:
        error = reply.get("error") if isinstance(reply, dict) else None
        self.requests.append(
            {"at": time.time(), "method": method, "status": status, "error": error, "args": args}
        )
