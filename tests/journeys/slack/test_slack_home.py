"""What people see and do beyond questions: the home tab, reviewing minutes, admins' words."""

import json
import uuid
from typing import Any

from core.tables.meetings import Minutes, Recording
from tests.journeys.slack.house import House, Recorder
from tests.journeys.slack.library import Library
from tests.journeys.slack.seen import bot_messages, saying, shown, wait_for
from tests.sandbox.slack_driving import ADA, BEN, CHI, GENERAL, PROJECT, SlackSandbox, until


def person_id(house: House, email: str) -> int:
    return int(house.rows("SELECT id FROM people WHERE email = :email", email=email)[0][0])


def drafted(house: House, library: Library, title: str, *, door: str, submitted_by: int | None) -> int:
    """A recording with drafted minutes behind one door; its review is asked for. Returns the minutes' id."""
    gate = house.rows("SELECT id FROM gates WHERE door = :door", door=f"door:{door}")[0][0]
    with library.factory.begin() as session:
        recording = Recording(
            sha256=uuid.uuid4().hex, blob_url="file:///x", file_name="x.wav", size_bytes=1, title=title,
            source_id=library.source_id, gate_ids=[gate], submitted_by=submitted_by, state="transcribed",
        )  # fmt: skip
        session.add(recording)
        session.flush()
        line = {"section": "decision", "text": "We take the <!channel> offer of Norvik.", "evidence": [[0, 0, 0, 1]],
                "support": 1.0}  # fmt: skip
        row = Minutes(recording_id=recording.id, version=1, lines=[line], engine="test")
        session.add(row)
        session.flush()
        minutes_id = row.id
    house.rows(
        "INSERT INTO jobs (kind, key, queue, args) VALUES ('ask_review', :key, 'io', CAST(:args AS jsonb))",
        key=str(minutes_id), args=json.dumps({"minutes_id": minutes_id}),
    )  # fmt: skip
    return minutes_id


def state_of(house: House, minutes_id: int) -> str:
    return str(house.rows("SELECT state FROM minutes WHERE id = :id", id=minutes_id)[0][0])


def ask_something(slack: SlackSandbox, *users: str) -> None:
    """So that their Slack accounts are known."""
    for user in users:
        slack.act("command", user=user, channel=GENERAL, command="/ask", text="When does the office open?")
    until(lambda: len(saying(slack, GENERAL, "Show sources")) >= len(users), "not answered", 40)


def home_of(slack: SlackSandbox, user: str) -> dict[str, Any]:
    slack.act("home", user=user)
    view_id = until(lambda: slack.state()["homes"].get(user), "no home tab was drawn", 20)
    return dict(slack.state()["views"][view_id if isinstance(view_id, str) else view_id["id"]])


def test_the_submitter_reviews_in_a_direct_message(
    house: House, slack: SlackSandbox, library: Library
) -> None:
    ask_something(slack, BEN)
    minutes_id = drafted(
        house, library, "Weekly of Ben", door="group:staff", submitted_by=person_id(house, "ben@example.com")
    )
    direct = slack.act("direct", user=BEN, **{"with": "imp"})["channel"]
    message = wait_for(slack, direct, "Weekly of Ben")
    assert "We take the &lt;!channel&gt; offer of Norvik." in shown(message)
    slack.act("click", user=BEN, ts=message["ts"], action_id="minutes_approve")
    wait_for(slack, direct, "Approved by")
    assert state_of(house, minutes_id) == "approved"
    assert house.rows("SELECT 1 FROM jobs WHERE kind = 'publish_minutes'")


def test_a_channel_reviews_without_the_lines_and_each_click_is_checked(
    house: House, slack: SlackSandbox, library: Library, sent: Recorder
) -> None:
    minutes_id = drafted(house, library, "Board meeting", door="group:staff", submitted_by=None)
    message = wait_for(slack, PROJECT, "not everyone here may open")  # Chi reads there too
    assert "Norvik" not in shown(message) and "Board" not in shown(message)
    slack.act("click", user=CHI, ts=message["ts"], action_id="minutes_discard")
    refused = wait_for(slack, PROJECT, "can review its minutes")
    assert refused["visible_to"] == CHI
    assert state_of(house, minutes_id) == "draft"
    slack.act("click", user=BEN, ts=message["ts"], action_id="minutes_discard")
    wait_for(slack, PROJECT, "Discarded by")
    assert state_of(house, minutes_id) == "discarded"
    assert "Norvik" not in "".join(one.body for one in sent.sent)


