"""The product's own processes for journeys: a web server, a worker and the clock, beside a stand-in Slack."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
from sqlalchemy import create_engine, text

from core import jobs
from core.db import make_engine, make_session_factory
from core.doorbell import CeleryBell
from tests.sandbox.slack_driving import APP_TOKEN, BOT_TOKEN, PROJECT, SECRET, SlackSandbox, free_port, until

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Outgoing:
    """One request the product sent to Slack: its path and the whole of its body."""

    path: str
    raw: str

    @property
    def fields(self) -> dict[str, Any]:
        """Its arguments, whether they came as a form, as JSON or in the address."""
        if self.raw.startswith("{"):
            return dict(json.loads(self.raw))
        return dict(parse_qsl(self.raw))

    @property
    def body(self) -> str:
        """Everything in it as plain words, so that a search finds what people would read."""
        return "\n".join(f"{name}={_plain(value)}" for name, value in self.fields.items())


class Recorder:
    """ASGI wrapper that keeps every request to the stand-in's product-facing doors in full."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.sent: list[Outgoing] = []

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path.startswith(("/_sandbox", "/static")):
            await self._app(scope, receive, send)
            return
        seen = Outgoing(path, scope.get("query_string", b"").decode())
        self.sent.append(seen)

        async def listen() -> Any:
            message = await receive()
            if message["type"] == "http.request":
                seen.raw += message.get("body", b"").decode("utf-8", "replace")
            return message

        await self._app(scope, listen, send)


def _plain(value: Any) -> str:
    """JSON within a form field is undone, and no character stays escaped."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        value = json.loads(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass
class House:
    """Web, worker and beat as processes on one database; `env` adds or overrides settings."""

    slack: SlackSandbox
    database_url: str
    redis_url: str
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *names: str) -> "House":
        """Start `web`, `worker`, `beat`; returns when the web server answers and the worker takes jobs."""
        for name in names:
            self._spawn(name)
        if "web" in names:
            until(self._web_is_up, "the web server did not start:\n" + self.log("web"), 60)
            url = f"{self.url}/slack/events"
            self.slack.put("settings", events_url=url, commands_url=url, interactions_url=url)
        if "worker" in names:
            self._wait_for_worker()
        return self

    def stop(self) -> None:
        for name in list(self.running):
            self.kill(name, signal.SIGTERM)

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        process = self.running.pop(name)
        process.send_signal(how)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def rows(self, statement: str, **values: Any) -> list[Any]:
        engine = create_engine(self.database_url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            found = connection.execute(text(statement), values)
            rows = list(found) if found.returns_rows else []
        engine.dispose()
        return rows

    def _spawn(self, name: str) -> None:
        celery = [sys.executable, "-m", "celery", "-A", "workers.celery_app"]
        argv = {
            "web": [sys.executable, "-m", "app.server"],
            "worker": [*celery, "worker", "-n", "w@%h", "-Q", "ask,io", "-P", "threads", "-c", "4",
                       "--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "INFO"],
            "beat": [*celery, "beat", "-l", "WARNING", "-s", str(self.folder / "beat")],
        }[name]  # fmt: skip
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("SLACK_", "IMP_"))},
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "IMP_HOME": str(self.folder),
            "IMP_PORT": str(self.port),
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": f"{self.slack.url}/api/",
            "SLACK_ANNOUNCE_CHANNEL": PROJECT,
            "IMP_QUESTIONS_PER_MINUTE": "10000",
            "IMP_HEARTBEAT_S": "0.3",
            "IMP_STALE_S": "2",
            "IMP_SWEEP_S": "0.5",
            "IMP_RETRY_BASE_S": "0.3",
            "OMP_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            **self.env,
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(argv, env=env, cwd=ROOT, stdout=log, stderr=log)

    def _wait_for_worker(self) -> None:
        bell = CeleryBell(self.redis_url)
        engine = make_engine(self.database_url)
        with make_session_factory(engine, doorbell=bell).begin() as session:
            job_id = jobs.enqueue(session, "ping", "ready?")
        engine.dispose()
        until(
            lambda: self.rows("SELECT 1 FROM jobs WHERE id = :id AND state = 'done'", id=job_id),
            "the worker took no job:\n" + self.log("worker"),
            90,
        )

    def _web_is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


SOCKET_MODE = {"SLACK_APP_TOKEN": APP_TOKEN, "SLACK_SIGNING_SECRET": ""}
