"""What one can do with an answer: ask on, ask people, stand for it; and ask about a message."""

import json
from typing import Any

import pytest

from tests.journeys.slack.library import STAFF
from tests.sandbox.slack_driving import ADA, BEN, CHI, GENERAL, LEADS, PROJECT, until
from tests.workers.slack.conftest import Desk

KESTREL = "Why was the Kestrel launch moved?"
LATE = "supplier Norvik delivered late"
OFFICE = "When does the Berlin office open?"
Message = dict[str, Any]


@pytest.fixture(autouse=True)
def nobody_is_named(desk: Desk) -> None:
    desk.rows("DELETE FROM slack_channels")
    desk.rows("DELETE FROM verified_answers")
    desk.rows("UPDATE people SET is_admin = false")
    desk.rows("UPDATE documents SET author = NULL")


def command(desk: Desk, user: str, text: str, channel: str = GENERAL) -> Message:
    desk.slack.act("command", user=user, channel=channel, command="/ask", text=text)
    desk.taken("answer_question")
    desk.work()
    return [m for m in desk.said(channel) if m["visible_to"] == user and m["blocks"]][-1]


def mention(desk: Desk, user: str, text: str, channel: str = GENERAL) -> Message:
    desk.slack.act("message", user=user, channel=channel, text=f"@imp {text}")
    desk.taken("answer_question")
    desk.work()
    return [m for m in desk.said(channel) if not m["visible_to"]][-1]


def shown(message: Message) -> str:
    return message["text"] + json.dumps(message["blocks"], ensure_ascii=False)


def names_expert(desk: Desk, user: str, channel: str = GENERAL) -> None:
    desk.rows(
        "INSERT INTO slack_channels (team, channel, experts) VALUES ('T0SANDBOX1', :channel, ARRAY[:user])",
        channel=channel, user=user,
    )  # fmt: skip


def test_the_box_under_a_private_answer_asks_on(desk: Desk) -> None:
    answer = command(desk, ADA, KESTREL)
    box = answer["blocks"][-1]
    assert box["type"] == "input" and box["dispatch_action"]
    desk.slack.act(
        "click", user=ADA, ts=answer["ts"], action_id="follow_up", value="and to which date was it moved?"
    )
    desk.taken("answer_question")
    desk.work()
    said = shown(desk.said(GENERAL)[-1])
    assert "Understood as: and to which date was it moved? (Kestrel launch)" in said and "14 March" in said
    assert any("Looking" in m["text"] for m in desk.said(GENERAL))


def test_a_direct_message_needs_no_box(desk: Desk) -> None:
    channel = desk.direct(ADA)
    desk.slack.act("message", user=ADA, channel=channel, text=OFFICE)
    desk.taken("answer_question")
    desk.work()
    assert "input" not in [block["type"] for block in desk.said(channel)[-1]["blocks"]]


def test_a_forged_context_is_not_leant_on(desk: Desk) -> None:
    theirs = command(desk, ADA, "How much does the Orchid severance package pay?")
    number = theirs["blocks"][-1]["block_id"]
    mine = command(desk, CHI, OFFICE)
    view = {"type": "block_actions", "actions": [{"block_id": number, "value": "and when?"}],
            "user": {"id": CHI}, "channel": {"id": GENERAL}, "trigger_id": "forged"}  # fmt: skip
    from connectors.slack.listeners.follow_ups import follow_up_of
    from workers.slack_inbox import SlackInbox

    asked = follow_up_of(view)
    assert asked is not None and mine
    SlackInbox(desk.context).ask(asked)
    assert (
        desk.rows("SELECT place->>'understood' AS it FROM questions ORDER BY id DESC LIMIT 1")[0].it is None
    )


def test_people_are_asked_in_the_thread_with_the_question_alone(desk: Desk) -> None:
    names_expert(desk, BEN, PROJECT)
    desk.slack.act("membership", user=ADA, channel=PROJECT, act="invite_bot")
    answer = command(desk, ADA, "How much does the Orchid severance package pay?", PROJECT)
    assert "nine monthly salaries" in shown(answer)
    desk.slack.act("click", user=ADA, ts=answer["ts"], action_id="needs_human")
    desk.taken("ask_human")
    desk.work()
    [asked] = [m for m in desk.said(PROJECT) if not m["visible_to"]]
    assert f"<@{BEN}>" in asked["text"] and f"<@{ADA}>" in asked["text"]
    assert "How much does the Orchid severance package pay?" in asked["text"]
    assert "nine monthly" not in shown(asked) and "wiki.example" not in shown(asked)
    desk.slack.act("click", user=ADA, ts=answer["ts"], action_id="needs_human")
    until(lambda: "asked about this already" in shown(desk.said(PROJECT)[-1]), "a second time")
    desk.work()
    assert len([m for m in desk.said(PROJECT) if not m["visible_to"]]) == 1


