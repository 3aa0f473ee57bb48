"""The door to Postgres: one engine a process, sessions that commit once; knows no table."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from core.doorbell import Doorbell

SessionFactory = sessionmaker[Session]


def make_engine(database_url: str, *, pool_size: int = 10) -> Engine:
    """An engine on psycopg 3 that survives a restart of the server.

    Connections are checked before use, so after Postgres came back the first statement works again.
    """
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "options": "-c timezone=UTC", "application_name": "imp"},
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
