"""An empty, migrated database that lives as long as one command; the installation's own data is never touched.

It is made on the Postgres the installation uses, or on an embedded one in a temporary folder when none runs.
"""

import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from app import embedded_postgres
from app.home import free_port, running
from core.db import make_engine, make_session_factory
from core.doorbell import SilentBell
from core.errors import Unavailable
from core.settings import Settings, load_settings
from migrations import schema
from workers.context import Context


@contextmanager
def temporary_context(**overrides: object) -> Iterator[Context]:
    """A worker's context on the empty database, with blobs in a temporary folder; both are gone at the end.

    Args:
        overrides: settings that win over the environment's.

    Raises:
        Unavailable: the installation's Postgres does not answer, or may not create databases.
    """
    with tempfile.TemporaryDirectory(prefix="imp-eval-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        with _empty_database(load_settings(), home) as url:
            engine = make_engine(url)
            try:
                schema.upgrade(engine)
                given = load_settings(
                    **{"database_url": url, "imp_home": home, "imp_blobs": None, **overrides}
                )
                bell = SilentBell()
                yield Context(given, make_session_factory(engine, doorbell=bell), bell)
            finally:
                engine.dispose()


@contextmanager
def _empty_database(settings: Settings, home: Path) -> Iterator[str]:
    server = _server_url(settings)
    if server is not None:
        with _database_on(server) as url:
            yield url
        return
    with _embedded(home) as url:
        yield url


def _server_url(settings: Settings) -> str | None:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    facts = running(settings.imp_home)
    return None if facts is None else str(facts["database_url"])


@contextmanager
def _database_on(server_url: str) -> Iterator[str]:
    name = f"imp_eval_{secrets.token_hex(6)}"
    server = make_url(server_url).set(drivername="postgresql")
    admin = server.render_as_string(hide_password=False)
    try:
        with psycopg.connect(admin, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    except psycopg.Error as exc:
        raise Unavailable(f"no database for the evaluation can be made on {server.host}: {exc}") from exc
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(admin, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def _embedded(home: Path) -> Iterator[str]:
    command = embedded_postgres.prepare(home, port=free_port())
    with (home / "postgres.log").open("w") as log:
        server = subprocess.Popen(
            [*command.argv, "-c", "fsync=off"], cwd="/", stdout=log, stderr=log, **command.identity
        )
    try:
        embedded_postgres.wait_until_ready(command)
        yield command.url
    finally:
        server.send_signal(2)
        server.wait(20)
