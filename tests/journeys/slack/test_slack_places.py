"""A question in, an answer out, in every place people ask; real processes, real HTTP."""

import time

from tests.journeys.slack.house import House
from tests.journeys.slack.seen import bot_messages, shown, wait_for
from tests.sandbox.slack_driving import ADA, EVE, GENERAL, LEADS, PARTNER, PROJECT, SlackSandbox, until

KESTREL = "Why was the Kestrel launch moved?"
LATE = "supplier Norvik delivered late"


def test_a_slash_command_is_acknowledged_then_answered_in_place(house: House, slack: SlackSandbox) -> None:
    started = time.monotonic()
    reply = slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=KESTREL)
    assert time.monotonic() - started < 3.0, "Slack waits no longer"
    assert "Looking" in str(reply["reply"])
    message = wait_for(slack, GENERAL, LATE)
    assert message["visible_to"] == ADA
    assert "https://wiki.example/kestrel" in shown(message)
    assert "Share to channel" in shown(message)
    said = [shown(m) for m in bot_messages(slack, GENERAL)]
    assert len([one for one in said if LATE in one]) == 1 and len(said) == 2, "looking, then the answer"


def test_a_mention_is_answered_once_in_its_thread(house: House, slack: SlackSandbox) -> None:
    asked = slack.act("message", user=ADA, channel=GENERAL, text="@imp when does the Berlin office open?")
    started = time.monotonic()
    looking = until(lambda: bot_messages(slack, GENERAL), "the bot said nothing")
    assert time.monotonic() - started < 3.0
    assert looking[0]["thread_ts"] == asked["ts"]
    message = wait_for(slack, GENERAL, "eight o'clock")
    assert message["ts"] == looking[0]["ts"], "the answer is edited in"
    assert len(slack.deliveries("app_mention")) + len(slack.deliveries("message")) >= 2
    time.sleep(1)
    assert len(bot_messages(slack, GENERAL)) == 1


def test_a_direct_message_is_answered_there(house: House, slack: SlackSandbox) -> None:
    channel = slack.act("direct", user=ADA, **{"with": "imp"})["channel"]
    slack.act("message", user=ADA, channel=channel, text=KESTREL)
    assert "https://wiki.example/kestrel" in shown(wait_for(slack, channel, LATE))
    time.sleep(1)
    assert len(bot_messages(slack, channel)) == 1


def test_an_unlinked_person_gets_only_what_is_open_to_anyone(house: House, slack: SlackSandbox) -> None:
    slack.act("command", user="chi", channel=GENERAL, command="/ask", text=KESTREL)
    message = until(
        lambda: next((m for m in bot_messages(slack, GENERAL) if "Looking" not in shown(m)), None),
        "no answer",
        30,
    )
    assert "Norvik" not in shown(message) and "kestrel" not in shown(message).replace(KESTREL, "").lower()
    slack.act(
        "command", user="chi", channel=GENERAL, command="/ask", text="When does the Berlin office open?"
    )
    wait_for(slack, GENERAL, "eight o'clock")


def test_feedback_is_kept(house: House, slack: SlackSandbox) -> None:
    slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=KESTREL)
    message = wait_for(slack, GENERAL, LATE)
    slack.act("click", user=ADA, ts=message["ts"], action_id="feedback_down")
    until(
        lambda: house.rows("SELECT 1 FROM questions WHERE feedback = 'down'"),
        "the feedback was not written down",
    )


def test_share_is_posted_where_everyone_may_open_it(house: House, slack: SlackSandbox) -> None:
    slack.act("command", user=ADA, channel=LEADS, command="/ask", text=KESTREL)
    message = wait_for(slack, LEADS, LATE)
    slack.act("click", user=ADA, ts=message["ts"], action_id="share")
    shared = until(
        lambda: [m for m in bot_messages(slack, LEADS) if not m["visible_to"] and LATE in shown(m)],
        "nothing was shared",
        20,
    )
    assert f"<@{ADA}>" in shown(shared[0])
    slack.act("click", user=ADA, ts=message["ts"], action_id="share")
    time.sleep(2)
    assert len([m for m in bot_messages(slack, LEADS) if not m["visible_to"]]) == 1, "shared once"
    wait_for(slack, LEADS, "shared already")


def test_share_is_refused_where_somebody_may_not_open_it(house: House, slack: SlackSandbox) -> None:
    slack.act("command", user=ADA, channel=PROJECT, command="/ask", text=KESTREL)
    message = wait_for(slack, PROJECT, LATE)
    slack.act("click", user=ADA, ts=message["ts"], action_id="share")
    refusal = wait_for(slack, PROJECT, "did not share")
    assert refusal["visible_to"] == ADA
    assert not [m for m in bot_messages(slack, PROJECT) if not m["visible_to"]]


def test_what_not_everyone_may_open_goes_to_the_asker_alone(house: House, slack: SlackSandbox) -> None:
    slack.act("message", user=ADA, channel=GENERAL, text=f"@imp {KESTREL}")
    alone = wait_for(slack, GENERAL, LATE)
    assert alone["visible_to"] == ADA
    public = [m for m in bot_messages(slack, GENERAL) if not m["visible_to"]]
    assert len(public) == 1
    assert "Norvik" not in shown(public[0])
    slack.act("message", user=EVE, channel=PARTNER, text=f"@imp {KESTREL}")
    wait_for(slack, PARTNER, "everyone in this channel")
