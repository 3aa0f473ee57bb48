"""Who is not answered (too many questions, other bots) and what is not kept (forgotten or outlived questions)."""

from typing import Any

import pytest

from tests.sandbox.slack_driving import ADA, BEN, CHI, GENERAL, until
from tests.workers.slack.conftest import Desk
from workers.schedule import beat_schedule
from workers.slack_inbox import TOO_MANY_HERE
from workers.tasks import PERIODIC

OFFICE = "When does the Berlin office open?"
EIGHT = "eight o'clock"


def with_settings(desk: Desk, monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
    monkeypatch.setattr(desk.context, "settings", desk.context.settings.model_copy(update=changed))


def command(desk: Desk, user: str, text: str = OFFICE) -> None:
    desk.slack.act("command", user=user, channel=GENERAL, command="/ask", text=text)


def n_questions(desk: Desk) -> int:
    return int(desk.rows("SELECT count(*) FROM questions")[0][0])


def test_a_workspace_that_asks_too_much_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with_settings(desk, monkeypatch, imp_workspace_questions_per_minute=2)
    for user in (ADA, BEN, CHI):
        command(desk, user)
    until(lambda: any(TOO_MANY_HERE in m["text"] for m in desk.said(GENERAL)), "nobody was told")
    [told] = [m for m in desk.said(GENERAL) if TOO_MANY_HERE in m["text"]]
    assert told["visible_to"] == CHI and n_questions(desk) == 2
    desk.rows("UPDATE questions SET asked_at = asked_at - interval '2 minutes'")
    command(desk, CHI)
    until(lambda: n_questions(desk) == 3, "the limit did not end")


def test_another_workspace_is_not_slowed_down(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with_settings(desk, monkeypatch, imp_workspace_questions_per_minute=1)
    desk.rows("""INSERT INTO questions (text, place) VALUES
                 ('x', '{"via": "slack", "team": "T0OTHER", "user": "U0OTHER"}'), ('x', '{"via": "cli"}')""")
    command(desk, ADA)
    until(lambda: n_questions(desk) == 3, "a question of this workspace was refused")


def bot_event(ts: str, text: str, **more: Any) -> dict[str, Any]:
    return {"type": "app_mention", "user": "U0OTHERBOT", "bot_id": "B0OTHER", "app_id": "A0OTHER", "channel": GENERAL,
            "ts": ts, "text": text, **more}  # fmt: skip


@pytest.mark.parametrize(
    ("allowed", "is_answered"),
    [((), False), (("B0ELSE",), False), (("B0OTHER",), True), (("A0OTHER",), True), (("U0OTHERBOT",), True)],
)
def test_other_bots_are_answered_only_where_allowed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, allowed: tuple[str, ...], is_answered: bool
) -> None:
    from connectors.slack.listeners.messages import question_of
    from workers.slack_inbox import SlackInbox

    with_settings(desk, monkeypatch, slack_allowed_bots=allowed)
    inbox = SlackInbox(desk.context)
    asked = question_of(bot_event("1700000000.000100", f"<@U0IMP00001> {OFFICE}"), bot_user_id="U0IMP00001")
    assert asked is not None
    inbox.ask(asked)
    assert n_questions(desk) == int(is_answered)


def test_bots_start_no_talk_without_a_mention() -> None:
    from connectors.slack.listeners.messages import question_of

    me = "U0IMP00001"
    direct = bot_event("1.1", OFFICE, type="message", channel_type="im")
    talk = bot_event("1.2", OFFICE, type="message", thread_ts="1.0")
    own = bot_event("1.3", f"<@{me}> {OFFICE}", user=me)
    assert [question_of(one, bot_user_id=me) for one in (direct, talk, own)] == [None, None, None]


def test_forget_me_takes_everything_along(desk: Desk) -> None:
    desk.slack.act("message", user=ADA, channel=GENERAL, text=f"@imp {OFFICE}")
    desk.taken("answer_question")
    desk.work()
    command(desk, BEN)
    desk.taken("answer_question")
    desk.work()
    [ada] = desk.rows("SELECT person_id FROM questions WHERE place->>'user' = :user", user=ADA)[0]
    desk.rows(
        """INSERT INTO questions (text, place, person_id) VALUES ('zebra?', '{"via": "api"}', :ada)""",
        ada=ada,
    )
    [mine] = desk.rows("SELECT id FROM questions WHERE place->>'user' = :user", user=ADA)[0]
    desk.rows(
        "INSERT INTO jobs (kind, key, queue, state, args) VALUES "
        "('verify_answer', 'x', 'io', 'done', jsonb_build_object('question_id', CAST(:id AS bigint), 'answer', 'zebra'))",
        id=mine,
    )  # fmt: skip
    desk.slack.act("command", user=ADA, channel=GENERAL, command="/ask", text="forget me")
    assert "2 questions of yours forgotten" in desk.said(GENERAL)[-1]["text"]
    assert [row[0] for row in desk.rows("SELECT place->>'user' FROM questions")] == [BEN]
    assert not desk.rows(
        "SELECT 1 FROM conversations c LEFT JOIN questions q ON q.id = c.question_id WHERE q.id IS NULL"
    )
    assert not desk.rows(
        "SELECT 1 FROM jobs WHERE args::text LIKE '%zebra%' OR args->>'question_id' = :id", id=str(mine)
    )
    assert desk.rows("SELECT 1 FROM jobs WHERE kind = 'answer_question'")  # Ben's


def test_questions_older_than_the_days_are_deleted_by_the_clock(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = {entry["task"] for entry in beat_schedule(desk.context.settings).values()}
    clean = PERIODIC["clean"]
    assert "imp.clean" in sent
    for days in (40, 29):
        desk.rows(
            "INSERT INTO questions (text, place, asked_at) VALUES (:text, '{}', now() - make_interval(days => :days))",
            text=f"asked {days} days ago", days=days,
        )  # fmt: skip
    [old] = desk.rows("SELECT id FROM questions WHERE text LIKE '%40%'")[0]
    desk.rows(
        "INSERT INTO conversations (provider, channel, thread, question_id) VALUES ('slack', 'C1', '', :id)",
        id=old,
    )
    clean(desk.context)
    assert n_questions(desk) == 2  # 0 days keeps them
    with_settings(desk, monkeypatch, imp_keep_questions_days=30)
    clean(desk.context)
    assert [row[0] for row in desk.rows("SELECT text FROM questions")] == ["asked 29 days ago"]
    assert not desk.rows("SELECT 1 FROM conversations WHERE channel = 'C1'")