def test_the_home_tab_shows_what_the_person_may_see(
    house: House, slack: SlackSandbox, library: Library
) -> None:
    house.rows("UPDATE people SET is_admin = (email = 'ada@example.com')")
    ask_something(slack, ADA, CHI)
    minutes_id = drafted(house, library, "Quarterly of staff", door="group:staff", submitted_by=None)
    wait_for(slack, PROJECT, "Minutes to review")
    adas, chis = str(home_of(slack, ADA)), str(home_of(slack, CHI))
    assert "Quarterly of staff" in adas and "🛠️ Admin" in adas and "When does the office open?" in adas
    assert "Quarterly of staff" not in chis and "🛠️ Admin" not in chis and "not linked" in chis
    view = home_of(slack, ADA)
    slack.act(
        "click", user=ADA, view_id=view["id"], action_id="minutes_discard", block_id=f"minutes_{minutes_id}"
    )
    until(lambda: state_of(house, minutes_id) == "discarded", "the click in the home tab did nothing")


def test_admins_words_are_for_admins(house: House, slack: SlackSandbox) -> None:
    house.rows("UPDATE people SET is_admin = (email = 'ada@example.com')")
    slack.act("command", user=BEN, channel=GENERAL, command="/imp", text="status")
    assert wait_for(slack, GENERAL, "Only admins")["visible_to"] == BEN
    slack.act("command", user=ADA, channel=GENERAL, command="/imp", text="status")
    assert wait_for(slack, GENERAL, "documents")["visible_to"] == ADA
    slack.act("command", user=ADA, channel=GENERAL, command="/imp", text="sync now")
    wait_for(slack, GENERAL, "Syncing started")
    until(lambda: house.rows("SELECT 1 FROM jobs WHERE kind = 'sync_source'"), "no sync was enqueued")
    slack.act("command", user=ADA, channel=GENERAL, command="/imp", text="")
    wait_for(slack, GENERAL, "/imp help")
    assert "admin_word" in house.log("worker")
    assert len(bot_messages(slack, GENERAL)) == 8


def test_a_closed_meetings_title_is_not_announced(
    house: House, slack: SlackSandbox, library: Library, sent: Recorder
) -> None:
    minutes_id = drafted(house, library, "Layoffs in Berlin", door="group:staff", submitted_by=None)
    house.rows(
        "UPDATE minutes SET state = 'published', page_url = 'https://wiki.example/Layoffs+in+Berlin' WHERE id = :id",
        id=minutes_id,
    )
    house.rows(
        "INSERT INTO jobs (kind, key, queue, args) VALUES ('announce_minutes', :key, 'io', CAST(:args AS jsonb))",
        key="closed", args=json.dumps({"minutes_id": minutes_id}),
    )  # fmt: skip
    wait_for(slack, PROJECT, "Minutes are ready")
    assert "Layoffs" not in "".join(one.body for one in sent.sent)


def test_published_minutes_are_announced_once_without_a_line_of_them(
    house: House, slack: SlackSandbox, library: Library, sent: Recorder
) -> None:
    minutes_id = drafted(house, library, "Planning <!channel>", door="anyone", submitted_by=None)
    house.rows(
        "UPDATE minutes SET state = 'published', page_url = 'https://wiki.example/minutes' WHERE id = :id",
        id=minutes_id,
    )
    slack.put("faults", rules=[{"method": "chat.postMessage", "kind": "server_error", "count": 1}])
    for key in ("first", "second"):
        house.rows(
            "INSERT INTO jobs (kind, key, queue, args) VALUES ('announce_minutes', :key, 'io', CAST(:args AS jsonb))",
            key=key, args=json.dumps({"minutes_id": minutes_id}),
        )  # fmt: skip
        until(
            lambda key=key: house.rows(
                "SELECT 1 FROM jobs WHERE kind = 'announce_minutes' AND key = :key AND state = 'done'",
                key=key,
            ),
            "the job did not end",
            30,
        )
    message = wait_for(slack, PROJECT, "<https://wiki.example/minutes|Planning &lt;!channel&gt;>")
    assert "1 decision" in shown(message)
    assert len(saying(slack, PROJECT, "Minutes are ready")) == 1
    assert "Norvik" not in "".join(one.body for one in sent.sent)
