"""The engine outlives its connections, and its sessions carry their limits."""

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from core.db import SERVER_OPTIONS, is_disconnect, make_session_factory, session_scope


def end_sessions(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'imp' AND datname = current_database()"
        )


@pytest.fixture
def url(jobs_engine: Engine) -> str:
    return jobs_engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def test_a_pool_of_dead_connections_works_at_the_next_statement(jobs_engine: Engine, url: str) -> None:
    with jobs_engine.connect() as one, jobs_engine.connect() as two:
        one.execute(text("SELECT 1"))
        two.execute(text("SELECT 1"))
    end_sessions(url)
    for _ in range(3):
        with jobs_engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_session_cut_in_its_transaction_fails_as_a_disconnect_and_writes_nothing(
    jobs_engine: Engine, url: str
) -> None:
    factory = make_session_factory(jobs_engine)
    with pytest.raises(OperationalError) as caught, session_scope(factory) as session:
        _write_and_be_cut_off(session, url)
    assert is_disconnect(caught.value)
    with session_scope(factory) as session:
        assert session.execute(text("SELECT to_regclass('half')")).scalar_one() is None


def _write_and_be_cut_off(session: Session, url: str) -> None:
    session.execute(text("CREATE TABLE half (n int)"))
    end_sessions(url)
    session.execute(text("SELECT 1"))


def test_a_wrong_statement_is_no_disconnect(jobs_engine: Engine) -> None:
    with pytest.raises(ProgrammingError) as caught, jobs_engine.connect() as connection:
        connection.execute(text("SELECT * FROM nothing_of_that_name"))
    assert not is_disconnect(caught.value)


def test_sessions_carry_their_limits(jobs_engine: Engine) -> None:
    with jobs_engine.connect() as connection:
        for name, value in SERVER_OPTIONS.items():
            assert connection.execute(text(f"SELECT current_setting('{name}')")).scalar_one() in (
                value,
                "5min",
            )
