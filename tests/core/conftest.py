"""For tests of the job table: sessions that really commit, since claims and rings are about commits."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from core.db import SessionFactory, make_engine, make_session_factory


class HeardBell:
    """Remembers what was rung; `is_broken` plays a broker that is away."""

    def __init__(self) -> None:
        self.rings: list[tuple[str, str, int]] = []
        self.depths: dict[str, int | None] = {}
        self.is_broken = False

    def ring(self, kind: str, queue: str, job_id: int) -> bool:
        self.rings.append((kind, queue, job_id))
        return not self.is_broken

    def depth(self, queue: str) -> int | None:
        return self.depths.get(queue, 0)


@pytest.fixture(scope="module")
def jobs_engine(make_database: Callable[[], str]) -> Iterator[Engine]:
    engine = make_engine(make_database())
    yield engine
    engine.dispose()


@pytest.fixture
def bell() -> HeardBell:
    return HeardBell()


@pytest.fixture
def factory(jobs_engine: Engine, bell: HeardBell) -> SessionFactory:
    with jobs_engine.begin() as connection:
        connection.execute(text("TRUNCATE jobs"))
    return make_session_factory(jobs_engine, doorbell=bell)
