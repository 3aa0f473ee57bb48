"""Why there is no answer: each reason said, none betraying what is closed, nobody left waiting."""

import json
from typing import Any

import pytest

from core import jobs
from core.errors import Unavailable
from tests.sandbox.slack_driving import ADA, BEN, CHI, GENERAL
from tests.workers.slack.conftest import Desk
from workers import periodic, questions

ORCHID = "How many salaries does the Orchid severance package pay?"
NOWHERE = "How deep is the Marianas trench near Guam?"


@pytest.fixture(autouse=True)
def read_to_its_end(desk: Desk) -> None:
    desk.rows("UPDATE sources SET full_synced_at = now()")


def direct(desk: Desk, user: str, text: str) -> tuple[str, dict[str, Any]]:
    channel = desk.direct(user)
    desk.slack.act("message", user=user, channel=channel, text=text)
    desk.taken("answer_question")
    desk.work()
    return channel, desk.said(channel)[-1]


def words(message: dict[str, Any]) -> str:
    return str(message["text"]) + json.dumps(message["blocks"], ensure_ascii=False)


def test_what_is_closed_sounds_like_what_is_not_there(desk: Desk) -> None:
    closed, nowhere = direct(desk, BEN, ORCHID)[1], direct(desk, BEN, NOWHERE)[1]
    said = {words(one).replace(ORCHID, "?").replace(NOWHERE, "?") for one in (closed, nowhere)}
    assert "Orchid severance" not in words(closed).replace(ORCHID, "")
    assert all("clearly answer" in one or "Nothing you can open" in one for one in said)


def test_the_reason_comes_in_the_language_asked(desk: Desk) -> None:
    _, told = direct(desk, CHI, "Wie tief ist der Marianengraben bei Guam?")
    assert "öffnen darfst" in words(told) or "beantwortet das nicht klar" in words(told)
    _, told = direct(desk, CHI, "¿Qué profundidad tiene la fosa de las Marianas?")
    assert "puedes abrir" in words(told)


def test_a_source_still_read_is_named_as_a_reason(desk: Desk) -> None:
    assert "first time" not in words(direct(desk, BEN, NOWHERE)[1])
    desk.rows("UPDATE sources SET full_synced_at = NULL")
    assert "still being read for the first time" in words(direct(desk, BEN, NOWHERE)[1])


def test_an_engine_that_is_down_is_said_after_the_last_attempt(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any, **__: Any) -> Any:
        raise Unavailable("the engine that writes answers does not answer")

    monkeypatch.setattr(questions, "answer_question", down)
    channel = desk.direct(ADA)
    desk.slack.act("message", user=ADA, channel=channel, text="When does the office in Rome open?")
    desk.taken("answer_question")
    ended = desk.work()
    assert ended == ["retry"] * 5 + ["failed"]
    [told] = desk.said(channel)
    assert "the engine that writes answers does not answer" in words(told) and "Looking" not in words(told)


def give_up(desk: Desk, kind: str = "answer_question") -> None:
    """Do as if six workers in a row had died over the job, the last one just now."""
    desk.rows(
        "UPDATE jobs SET state = 'running', attempts = max_attempts, claim = 'dead', "
        "heartbeat_at = now() - interval '1 hour' WHERE kind = :kind AND state = 'queued'",
        kind=kind,
    )
    periodic.sweep(desk.context)


@pytest.mark.parametrize("place", ["mention", "dm", "panel", "command"])
def test_workers_that_all_died_leave_an_honest_message(desk: Desk, place: str) -> None:
    channel, thread = GENERAL, None
    if place == "command":
        desk.slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=ORCHID)
    elif place == "mention":
        desk.slack.act("message", user=ADA, channel=GENERAL, text=f"@imp {ORCHID}")
    elif place == "dm":
        channel = desk.direct(ADA)
        desk.slack.act("message", user=ADA, channel=channel, text=ORCHID)
    else:
        opened = desk.slack.act("assistant", user=ADA)
        channel, thread = opened["channel"], opened["thread_ts"]
        desk.slack.act("message", user=ADA, channel=channel, text=ORCHID, thread_ts=thread)
    desk.taken("answer_question")
    if place in ("mention", "dm"):  # a worker came as far as "looking…"
        desk.slack.put("faults", rules=[{"method": "chat.update", "kind": "server_error", "count": 1}])
        desk.work(once=True)
        desk.slack.put("faults", rules=[])
        assert any("Looking" in m["text"] for m in desk.said(channel))
    give_up(desk)
    assert "done" in desk.work()
    said = [words(m) for m in desk.said(channel)]
    waiting = [one for one in said if "Looking" in one]
    assert len(waiting) == (1 if place == "command" else 0)  # an ephemeral one is nobody's to edit
    assert any("is broken" in one for one in said) or "I told you alone" in said[0]
    if thread:
        assert desk.said(channel)[-1]["thread_ts"] == thread


def test_who_cannot_be_told_now_is_told_later(desk: Desk) -> None:
    channel = desk.direct(ADA)
    desk.slack.act("message", user=ADA, channel=channel, text="When does the office in Oslo open?")
    desk.taken("answer_question")
    desk.slack.put("faults", rules=[{"method": "chat.update", "kind": "server_error"}])
    while "failed" not in desk.work(once=True):
        pass
    desk.work(once=True)
    assert "Looking" in desk.said(channel)[-1]["text"]
    desk.slack.put("faults", rules=[])
    assert desk.work() == ["done"]
    assert "could not answer" in words(desk.said(channel)[-1])
    assert jobs.KINDS["answer_question"].told_by == "tell_broken"


def test_who_shares_is_told_when_every_worker_died(desk: Desk) -> None:
    desk.slack.act(
        "command", user=ADA, channel=GENERAL, command="/ask", text="When does the Berlin office open?"
    )
    desk.taken("answer_question")
    desk.work()
    answer = [one for one in desk.said(GENERAL) if one["visible_to"] == ADA and one["blocks"]][-1]
    desk.slack.act("click", user=ADA, ts=answer["ts"], action_id="share")
    desk.taken("share_answer")
    give_up(desk, "share_answer")
    assert desk.work() == ["done"]
    told = desk.said(GENERAL)[-1]
    assert told["visible_to"] == ADA and "is broken" in words(told)
    assert all(one["visible_to"] for one in desk.said(GENERAL))
