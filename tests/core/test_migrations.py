"""The schema goes up and down on a real Postgres and agrees with the models."""

from collections.abc import Callable

from sqlalchemy import inspect, text

from core.db import make_engine
from migrations import schema


def test_down_and_up_again(make_database: Callable[[], str]) -> None:
    engine = make_engine(make_database())
    before = set(inspect(engine).get_table_names())
    schema.downgrade(engine)
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    schema.upgrade(engine)
    assert set(inspect(engine).get_table_names()) == before
    engine.dispose()


def test_models_and_migrations_agree(make_database: Callable[[], str]) -> None:
    engine = make_engine(make_database())
    schema.check(engine)
    now, newest = schema.current(engine)
    assert now == newest is not None
    with engine.connect() as connection:
        version = connection.execute(
            text("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        ).scalar_one()
    assert tuple(int(part) for part in version.split(".")) >= (0, 8)
    engine.dispose()
