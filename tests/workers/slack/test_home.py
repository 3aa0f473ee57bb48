"""The home tab: what one person has to do, to review and to know, and nothing of anybody else's."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from core.tables.action_items import ActionItem
from core.tables.meetings import Minutes, Recording
from tests.journeys.slack.library import STAFF
from tests.sandbox.slack_driving import ADA, BEN, CHI, EVE
from tests.workers.slack.conftest import Desk

TODAY = datetime.now(UTC).date()


@pytest.fixture(autouse=True)
def nothing_was_recorded(desk: Desk) -> None:
    desk.rows("DELETE FROM recordings")
    desk.rows("UPDATE people SET is_admin = false")


def recorded(desk: Desk, title: str, door: str = STAFF, **facts: Any) -> int:
    gate = desk.rows("SELECT id FROM gates WHERE door = :door", door=f"door:{door}")[0][0]
    with desk.context.factory.begin() as session:
        row = Recording(
            sha256=uuid.uuid4().hex, blob_url="file:///x", file_name="x.wav", size_bytes=1, title=title,
            source_id=desk.library.source_id, gate_ids=[gate], **{"state": "transcribed", **facts},
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id


def has_to(desk: Desk, recording_id: int, words: str, account: str, **facts: Any) -> None:
    with desk.context.factory.begin() as session:
        session.add(
            ActionItem(
                recording_id=recording_id, line_id=uuid.uuid4().hex, position=0, text=words, account_id=account,
                page_id="900", page_url="https://wiki.example/minutes-of-it", page_version=1, **facts,
            )
        )  # fmt: skip


def home(desk: Desk, user: str) -> str:
    desk.slack.act("home", user=user)
    desk.taken("show_home")
    assert desk.work() == ["done"]
    state = desk.slack.state()
    view = state["homes"][user]
    return json.dumps(state["views"][view if isinstance(view, str) else view["id"]], ensure_ascii=False)


def test_what_i_have_to_do_with_what_is_overdue(desk: Desk) -> None:
    meeting = recorded(desk, "Weekly <!channel>")
    due = TODAY - timedelta(days=3)
    has_to(desk, meeting, "Call the <!here> supplier", "acc-ada", due=due)
    has_to(desk, meeting, "Book the hall", "acc-ada", due=TODAY)
    has_to(desk, meeting, "Write the report", "acc-ada")
    has_to(desk, meeting, "Pay the invoice", "acc-ada", is_done=True)
    has_to(desk, meeting, "Paint the wall", "acc-ben")
    shown = home(desk, ADA)
    assert f"Overdue since {due.day} {due:%B %Y}" in shown and shown.count("Overdue") == 1
    assert f"Due {TODAY.day} {TODAY:%B %Y}" in shown
    assert "Call the &lt;!here&gt; supplier" in shown and "Write the report" in shown
    assert "<https://wiki.example/minutes-of-it|Weekly &lt;!channel&gt;>" in shown
    assert "Pay the invoice" not in shown and "Paint the wall" not in shown
    assert "Paint the wall" in home(desk, BEN) and "supplier" not in home(desk, CHI)


def test_what_is_too_much_for_the_tab_is_counted(desk: Desk) -> None:
    meeting = recorded(desk, "Long meeting")
    for number in range(11):
        has_to(desk, meeting, f"Thing {number}", "acc-ada")
    assert "…and 3 more" in home(desk, ADA)


def test_who_is_not_linked_is_offered_to_connect(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not linked" in home(desk, CHI) and "/connect/atlassian" not in home(desk, CHI)
    app = {"atlassian_client_id": "app", "atlassian_client_secret": SecretStr("secret")}
    monkeypatch.setattr(desk.context, "settings", desk.context.settings.model_copy(update=app))
    assert "/connect/atlassian?ticket=" in home(desk, CHI)
    assert "/connect/atlassian" not in home(desk, ADA)
    eves = home(desk, EVE)  # of another organization: only an admin may link her
    assert "not linked" in eves and "/connect/atlassian" not in eves


def test_recordings_with_how_far_they_are(desk: Desk) -> None:
    running = recorded(desk, "Board call", state="transcribing")
    recorded(desk, "Closed call", door="user:acc-ada")
    progress = json.dumps({"done": 300, "total": 1200})
    desk.rows(
        "INSERT INTO jobs (kind, key, queue, state, progress, heartbeat_at) "
        "VALUES ('transcribe_recording', :key, 'speech', 'running', CAST(:progress AS jsonb), now())",
        key=str(running), progress=progress,
    )  # fmt: skip
    bens = home(desk, BEN)
    assert "being transcribed  ▰▰▱▱▱▱▱▱▱▱ 25%" in bens and "Closed call" not in bens


def test_a_draft_waits_for_who_may_review_it(desk: Desk) -> None:
    with desk.context.factory.begin() as session:
        recording_id = recorded(desk, "Retro")
        session.add(Minutes(recording_id=recording_id, version=1, lines=[], engine="test"))
    assert "waiting for your review" in home(desk, BEN)
    assert "Retro" not in home(desk, CHI)


def test_admins_see_how_it_stands_and_may_sync(desk: Desk) -> None:
    assert "🛠️ Admin" not in home(desk, ADA)
    desk.rows("UPDATE people SET is_admin = true WHERE email = 'ada@example.com'")
    desk.rows(
        "INSERT INTO jobs (kind, key, queue, state, error) VALUES ('ping', 'x', 'io', 'failed', 'broke')"
    )
    shown = home(desk, ADA)
    assert "🛠️ Admin" in shown and "1 jobs failed" in shown and "admin_sync" in shown
    view_id = desk.slack.state()["homes"][ADA]
    desk.slack.act("click", user=ADA, view_id=view_id, action_id="admin_sync")
    desk.taken("admin_word")
    desk.work(once=True)
    assert desk.rows("SELECT 1 FROM jobs WHERE kind = 'sync_source'")
    assert "Syncing started" in desk.said(desk.direct(ADA))[-1]["text"]
