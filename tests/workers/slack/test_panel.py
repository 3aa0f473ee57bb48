"""The assistant's side panel: questions offered, what the bot does said, the answer streamed."""

import json
from typing import Any

from connectors.slack.inbox import PanelOpened
from tests.sandbox.slack_driving import ADA, BEN, CHI, GENERAL, LEADS, PROJECT
from tests.workers.slack.conftest import Desk
from workers.slack_inbox import SlackInbox

KESTREL = "Why was the Kestrel launch moved?"
LATE = "supplier Norvik delivered late"


def open_panel(desk: Desk, user: str, beside: str | None = None) -> dict[str, Any]:
    return desk.slack.act("assistant", user=user, **({"context_channel": beside} if beside else {}))


def prompts(desk: Desk, thread_ts: str) -> list[str]:
    desk.taken("offer_prompts")
    desk.work()
    threads = desk.slack.state()["threads"]
    return next([p["message"] for p in t["prompts"]] for t in threads if t["thread_ts"] == thread_ts)


def ask(desk: Desk, opened: dict[str, Any], text: str, user: str = ADA) -> None:
    desk.slack.act("message", user=user, channel=opened["channel"], text=text, thread_ts=opened["thread_ts"])
    desk.taken("answer_question")


def calls(desk: Desk, method: str) -> list[dict[str, Any]]:
    return [one.fields for one in desk.sent.sent if one.path == f"/api/{method}"]


def test_the_answer_is_streamed_with_its_sources_below(desk: Desk) -> None:
    opened = open_panel(desk, ADA)
    ask(desk, opened, KESTREL)
    assert "done" in desk.work()
    [answer] = desk.said(opened["channel"])
    assert answer["thread_ts"] == opened["thread_ts"] and not answer["streaming"]
    assert LATE in answer["text"] and "[[1](https://wiki.example/kestrel" in answer["text"]
    kinds = [block["type"] for block in answer["blocks"]]
    assert kinds[0] == "markdown" and kinds[-1] == "actions" and "input" not in kinds
    assert [one["title"] for one in calls(desk, "assistant.threads.setTitle")] == [KESTREL]
    said = [one["status"] for one in calls(desk, "assistant.threads.setStatus")]
    assert said == ["is looking…", "is writing…"]
    assert calls(desk, "chat.appendStream") and not calls(desk, "chat.postMessage")


def test_a_refused_stream_becomes_a_plain_message(desk: Desk) -> None:
    for error in ("unknown_method", "missing_scope", "not_allowed_token_type"):
        opened = open_panel(desk, ADA)
        desk.slack.put("faults", rules=[{"method": "chat.startStream", "kind": "error", "error": error}])
        ask(desk, opened, KESTREL)
        desk.work()
        [answer] = [m for m in desk.said(opened["channel"]) if m["thread_ts"] == opened["thread_ts"]]
        assert LATE in json.dumps(answer["blocks"]) and "Looking" not in answer["text"]
    desk.slack.put("faults", rules=[])


def test_a_stream_that_breaks_off_is_finished_once(desk: Desk) -> None:
    for method in ("chat.appendStream", "chat.stopStream"):
        opened = open_panel(desk, ADA)
        desk.slack.put("faults", rules=[{"method": method, "kind": "server_error", "count": 2}])
        ask(desk, opened, KESTREL)
        assert "retry" in desk.work()
        [answer] = [m for m in desk.said(opened["channel"]) if m["thread_ts"] == opened["thread_ts"]]
        assert not answer["streaming"]
        assert LATE in json.dumps(answer["blocks"]) and answer["blocks"][-1]["type"] == "actions"
    desk.slack.put("faults", rules=[])


def test_a_stream_whose_beginning_was_not_remembered_is_found(desk: Desk) -> None:
    opened = open_panel(desk, ADA)
    desk.slack.put("faults", rules=[{"method": "chat.appendStream", "kind": "server_error", "count": 1}])
    ask(desk, opened, KESTREL)
    desk.work(once=True)
    desk.rows("UPDATE jobs SET checkpoint = checkpoint - 'posted_ts' WHERE kind = 'answer_question'")
    desk.work()
    [answer] = desk.said(opened["channel"])
    assert LATE in json.dumps(answer["blocks"]) and not answer["streaming"]
    desk.slack.put("faults", rules=[])


def test_questions_are_offered_for_the_channel_beside(desk: Desk) -> None:
    opened = open_panel(desk, ADA, beside=PROJECT)
    assert len(prompts(desk, opened["thread_ts"])) == 3
    desk.slack.act("message", user=BEN, channel=GENERAL, text="@imp When does the Berlin office open?")
    desk.taken("answer_question")
    desk.work()
    desk.slack.act("assistant", user=ADA, context_channel=GENERAL, thread_ts=opened["thread_ts"])
    offered = prompts(desk, opened["thread_ts"])
    assert "When does the Berlin office open?" in offered and len(offered) == 4


def test_a_private_channels_questions_are_offered_to_its_members_alone(desk: Desk) -> None:
    desk.rows(
        "INSERT INTO questions (text, place, outcome) VALUES ('Who gets the secret bonus?', "
        """'{"via": "slack", "kind": "mention", "channel": "G0LEADS001"}', 'answered')"""
    )
    mine = open_panel(desk, ADA, beside=LEADS)
    assert "Who gets the secret bonus?" in prompts(desk, mine["thread_ts"])
    theirs = open_panel(desk, CHI)
    prompts(desk, theirs["thread_ts"])
    # Slack lets Chi look at no such channel; who asks is looked at all the same.
    forged = PanelOpened(CHI, theirs["channel"], theirs["thread_ts"], beside=LEADS)
    SlackInbox(desk.context).open_panel(forged)
    assert "Who gets the secret bonus?" not in prompts(desk, theirs["thread_ts"])
