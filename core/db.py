"""The door to Postgres: one engine a process, sessions that commit once; knows no table."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from core.doorbell import Doorbell

SessionFactory = sessionmaker[Session]

SERVER_OPTIONS = {
    "timezone": "UTC",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    # A frozen process must not keep its locks for ever; no transaction of ours pauses nearly as long.
    "idle_in_transaction_session_timeout": "300s",
}


def make_engine(database_url: str, *, pool_size: int = 10) -> Engine:
    """An engine on psycopg 3 that survives a restart of the server.

    Connections are checked before use, so after Postgres came back the first statement works again. Both
    ends notice within a minute that the other's machine is gone; else its row locks would stay for hours.
    """
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": "imp",
            "options": " ".join(f"-c {name}={value}" for name, value in SERVER_OPTIONS.items()),
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
        },
    )


def make_session_factory(engine: Engine, *, doorbell: Doorbell | None = None) -> SessionFactory:
    """Sessions that ring `doorbell` after commit for the jobs they enqueued (None: only the sweep rings).

    Rows stay readable after commit; they are copied out, never written late.
    """
    return sessionmaker(engine, expire_on_commit=False, info={"doorbell": doorbell})


@contextmanager
def session_scope(factory: SessionFactory) -> Iterator[Session]:
    """One transaction: commit at the end, roll back on any error."""
    with factory.begin() as session:
        yield session


def is_disconnect(exc: BaseException) -> bool:
    """True when the error means that Postgres went away, not that the statement was wrong."""
    if isinstance(exc, DBAPIError) and exc.connection_invalidated:
        return True
    return isinstance(exc, OperationalError)
