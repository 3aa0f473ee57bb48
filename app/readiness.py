"""Is the whole stack answering? Asked over HTTP, as a load balancer would."""

import time

import httpx

from app.up import Stack
from core.errors import Unavailable


def wait_until_healthy(stack: Stack, *, timeout_s: float = 120.0) -> None:
    """Return when `/readyz` says yes; crashed children are restarted meanwhile.

    Raises:
        Unavailable: not ready in time; the message holds what `/readyz` said last.
    """
    deadline, last = time.monotonic() + timeout_s, "no answer yet"
    url = f"http://{stack.settings.imp_host}:{stack.settings.imp_port}/readyz"
    while time.monotonic() < deadline:
        stack.supervisor.tick()
        if stack.supervisor.is_stopping:
            return
        try:
            reply = httpx.get(url, timeout=5)
            if reply.status_code == 200:
                return
            last = reply.text[:500]
        except httpx.HTTPError as exc:
            last = type(exc).__name__
        time.sleep(0.3)
    raise Unavailable(f"the web server is not ready after {timeout_s:.0f} s: {last}")
