"""The product in one process beside a stand-in Slack: requests come over HTTP, jobs run when the test says so."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.routes.slack import make_router
from app.web import make_app
from core.db import make_engine, make_session_factory
from core.doorbell import SilentBell
from core.settings import load_settings
from sandbox.slack.app import create_app
from sandbox.slack.config import Config
from tests.journeys.slack.house import Recorder
from tests.journeys.slack.library import Library, embedder, furnish
from tests.sandbox.slack_driving import BOT, BOT_TOKEN, SECRET, Served, SlackSandbox, free_port, until
from workers.context import Context
from workers.run_job import run_job
from workers.tasks import MODULES, load_work

NEXT = text("SELECT id, kind FROM jobs WHERE state = 'queued' AND kind <> ALL(:left) ORDER BY id LIMIT 1")

LEFT = ("transcribe_recording", "index_document")
"""Other people's work."""


@dataclass
class Desk:
    """Slack, the database and the jobs of one test."""

    slack: SlackSandbox
    sent: Recorder
    context: Context
    library: Library

    def taken(self, kind: str) -> None:
        """Wait until the web server has written a job of this kind down."""
        until(lambda: self.rows("SELECT 1 FROM jobs WHERE kind = :kind AND state = 'queued'", kind=kind),
              f"no {kind} was asked for")  # fmt: skip

    def work(self, *, once: bool = False) -> list[str]:
        """Run every waiting job, also those due later, as often as it may be tried. Returns how each ended."""
        ended = []
        while row := self._next():
            ended.append(run_job(self.context, row.id, load_work(MODULES[row.kind])))
            if once:
                break
        return ended

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.context.factory.begin() as session:
            found = session.execute(text(statement), values)
            return list(found) if found.returns_rows else []

    def said(self, channel: str) -> list[dict[str, Any]]:
        return [
            m
            for m in self.slack.state()["messages"]
            if m["channel"] == channel and m["user"] == BOT and m.get("subtype") != "assistant_app_thread"
        ]

    def direct(self, user: str) -> str:
        return str(self.slack.act("direct", user=user, **{"with": "imp"})["channel"])

    def _next(self) -> Any:
        with self.context.factory.begin() as session:
            session.execute(text("UPDATE jobs SET run_after = now() WHERE state = 'queued'"))
            return session.execute(NEXT, {"left": list(LEFT)}).one_or_none()


@pytest.fixture(scope="session")
def stand_in_slack() -> Iterator[tuple[str, Recorder]]:
    port = free_port()
    recorder = Recorder(create_app(Config(public_url=f"http://127.0.0.1:{port}")))
    with Served(recorder, port) as served:
        yield served.url, recorder


@pytest.fixture(scope="session")
def office(
    stand_in_slack: tuple[str, Recorder],
    make_database: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Context, Library, str]]:
    """Context, pages and address of the product, for the session."""
    database_url = make_database()
    library = Library.open(database_url)
    furnish(library)
    settings = load_settings(
        database_url=database_url, slack_bot_token=BOT_TOKEN, slack_signing_secret=SECRET,
        slack_api_url=f"{stand_in_slack[0]}/api/", imp_home=tmp_path_factory.mktemp("home"),
        imp_questions_per_minute=10_000,
    )  # fmt: skip
    engine = make_engine(database_url)
    context = Context(settings, make_session_factory(engine), SilentBell())
    context.embedder = embedder()
    with Served(make_app(context, [make_router(context)])) as served:
        yield context, library, served.url
    library.close()
    engine.dispose()


@pytest.fixture
def desk(office: tuple[Context, Library, str], stand_in_slack: tuple[str, Recorder]) -> Iterator[Desk]:
    """A fresh Slack and no question asked yet."""
    context, library, url = office
    with httpx.Client(timeout=20) as http:
        slack = SlackSandbox(stand_in_slack[0], http)
        slack.act("reset")
        slack.put("rate_limits", enabled=False)
        events = f"{url}/slack/events"
        slack.put("settings", events_url=events, commands_url=events, interactions_url=events)
        made = Desk(slack, stand_in_slack[1], context, library)
        made.rows("DELETE FROM jobs")
        made.rows("DELETE FROM deliveries")
        made.rows("DELETE FROM questions")
        made.sent.sent.clear()
        yield made
