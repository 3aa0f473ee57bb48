"""Reviewing in Slack's modals: minutes by section, names of speakers, owners of actions."""

import uuid
from typing import Any

import pytest

from connectors.slack.review import DraftLine
from connectors.slack.review_forms import MAX_INPUT_CHARS, ReviewForm, Speaker, filled_of, view
from connectors.slack.review_forms import Shown as Place
from core import jobs
from core.minutes import Evidence, MinutesDraft, MinutesLine
from core.tables.meetings import Minutes, Recording, Segment
from sandbox.slack.blocks import checked_view
from tests.sandbox.slack_driving import ADA, BEN, CHI, PROJECT, until
from tests.workers.slack.conftest import Desk
from workers.minutes import draft_of, save_draft

LINES = (
    MinutesLine("decision", "We take the offer of Norvik.", (Evidence(0, 0, 3.0, 5.0),), 1.0),
    MinutesLine("decision", "The launch moves to Friday.", (Evidence(1, 1, 6.0, 9.0),), 0.6, is_flagged=True),
    MinutesLine("action", "Ben Ortiz will call Norvik.", (Evidence(1, 1, 6.0, 9.0),), 1.0, "Ben Ortiz"),
)


@pytest.fixture
def drafted(desk: Desk) -> int:
    """Minutes given by Ben, readable for staff, announced to Ben."""
    desk.rows("DELETE FROM recordings")
    gate = desk.rows("SELECT id FROM gates WHERE door = 'door:group:staff'")[0][0]
    ben = desk.rows("SELECT id FROM people WHERE email = 'ben@example.com'")[0][0]
    with desk.context.factory.begin() as session:
        recording = Recording(
            sha256=uuid.uuid4().hex, blob_url="file:///x", file_name="x.wav", size_bytes=1, title="Weekly",
            source_id=desk.library.source_id, gate_ids=[gate], submitted_by=ben, state="transcribed",
        )  # fmt: skip
        session.add(recording)
        session.flush()
        for position, speaker in enumerate(["Speaker 1", "Speaker 2", None]):
            session.add(
                Segment(recording_id=recording.id, position=position, start_s=3.0 * position, end_s=3.0 * position + 2,
                        speaker=speaker, text="We take the offer.")
            )  # fmt: skip
        return save_draft(session, recording.id, MinutesDraft(LINES, "test"))


@pytest.fixture
def announced(desk: Desk, drafted: int) -> dict[str, Any]:
    """The message Ben got."""
    for user in (BEN, ADA):  # so that their accounts are known
        desk.slack.act("home", user=user)
    until(
        lambda: len(desk.rows("SELECT 1 FROM jobs WHERE kind = 'show_home'")) == 2,
        "no home tab was asked for",
    )
    with desk.context.factory.begin() as session:
        jobs.enqueue(session, "ask_review", str(drafted), minutes_id=drafted)
    desk.work()
    [message] = desk.said(desk.direct(BEN))
    return message


def opened(desk: Desk, user: str, message: dict[str, Any], action: str) -> dict[str, Any]:
    desk.slack.act("click", user=user, ts=message["ts"], action_id=action)
    stack = until(lambda: desk.slack.state()["open_modals"].get(user), "no modal was opened")
    return dict(desk.slack.state()["views"][stack[-1]])


def newest(desk: Desk) -> Minutes:
    with desk.context.factory() as session:
        return session.query(Minutes).order_by(Minutes.id.desc()).limit(1).one()


