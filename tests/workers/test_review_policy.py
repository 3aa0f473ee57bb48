"""What the house's policy makes of a draft: published when proved enough, else reviewed with one reminder."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from core.doorbell import SilentBell
from core.errors import NotConfigured
from core.minutes import Evidence, MinutesDraft, MinutesLine
from core.settings import Settings, load_settings
from core.tables.documents import Source
from core.tables.jobs import Job
from core.tables.meetings import Minutes, Recording
from workers import periodic
from workers.context import Context
from workers.edit_minutes import edit_sections
from workers.minutes import save_draft
from workers.review_policy import settle

SLACK = {"slack_bot_token": "xoxb-1", "slack_signing_secret": "s"}


def settings(**given: Any) -> Settings:
    return load_settings(database_url="postgresql://unused/x", **given)


def line(support: float, **more: Any) -> MinutesLine:
    return MinutesLine("decision", f"Decided with {support}.", (Evidence(0, 0, 0.0, 1.0),), support, **more)


@pytest.fixture
def recording_id(db_session: Session) -> int:
    source = Source(name="uploads", kind="recordings", state="ready")
    db_session.add(source)
    db_session.flush()
    recording = Recording(
        sha256="f" * 64, blob_url="file:///x", file_name="x.wav", size_bytes=1, title="Weekly", source_id=source.id
    )  # fmt: skip
    db_session.add(recording)
    db_session.flush()
    return recording.id


def drafted(session: Session, recording_id: int, *lines: MinutesLine) -> Minutes:
    return session.get_one(Minutes, save_draft(session, recording_id, MinutesDraft(lines, "test")))


def kinds(session: Session) -> list[str]:
    return list(session.execute(select(Job.kind).order_by(Job.id)).scalars())


@pytest.mark.parametrize(
    ("least", "lines", "becomes"),
    [
        (None, [line(1.0)], "draft"),
        (0.9, [line(1.0), line(0.9)], "approved"),
        (0.9, [line(1.0), line(0.89)], "draft"),
        (0.9, [line(0.95, is_flagged=True)], "draft"),
        (0.9, [line(0.95, is_edited=True)], "draft"),
        (0.9, [], "draft"),
    ],
)
def test_only_what_is_proved_is_published_unseen(
    db_session: Session, recording_id: int, least: float | None, lines: list[MinutesLine], becomes: str
) -> None:
    row = drafted(db_session, recording_id, *lines)
    settle(db_session, settings(imp_publish_support=least, **SLACK), row.id)
    assert row.state == becomes
    assert kinds(db_session) == ["publish_minutes" if becomes == "approved" else "ask_review"]


def test_what_a_person_discarded_stays_discarded(db_session: Session, recording_id: int) -> None:
    row = drafted(db_session, recording_id, line(1.0))
    row.state = "discarded"
    settle(db_session, settings(imp_publish_support=0.5), row.id)
    assert row.state == "discarded" and kinds(db_session) == []


@pytest.mark.parametrize("least", ["0", "1.1", "-1", "high"])
def test_a_support_that_is_none(monkeypatch: pytest.MonkeyPatch, least: str) -> None:
    monkeypatch.setenv("IMP_PUBLISH_SUPPORT", least)
    with pytest.raises(NotConfigured, match="IMP_PUBLISH_SUPPORT"):
        settings()


def test_a_reviewer_is_reminded_once(
    db_session: Session, session_factory: sessionmaker[Session], recording_id: int
) -> None:
    given = settings(imp_review_h=40, **SLACK)
    context = Context(given, session_factory, SilentBell())
    row = drafted(db_session, recording_id, line(0.5))
    settle(db_session, given, row.id)
    assert row.review_due_at is not None
    assert abs(row.review_due_at - datetime.now(UTC) - timedelta(hours=40)) < timedelta(minutes=1)
    edited = edit_sections(db_session, row.id, {"decision": "Decided."}, person_id=None)
    db_session.commit()

    periodic.remind_reviewers(context)
    assert kinds(db_session) == ["ask_review"]  # there is time

    db_session.execute(text("UPDATE minutes SET review_due_at = now() + interval '9 hours'"))
    db_session.commit()
    periodic.remind_reviewers(context)
    periodic.remind_reviewers(context)
    reminders = db_session.execute(select(Job.args).where(Job.key.endswith(":remind"))).scalars().all()
    assert reminders == [{"minutes_id": edited, "is_reminder": True}]

    later = edit_sections(db_session, edited, {"decision": "Decided again."}, person_id=None)
    db_session.commit()
    periodic.remind_reviewers(context)
    assert kinds(db_session).count("ask_review") == 2
    assert db_session.get_one(Minutes, later).reminded_at is not None


@pytest.mark.parametrize("given", [{}, {"imp_review_h": 40}, SLACK])
def test_nobody_is_reminded_where_nothing_is_set(
    db_session: Session, session_factory: sessionmaker[Session], recording_id: int, given: dict[str, Any]
) -> None:
    row = drafted(db_session, recording_id, line(0.5))
    row.review_due_at = datetime.now(UTC)
    db_session.commit()
    periodic.remind_reviewers(Context(settings(**given), session_factory, SilentBell()))
    assert kinds(db_session) == [] and db_session.get_one(Minutes, row.id).reminded_at is None
