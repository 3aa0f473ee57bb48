"""Drives a live Slack sandbox over HTTP for tests, and serves a slack-bolt app beside it."""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from slack_bolt import App
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BOT_TOKEN = "xoxb-sandbox"
APP_TOKEN = "xapp-sandbox"
SECRET = "sandbox-signing-secret"
ADA, BEN, CHI, GUS, EVE = "U0ADA00001", "U0BEN00001", "U0CHI00001", "U0GUS00001", "U0EVE00001"
BOT = "U0IMP00001"
GENERAL, PROJECT, RANDOM, LEADS, PARTNER = (
    "C0GENERAL1",
    "C0PROJECT1",
    "C0RANDOM01",
    "G0LEADS001",
    "C0PARTNER1",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Served:
    """A uvicorn server in a thread; use as a context manager."""

    def __init__(self, app: Any, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(
            app, host="127.0.0.1", port=self.port, log_level="critical", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> "Served":
        self._thread.start()
        until(lambda: self._server.started, "server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)


PATIENCE = 3


def until(true: Callable[[], Any], complaint: str, timeout_s: float = 10.0) -> Any:
    """Poll until `true()` is truthy and return that; fail with `complaint` when it never is.

    `timeout_s` is meant for a quiet machine; a busy one gets several times as long.
    """
    deadline = time.monotonic() + PATIENCE * timeout_s
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(complaint)


@dataclass
class SlackSandbox:
    """One running sandbox and the ways to act in it."""

    url: str
    http: httpx.Client

    def client(self, token: str = BOT_TOKEN, **options: Any) -> WebClient:
        return WebClient(token=token, base_url=f"{self.url}/api/", **options)

    def act(self, act: str, /, *, ok: bool = True, **body: Any) -> dict[str, Any]:
        reply = dict(self.http.post(f"{self.url}/_sandbox/{act}", json=body).json())
        assert reply["ok"] is ok, reply
        return reply

    def put(self, name: str, **body: Any) -> dict[str, Any]:
        reply = dict(self.http.put(f"{self.url}/_sandbox/{name}", json=body).json())
        assert reply["ok"], reply
        return reply

    def state(self) -> dict[str, Any]:
        return dict(self.http.get(f"{self.url}/_sandbox/state").json())

    def wait(self, **query: Any) -> dict[str, Any] | None:
        query = {k.rstrip("_"): v for k, v in query.items()}
        reply = self.http.get(f"{self.url}/_sandbox/wait", params=query, timeout=60).json()
        assert reply["ok"], reply
        return reply["message"]

    def deliveries(self, name: str) -> list[dict[str, Any]]:
        return [d for d in self.state()["deliveries"] if d["name"] == name]


def bolt_app(sandbox: SlackSandbox, secret: str = SECRET) -> App:
    """An unmodified slack-bolt app that talks to the sandbox and works off its listeners in threads."""
    return App(client=sandbox.client(), signing_secret=secret)


def bolt_server(app: App) -> Served:
    """Serve a bolt app at `/slack/events`."""
    handler = SlackRequestHandler(app)

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    return Served(Starlette(routes=[Route("/slack/events", events, methods=["POST"])]))