def test_a_section_is_edited_and_the_message_follows(
    desk: Desk, drafted: int, announced: dict[str, Any]
) -> None:
    shown = str(opened(desk, BEN, announced, "minutes_edit"))
    assert "We take the offer of Norvik.\\nThe launch moves to Friday." in shown
    assert "Please check line 2." in shown
    said = "We take the offer of Norvik.\nThe launch moves to Monday."
    reply = desk.slack.act("submit_view", user=BEN, values={"section:decision": {"value": said}})
    assert reply["closed"]
    row = newest(desk)
    kept, moved, action = draft_of(row).lines
    assert (kept, action) == (LINES[0], LINES[2])
    assert (moved.text, moved.is_edited, moved.evidence) == (
        "The launch moves to Monday.",
        True,
        LINES[1].evidence,
    )
    assert row.edited_by is not None
    desk.work()
    [message] = desk.said(desk.direct(BEN))
    assert "moves to Monday" in str(message["blocks"]) and "moves to Friday" not in str(message["blocks"])
    desk.slack.act("click", user=BEN, ts=message["ts"], action_id="minutes_approve")
    desk.taken("review_minutes")
    desk.work(once=True)
    assert newest(desk).state == "approved"


def test_somebody_elses_edit_is_not_lost(desk: Desk, drafted: int, announced: dict[str, Any]) -> None:
    opened(desk, BEN, announced, "minutes_edit")
    desk.rows("UPDATE minutes SET state = 'superseded' WHERE id = :id", id=drafted)
    desk.rows(
        "INSERT INTO minutes (recording_id, version, lines, engine) "
        "SELECT recording_id, 2, lines, engine FROM minutes WHERE id = :id", id=drafted,
    )  # fmt: skip
    reply = desk.slack.act("submit_view", user=BEN, values={"section:decision": {"value": "Mine."}})
    assert "meanwhile" in str(reply["errors"]) and not reply["closed"]


def test_minutes_without_lines_are_refused_in_the_modal(desk: Desk, announced: dict[str, Any]) -> None:
    opened(desk, BEN, announced, "minutes_edit")
    empty = {"section:decision": {"value": ""}, "section:action": {"value": ""}}
    assert "1 to 500 lines" in str(desk.slack.act("submit_view", user=BEN, values=empty)["errors"])


def test_speakers_get_names_also_each_others(desk: Desk, announced: dict[str, Any]) -> None:
    shown = str(opened(desk, BEN, announced, "minutes_speakers"))
    assert "Speaker ?" in shown and "?t=3|listen" in shown
    names = {"Speaker 1": "Speaker 2", "Speaker 2": "Speaker 1", "Speaker ?": "Ada Weber"}
    values = {f"speaker:{old}": {"value": new} for old, new in names.items()}
    assert desk.slack.act("submit_view", user=BEN, values=values)["closed"]
    speakers = [row.speaker for row in desk.rows("SELECT speaker FROM segments ORDER BY position")]
    assert speakers == ["Speaker 2", "Speaker 1", "Ada Weber"]


def test_an_action_is_assigned(desk: Desk, announced: dict[str, Any]) -> None:
    shown = opened(desk, BEN, announced, "minutes_assign")
    [element] = [block["element"] for block in shown["blocks"] if block["type"] == "input"]
    assert element["initial_user"] == BEN
    assert desk.slack.act("submit_view", user=BEN, values={"action:2": {"value": ADA}})["closed"]
    action = draft_of(newest(desk)).lines[2]
    assert (action.text, action.owner, action.is_edited) == ("Ada Weber will call Norvik.", "Ada Weber", True)


def test_nothing_chosen_changes_nothing(desk: Desk, drafted: int, announced: dict[str, Any]) -> None:
    opened(desk, BEN, announced, "minutes_assign")
    assert desk.slack.act("submit_view", user=BEN, values={})["closed"]
    assert newest(desk).id == drafted


def test_who_may_not_open_the_recording_sees_no_line(desk: Desk, drafted: int) -> None:
    client = desk.slack.client()
    button = {"type": "button", "text": {"type": "plain_text", "text": "Edit"}, "action_id": "minutes_edit",
              "value": str(drafted)}  # fmt: skip
    posted = client.chat_postMessage(
        channel=PROJECT, text="x", blocks=[{"type": "actions", "elements": [button]}]
    )
    desk.slack.act("click", user=CHI, ts=posted["ts"], action_id="minutes_edit")
    until(lambda: [m for m in desk.said(PROJECT) if m["visible_to"] == CHI], "Chi was told nothing")
    assert not desk.slack.state()["open_modals"].get(CHI)
    assert "Norvik" not in str(desk.said(PROJECT))


