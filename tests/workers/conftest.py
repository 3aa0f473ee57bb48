"""A worker against the stand-in Confluence: jobs are enqueued, claimed and run here, without a broker."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from connectors.confluence import client
from connectors.confluence.shared_pace import forget_paces
from core import jobs
from core.doorbell import SilentBell
from core.running_job import RunningJob
from core.settings import load_settings
from tests.workers.confluence_site import SERVICE_EMAIL, SERVICE_TOKEN, StandIn
from workers.context import Context
from workers.sources import ensure_confluence_source
from workers.tasks import MODULES, load_work


@pytest.fixture(scope="session")
def stand_in(free_port: Callable[[], int]) -> Iterator[StandIn]:
    server = StandIn(free_port())
    yield server
    server.stop()


@pytest.fixture
def site(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The sample company, untouched; pauses after failures are short."""
    stand_in.reset()
    monkeypatch.setattr(client, "BACKOFF_S", 0.01)
    forget_paces()
    return stand_in


class Worker:
    """Runs jobs of one source the way a worker does, one after the other."""

    def __init__(self, factory: sessionmaker[Session], site: StandIn, *, is_cloud: bool) -> None:
        own = {
            "confluence_username": SERVICE_EMAIL,
            "confluence_api_token": SERVICE_TOKEN,
            "confluence_pat": None,
        }
        if not is_cloud:
            own = {"confluence_username": None, "confluence_api_token": None, "confluence_pat": SERVICE_TOKEN}
        settings = load_settings(
            confluence_url=site.url + ("/wiki" if is_cloud else ""),
            database_url="postgresql://unused/x",
            imp_heartbeat_s=3600,  # the one connection of a test is no heartbeat's
            imp_stale_s=7200,
            **own,
        )
        self.site = site
        self.context = Context(settings, factory, SilentBell())
        with factory.begin() as session:
            found = ensure_confluence_source(session, settings)
        assert found is not None
        self.source_id: int = found

    def run(self, kind: str, key: str, **args: Any) -> dict[str, Any]:
        with self.context.factory.begin() as session:
            job_id = jobs.enqueue(session, kind, key, source_id=self.source_id, **args)
        return self.run_job(job_id)

    def run_job(self, job_id: int) -> dict[str, Any]:
        with self.context.factory.begin() as session:
            claimed = jobs.claim(session, job_id, worker="test", stale_s=30)
        assert claimed is not None
        running = RunningJob(claimed, self.context.factory, heartbeat_s=60)
        try:
            outcome = load_work(MODULES[claimed.kind])(self.context, running)
        except Exception as exc:
            with self.context.factory.begin() as session:
                jobs.close(session, claimed, state="failed", error=str(exc))
            raise
        with self.context.factory.begin() as session:
            jobs.close(session, claimed, state="done", outcome=outcome)
        return outcome

    def sync(self, mode: str = "full", **args: Any) -> dict[str, Any]:
        """A sync and everything it asked for but the indexing."""
        key = str(self.source_id) if mode == "increment" else f"{self.source_id}:{mode}"
        outcome = self.run("sync_source", key, mode=mode, **args)
        self.drain()
        return outcome

    def drain(self) -> int:
        """Run waiting page and door jobs until there is none. Returns how many ran."""
        n_run = 0
        while ids := self.waiting("sync_page", "refresh_gates"):
            for job_id in ids:
                self.run_job(job_id)
                n_run += 1
        return n_run

    def waiting(self, *kinds: str) -> list[int]:
        statement = text("SELECT id FROM jobs WHERE state = 'queued' AND kind = ANY(:kinds) ORDER BY id")
        with self.context.factory.begin() as session:
            return list(session.execute(statement, {"kinds": list(kinds)}).scalars())

    def index_all(self) -> int:
        """Do as if the indexing had been done. Returns how many documents waited for it."""
        with self.context.factory.begin() as session:
            session.execute(text("UPDATE documents SET indexed_hash = content_hash"))
            closed = session.execute(
                text(
                    "UPDATE jobs SET state = 'done' WHERE kind = 'index_document' AND state = 'queued' RETURNING id"
                )
            ).all()
        return len(closed)

    def document(self, external_id: str) -> Any:
        with self.context.factory.begin() as session:
            return session.execute(
                text("SELECT * FROM documents WHERE source_id = :source_id AND external_id = :external_id"),
                {"source_id": self.source_id, "external_id": external_id},
            ).one_or_none()

    def documents(self) -> dict[str, Any]:
        """All documents without the moments of this run, by external id."""
        with self.context.factory.begin() as session:
            rows = session.execute(
                text("SELECT * FROM documents WHERE source_id = :id"), {"id": self.source_id}
            )
            moments = ("id", "seen_at", "deleted_at", "indexed_hash")
            return {
                row.external_id: {key: value for key, value in row._mapping.items() if key not in moments}
                for row in rows
            }

    def doors(self, external_id: str) -> set[str]:
        """Names of the doors in front of a document."""
        with self.context.factory.begin() as session:
            return set(
                session.execute(
                    text(
                        "SELECT door FROM gates g, documents d WHERE g.id = ANY(d.gate_ids) AND d.external_id = :id"
                    ),
                    {"id": external_id},
                ).scalars()
            )

    def gate(self, door: str) -> list[str]:
        with self.context.factory.begin() as session:
            return list(
                session.execute(
                    text("SELECT principals FROM gates WHERE door = :door"), {"door": door}
                ).scalar_one()
            )

    def alerts(self) -> list[Any]:
        with self.context.factory.begin() as session:
            return list(session.execute(text("SELECT * FROM alerts WHERE closed_at IS NULL")).all())


@pytest.fixture
def cloud(session_factory: sessionmaker[Session], site: StandIn) -> Worker:
    return Worker(session_factory, site, is_cloud=True)


@pytest.fixture
def data_center(session_factory: sessionmaker[Session], site: StandIn) -> Worker:
    return Worker(session_factory, site, is_cloud=False)
