"""A conversation goes on: follow-ups without a mention, sources on demand, a reason for a thumb down."""

import time
from collections.abc import Callable

from tests.journeys.slack.house import House
from tests.journeys.slack.seen import bot_messages, saying, shown, wait_for
from tests.journeys.slack.test_slack_leaks import all_done
from tests.sandbox.slack_driving import ADA, BEN, CHI, GENERAL, LEADS, SlackSandbox, until

KESTREL = "Why was the Kestrel launch moved?"
LATE = "supplier Norvik delivered late"


def test_a_follow_up_needs_no_mention_and_leans_on_the_question_before(
    house: House, slack: SlackSandbox
) -> None:
    asked = slack.act("message", user=ADA, channel=LEADS, text=f"@imp {KESTREL}")
    wait_for(slack, LEADS, LATE)
    slack.act("message", user=BEN, channel=LEADS, text="Thanks, good to know.", thread_ts=asked["ts"])
    slack.act(
        "message", user=BEN, channel=LEADS, text="and to which date was it moved?", thread_ts=asked["ts"]
    )
    answer = wait_for(slack, LEADS, "Understood as")
    assert "Kestrel launch" in shown(answer)
    assert "14 March" in shown(wait_for(slack, LEADS, "14 March"))
    all_done(house)
    assert len([m for m in bot_messages(slack, LEADS) if m["thread_ts"] == asked["ts"]]) == 2
    assert house.rows(
        "SELECT 1 FROM questions WHERE text = 'and to which date was it moved?' "
        "AND place->>'understood' LIKE '%(Kestrel launch)'"
    )


def test_a_direct_message_goes_on_too(house: House, slack: SlackSandbox) -> None:
    channel = slack.act("direct", user=BEN, **{"with": "imp"})["channel"]
    slack.act("message", user=BEN, channel=channel, text="When does the Berlin office open?")
    wait_for(slack, channel, "eight o'clock")
    slack.act("message", user=BEN, channel=channel, text="and in the morning?")
    wait_for(slack, channel, "Berlin office")
    wait_for(slack, channel, "Understood as")


def test_talk_addressed_to_others_is_left_alone(house: House, slack: SlackSandbox) -> None:
    asked = slack.act("message", user=ADA, channel=LEADS, text=f"@imp {KESTREL}")
    wait_for(slack, LEADS, LATE)
    before = house.rows("SELECT count(*) FROM questions")[0][0]
    slack.act("message", user=ADA, channel=LEADS, text="@ben what do you think?", thread_ts=asked["ts"])
    time.sleep(1)
    assert house.rows("SELECT count(*) FROM questions")[0][0] == before


def test_sources_are_quoted_for_who_asks_and_may_open_them(house: House, slack: SlackSandbox) -> None:
    slack.act("message", user=ADA, channel=LEADS, text=f"@imp {KESTREL}")
    message = wait_for(slack, LEADS, LATE)
    slack.act("click", user=BEN, ts=message["ts"], action_id="sources")
    until(
        lambda: [m for m in saying(slack, LEADS, ">The Kestrel launch was moved") if m["visible_to"] == BEN],
        "no sources were shown",
    )
    slack.act("message", user=BEN, channel=GENERAL, text="@imp When does the Berlin office open?")
    message = wait_for(slack, GENERAL, "eight o'clock")
    gate = "UPDATE gates SET principals = ARRAY['group:nobody'] WHERE door = 'door:anyone'"
    house.rows(gate)
    try:
        slack.act("click", user=CHI, ts=message["ts"], action_id="sources")
        told = wait_for(slack, GENERAL, "may not open the sources")
        assert told["visible_to"] == CHI
    finally:
        house.rows("UPDATE gates SET principals = ARRAY['anyone'] WHERE door = 'door:anyone'")


def test_a_thumb_down_asks_why(house: House, slack: SlackSandbox) -> None:
    slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=KESTREL)
    message = wait_for(slack, GENERAL, LATE)
    slack.act("click", user=ADA, ts=message["ts"], action_id="feedback_down")
    until(lambda: slack.state()["open_modals"].get(ADA), "no modal was opened")
    slack.act(
        "submit_view", user=ADA, values={"kind": {"kind": "outdated"}, "words": {"words": "It is <May> now"}}
    )
    until(
        lambda: house.rows(
            "SELECT 1 FROM questions WHERE feedback = 'down' AND feedback_reason = 'outdated: It is <May> now'"
        ),
        "the reason was not kept",
    )


def test_who_wants_to_be_forgotten_is(house: House, slack: SlackSandbox) -> None:
    slack.act("command", user=BEN, channel=GENERAL, command="/ask", text=KESTREL)
    slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=KESTREL)
    wait_for(slack, GENERAL, LATE)
    all_done(house)
    reply = slack.act("command", user=BEN, channel=GENERAL, command="/ask", text="Forget me")
    assert "forgotten" in str(reply["reply"])
    assert not house.rows("SELECT 1 FROM questions WHERE place->>'user' = :user", user=BEN)
    assert house.rows("SELECT 1 FROM questions WHERE place->>'user' = :user", user=ADA)


def test_too_many_questions_are_refused_kindly(make_house: Callable[..., House], slack: SlackSandbox) -> None:
    house = make_house(IMP_QUESTIONS_PER_MINUTE="2").start("web")
    try:
        slack.act("reset")
        said = [
            str(slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=KESTREL)["reply"])
            for _ in range(3)
        ]
        assert ["Looking" in one for one in said] == [True, True, False]
        assert "ask again in a minute" in said[2]
        other = slack.act("command", user=BEN, channel=GENERAL, command="/ask", text=KESTREL)
        assert "Looking" in str(other["reply"])
    finally:
        house.stop()


def test_the_side_panel_offers_questions_and_answers_them(house: House, slack: SlackSandbox) -> None:
    opened = slack.act("assistant", user=ADA, context_channel=GENERAL)
    prompts = until(
        lambda: next(
            (t["prompts"] for t in slack.state()["threads"] if t["thread_ts"] == opened["thread_ts"]), None
        ),
        "no prompts were offered",
    )
    assert 1 <= len(prompts) <= 4
    slack.act("message", user=ADA, channel=opened["channel"], text=KESTREL, thread_ts=opened["thread_ts"])
    answer = wait_for(slack, opened["channel"], LATE)
    assert answer["thread_ts"] == opened["thread_ts"]