def form(*lines: DraftLine, speakers: tuple[Speaker, ...] = ()) -> ReviewForm:
    return ReviewForm(7, "A <title> & more", "https://imp.example/recordings/1#minutes", lines, speakers)


def test_a_long_section_is_left_to_the_browser() -> None:
    fits = DraftLine("decision", "x" * MAX_INPUT_CHARS)
    made = view(form(fits, DraftLine("topic", "😀" * (MAX_INPUT_CHARS // 2 + 1))), "edit", Place())
    checked_view(made)
    inputs = {block["block_id"]: block for block in made["blocks"] if block["type"] == "input"}
    assert len(inputs["section:decision"]["element"]["initial_value"]) == MAX_INPUT_CHARS
    assert "section:topic" not in inputs and "Edit it in the browser" in str(made["blocks"])


def test_many_rows_fit_into_a_modal() -> None:
    actions = form(
        *[DraftLine("action", f"Somebody will do {n} <{'y' * 900}>", due="2026-05-01") for n in range(150)]
    )
    assert "105 more actions" in str(checked_view(view(actions, "assign", Place("C1", "1.2"))))
    voices = form(
        speakers=tuple(Speaker(f"Voice {n} {'z' * 180}", 1, "https://x.example") for n in range(60))
    )
    assert "15 more speakers" in str(checked_view(view(voices, "speakers", Place())))


@pytest.mark.parametrize("metadata", ["", "7", "{", '{"minutes_id": null}', "[1]"])
def test_what_is_no_modal_of_ours(metadata: str) -> None:
    sent = {"callback_id": "minutes_edit", "private_metadata": metadata, "state": {"values": {}}}
    assert filled_of(sent) is None


def asked_by_policy(desk: Desk, minutes_id: int, *, is_reminder: bool = False, **given: Any) -> None:
    """Run the announcement under other settings."""
    from core.doorbell import SilentBell
    from workers.context import Context

    changed = desk.context.settings.model_copy(update=given)
    with desk.context.factory.begin() as session:
        more = {"is_reminder": True} if is_reminder else {}
        jobs.enqueue(session, "ask_review", str(minutes_id), minutes_id=minutes_id, **more)
    Desk(desk.slack, desk.sent, Context(changed, desk.context.factory, SilentBell()), desk.library).work()


@pytest.mark.parametrize(
    ("policy", "n_in_channel", "n_direct"), [("channel", 1, 0), ("both", 1, 1), ("organizer", 0, 1)]
)
def test_who_is_asked_is_policy(
    desk: Desk, announced: dict[str, Any], drafted: int, policy: str, n_in_channel: int, n_direct: int
) -> None:
    desk.slack.client().chat_delete(channel=desk.direct(BEN), ts=announced["ts"])
    asked_by_policy(desk, drafted, imp_review_ask=policy, slack_announce_channel=PROJECT)
    in_channel = desk.said(PROJECT)
    assert len(in_channel) == n_in_channel and len(desk.said(desk.direct(BEN))) == n_direct
    assert "Norvik" not in str(in_channel)  # Chi reads there and may not open it


def test_without_a_channel_the_organizer_is_asked_all_the_same(
    desk: Desk, announced: dict[str, Any], drafted: int
) -> None:
    desk.slack.client().chat_delete(channel=desk.direct(BEN), ts=announced["ts"])
    asked_by_policy(desk, drafted, imp_review_ask="channel", slack_announce_channel=None)
    assert len(desk.said(desk.direct(BEN))) == 1


def test_a_reminder_says_until_when(desk: Desk, announced: dict[str, Any], drafted: int) -> None:
    desk.rows("UPDATE minutes SET review_due_at = '2026-05-09 12:00+00'")
    asked_by_policy(desk, drafted, is_reminder=True)
    asked_by_policy(desk, drafted, is_reminder=True)
    _, reminder = desk.said(desk.direct(BEN))
    said = str(reminder["blocks"])
    assert "Minutes still to review" in said and "09 May 2026, 12:00 UTC" in said and "minutes_edit" in said
