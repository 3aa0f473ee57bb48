"""The web app on a database of its own: persons with tokens, gates, documents and recordings made in a line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.routes import (
    ask,
    confluence_webhooks,
    health,
    jobs,
    player,
    recordings,
    review,
    uploads,
    zoom_webhooks,
)
from app.web import make_app
from core.access import set_gate
from core.db import make_engine, make_session_factory
from core.doorbell import SilentBell
from core.settings import Settings, load_settings
from core.tables.base import Base
from core.tables.documents import Source
from core.tables.meetings import Recording
from core.tables.people import Account, Membership, Person
from rag.embedding import Embedder, load_embedder
from workers.context import Context
from workers.people import new_token

MAX_UPLOAD_BYTES = 3_000_000
ROUTES = (health, ask, recordings, uploads, jobs, player, review, confluence_webhooks, zoom_webhooks)
ROUTERS = [uploads.tus, *(one.router for one in ROUTES)]


@dataclass(frozen=True)
class Somebody:
    """A person of the test and the header that is theirs."""

    id: int
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class House:
    """A context and short ways to put things into its tables."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.settings: Settings = context.settings

    def person(self, name: str, *groups: str, is_admin: bool = False) -> Somebody:
        with self.context.factory.begin() as session:
            person = Person(name=name, email=f"{name}@example.org", is_admin=is_admin)
            session.add(person)
            session.flush()
            account = Account(provider="confluence", external_id=f"acc-{name}", person_id=person.id)
            session.add(account)
            session.flush()
            session.add_all(Membership(identity_id=account.id, group_name=group) for group in groups)
            return Somebody(person.id, new_token(session, person.id, label="test"))

    def gate(self, door: str, *principals: str) -> int:
        with self.context.factory.begin() as session:
            source = session.query(Source).filter_by(name="site").one_or_none()
            if source is None:
                source = Source(name="site", kind="confluence", state="ready")
                session.add(source)
                session.flush()
            return set_gate(session, source.id, door, principals)

    def recording(
        self, content: bytes = b"sound", *, gate_ids: list[int] | None = None, **values: Any
    ) -> int:
        stored = self.context.blobs.put([content], suffix=".wav", max_bytes=10**9)
        with self.context.factory.begin() as session:
            source = session.query(Source).filter_by(name="uploads").one_or_none()
            if source is None:
                source = Source(name="uploads", kind="recordings", state="ready")
                session.add(source)
                session.flush()
            given = {"title": "Launch review", "file_name": "launch.wav", **values}
            row = Recording(
                sha256=stored.sha256, blob_url=stored.url, size_bytes=stored.size_bytes, source_id=source.id,
                gate_ids=gate_ids, **given,
            )  # fmt: skip
            session.add(row)
            session.flush()
            return row.id

    def rows(self, query: str, **values: Any) -> list[Any]:
        with self.context.factory() as session:
            return list(session.execute(text(query), values).all())


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return load_embedder("all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def web_database_url(make_database: Callable[[], str]) -> str:
    """One database for all tests of the web app; each finds it empty."""
    return make_database()


@pytest.fixture
def empty_database_url(web_database_url: str) -> str:
    # Deleting from tables that are nearly empty is far quicker than giving each of them and its indexes new files.
    deletes = "; ".join(f"DELETE FROM {table.name}" for table in Base.metadata.sorted_tables)
    with psycopg.connect(web_database_url) as connection:
        connection.execute(f"SET session_replication_role = replica; {deletes}")  # type: ignore[call-overload]
    return web_database_url


@pytest.fixture
def settings(empty_database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return load_settings(
        database_url=empty_database_url,
        redis_url=redis_url,
        imp_home=tmp_path / "home",
        imp_max_upload_bytes=MAX_UPLOAD_BYTES,
    )


@pytest.fixture
def context(settings: Settings, embedder: Embedder) -> Iterator[Context]:
    engine = make_engine(settings.require_database_url())
    context = Context(settings, make_session_factory(engine), SilentBell())
    context.embedder = embedder  # loaded once a test run, not once a test
    yield context
    engine.dispose()


@pytest.fixture
def house(context: Context) -> House:
    return House(context)


@pytest.fixture
def client(context: Context) -> Iterator[TestClient]:
    limits = {**recordings.max_body_bytes(context.settings), **uploads.max_body_bytes(context.settings)}
    app = make_app(context, ROUTERS, max_body_bytes=limits)
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture
def away(settings: Settings, free_port: Any) -> Settings:
    """Settings whose Postgres and Redis nobody serves."""
    url = make_url(settings.require_database_url()).set(port=free_port())
    return load_settings(
        database_url=url.render_as_string(hide_password=False),
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
        imp_home=settings.imp_home,
    )
