"""What the clock starts: a site is reconciled once a day, however often the clock asks."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from core.tables.documents import Source
from core.tables.jobs import Job
from workers import periodic


@pytest.fixture
def context(session_factory: sessionmaker[Session]) -> Any:
    return SimpleNamespace(factory=session_factory)


def _site(session: Session, name: str, *, synced_h_ago: float | None, state: str = "ready") -> int:
    moment = None if synced_h_ago is None else datetime.now(UTC) - timedelta(hours=synced_h_ago)
    source = Source(name=name, kind="confluence", state=state, full_synced_at=moment)
    session.add(source)
    session.commit()
    return source.id


def test_reconcile_is_due_once_a_day(context: Any, db_session: Session) -> None:
    old = _site(db_session, "old", synced_h_ago=30)
    _site(db_session, "fresh", synced_h_ago=2)
    _site(db_session, "never synced", synced_h_ago=None)
    _site(db_session, "removed", synced_h_ago=30, state="removed")

    periodic.reconcile_all(context)
    periodic.reconcile_all(context)

    keys = db_session.execute(select(Job.key).where(Job.kind == "sync_source")).scalars().all()
    assert keys == [f"{old}:reconcile"]

    db_session.execute(text("UPDATE jobs SET state = 'done', created_at = now() - interval '25 hours'"))
    db_session.commit()
    periodic.reconcile_all(context)
    assert len(db_session.execute(select(Job.key)).scalars().all()) == 2