def test_the_author_of_a_page_not_all_may_open_is_asked_alone(desk: Desk) -> None:
    desk.rows("UPDATE documents SET author = 'acc-ben' WHERE title = 'Kestrel launch'")
    command(desk, BEN, OFFICE)  # from now on Ben's Slack account is known
    answer = command(desk, ADA, KESTREL)
    desk.slack.act("click", user=ADA, ts=answer["ts"], action_id="needs_human")
    desk.taken("ask_human")
    desk.work()
    assert not [m for m in desk.said(GENERAL) if not m["visible_to"]]
    asked = desk.said(desk.direct(BEN))[-1]
    assert KESTREL in asked["text"] and LATE not in shown(asked)
    assert f"I asked <@{BEN}> alone." in desk.said(GENERAL)[-1]["text"]


def test_nobody_to_ask_is_said(desk: Desk) -> None:
    answer = mention(desk, ADA, OFFICE)
    desk.slack.act("click", user=ADA, ts=answer["ts"], action_id="needs_human")
    desk.taken("ask_human")
    desk.work()
    told = desk.said(GENERAL)[-1]
    assert "I know nobody to ask" in told["text"] and told["visible_to"] == ADA


def test_an_expert_mends_and_stands_for_an_answer(desk: Desk) -> None:
    names_expert(desk, ADA)
    answer = mention(desk, BEN, OFFICE)
    desk.slack.act("click", user=ADA, ts=answer["ts"], action_id="more", value=_wish(answer))
    view = until(lambda: desk.slack.state()["open_modals"].get(ADA), "no modal was opened")
    assert view
    mended = "At eight [1], on Fridays at nine."
    desk.slack.act(
        "submit_view", user=ADA, values={"question": {"question": OFFICE}, "answer": {"answer": mended}}
    )
    desk.taken("verify_answer")
    desk.work()
    assert "Thank you" in desk.said(desk.direct(ADA))[-1]["text"]
    again = mention(desk, CHI, "when does the BERLIN office open")
    assert "on Fridays at nine" in shown(again) and "Verified by Ada Weber on 20" in shown(again)
    assert "overflow" not in shown(again)
    assert (
        desk.rows("SELECT trace FROM questions ORDER BY id DESC LIMIT 1")[0].trace["verified"]["by"]
        == "Ada Weber"
    )


def test_who_is_no_expert_or_may_not_open_the_source_cannot(desk: Desk) -> None:
    answer = mention(desk, ADA, KESTREL, LEADS)
    desk.slack.act("click", user=BEN, ts=answer["ts"], action_id="more", value=_wish(answer))
    until(lambda: "Only admins and" in shown(desk.said(LEADS)[-1]), "Ben is no expert")
    names_expert(desk, BEN, LEADS)
    desk.rows("UPDATE gates SET principals = '{user:acc-ada}' WHERE door = 'door:group:staff'")
    try:
        desk.slack.act("click", user=BEN, ts=answer["ts"], action_id="more", value=_wish(answer))
        until(lambda: "may not open everything" in shown(desk.said(LEADS)[-1]), "Ben may not open it")
    finally:
        desk.rows("UPDATE gates SET principals = ARRAY[:staff] WHERE door = 'door:group:staff'", staff=STAFF)
    assert not desk.slack.state()["open_modals"].get(BEN)


def test_ask_about_a_message(desk: Desk) -> None:
    about = desk.slack.act("message", user=BEN, channel=GENERAL, text="When does the Berlin office open? <b>")
    desk.slack.act("shortcut", user=ADA, callback_id="ask_about", ts=about["ts"], channel=GENERAL)
    until(lambda: desk.slack.state()["open_modals"].get(ADA), "no modal was opened")
    desk.slack.act("submit_view", user=ADA, values={"question": {"question": OFFICE}})
    desk.taken("answer_question")
    desk.work()
    answer = desk.said(GENERAL)[-1]
    assert answer["visible_to"] == ADA and "eight o'clock" in shown(answer)


def test_a_message_without_a_recording_has_no_minutes(desk: Desk) -> None:
    about = desk.slack.act("message", user=BEN, channel=GENERAL, text="Good morning")
    desk.slack.act("shortcut", user=BEN, callback_id="draft_minutes", ts=about["ts"], channel=GENERAL)
    until(lambda: "no recording" in shown(desk.said(GENERAL)[-1]), "it was not said")


def _wish(answer: Message) -> str:
    actions = next(block for block in answer["blocks"] if block["type"] == "actions")
    menu = next(one for one in actions["elements"] if one["type"] == "overflow")
    return str(menu["options"][0]["value"])
