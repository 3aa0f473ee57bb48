"""Health: alive without asking anybody, ready only with everything there, and each missing thing is named."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.routes import health
from app.web import make_app
from core.db import make_engine, make_session_factory
from core.doorbell import SilentBell
from core.settings import Settings
from tests.app.conftest import House
from workers.context import Context


def _client(settings: Settings, **engines: object) -> TestClient:
    factory = make_session_factory(make_engine(settings.require_database_url()))
    context = Context(settings, factory, SilentBell())
    context.__dict__.update(engines)
    return TestClient(make_app(context, [health.router]), raise_server_exceptions=False)


def test_ready_when_everything_is_there(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    reply = client.get("/readyz")
    assert reply.status_code == 200, reply.text
    assert reply.json() == {"postgres": "ok", "migrations": "ok", "redis": "ok", "models": "ok"}


def test_not_ready_names_what_is_away(away: Settings, context: Context) -> None:
    with _client(away, embedder=context.embedder) as client:
        assert client.get("/healthz").status_code == 200
        reply = client.get("/readyz")
    assert reply.status_code == 503
    said = reply.json()
    assert "DATABASE_URL" in said["postgres"]
    assert "REDIS_URL" in said["redis"]
    assert said["models"] == "ok"


def test_not_ready_names_an_old_schema(client: TestClient, house: House) -> None:
    [(newest,)] = house.rows("SELECT version_num FROM alembic_version")
    set_version = text("UPDATE alembic_version SET version_num = :version")
    with house.context.factory.begin() as session:
        session.execute(set_version, {"version": "0000"})
    try:
        reply = client.get("/readyz")
    finally:
        with house.context.factory.begin() as session:
            session.execute(set_version, {"version": newest})
    assert reply.status_code == 503
    assert "imp db upgrade" in reply.json()["migrations"]
    assert reply.json()["postgres"] == "ok"


def test_not_ready_names_a_model_that_is_missing(settings: Settings) -> None:
    broken = settings.model_copy(update={"imp_embedder": "/nowhere/at-all"})
    with _client(broken) as client:
        reply = client.get("/readyz")
    assert reply.status_code == 503
    assert "/nowhere/at-all" in reply.json()["models"]


def test_no_secret_is_said(away: Settings, context: Context) -> None:
    secret = away.require_database_url().partition("://")[2].partition("@")[0].rpartition(":")[2]
    with _client(away, embedder=context.embedder) as client:
        said = client.get("/readyz").text
    assert not secret or secret not in said


def test_metrics_count_rows_whoever_wrote_them(client: TestClient, house: House) -> None:
    house.recording(b"one", state="failed")
    house.recording(b"two", state="failed")
    body = client.get("/metrics").text
    assert 'imp_recordings{state="failed"} 2.0' in body
    assert "imp_job_seconds" in body


@pytest.mark.parametrize("path", ["/v1/jobs/1", "/v1/recordings/1"])
def test_a_database_that_is_away_is_a_pause_not_a_crash(away: Settings, path: str) -> None:
    from app.routes import jobs, recordings

    factory = make_session_factory(make_engine(away.require_database_url()))
    app = make_app(Context(away, factory, SilentBell()), [jobs.router, recordings.router])
    with TestClient(app, raise_server_exceptions=False) as client:
        reply = client.get(path, headers={"Authorization": "Bearer imp_x"})
    assert reply.status_code == 503
    assert reply.headers["Retry-After"]
