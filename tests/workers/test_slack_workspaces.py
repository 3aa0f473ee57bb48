"""Workspaces that installed the bot: tokens sealed at rest, each its own, gone when the app is removed."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from slack_sdk.oauth.installation_store import Installation
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from connectors.slack.installations import SealedInstallationStore
from connectors.slack.listeners.removal import happened_at
from core import jobs
from core.db import make_engine, make_session_factory
from core.doorbell import Doorbell
from core.errors import NotConfigured
from core.settings import Settings, load_settings
from workers import slack_workspaces
from workers.context import Context


class Mute:
    def ring(self, kind: str, queue: str, job_id: int) -> bool:
        return False

    def depth(self, queue: str) -> int | None:
        return None


def install(store: SealedInstallationStore, team: str) -> None:
    store.save(
        Installation(
            app_id="A1", team_id=team, team_name=f"Team {team}", bot_token=f"xoxb-{team}", bot_id="B1",
            bot_user_id="U1", bot_scopes=["chat:write"], user_id="U2",
        )
    )  # fmt: skip


def context_on(url: str, **more: object) -> Context:
    bell: Doorbell = Mute()
    values: dict[str, object] = {
        "slack_client_id": "1.2", "slack_client_secret": "s", "slack_signing_secret": "s",
        "slack_token_key": Fernet.generate_key().decode(), "slack_bot_token": None,
    }  # fmt: skip
    settings: Settings = load_settings(**(values | more))
    return Context(settings, make_session_factory(make_engine(url)), bell)


def test_each_workspace_has_its_own_token_and_none_lies_open(fresh_database_url: str) -> None:
    context = context_on(fresh_database_url)
    for team in ("T1", "T2"):
        install(context.installations, team)
    assert slack_workspaces.client_of(context, "T2").token == "xoxb-T2"
    assert slack_workspaces.client_of(context, "T1").token == "xoxb-T1"
    with context.factory() as session:
        kept = str(session.execute(text("SELECT * FROM slack_bots, slack_installations")).all())
    assert "Team T1" in kept and "xoxb" not in kept
    with pytest.raises(NotConfigured, match="T3"):
        slack_workspaces.client_of(context, "T3")
    stranger = context_on(fresh_database_url)
    with pytest.raises(NotConfigured, match="SLACK_TOKEN_KEY"):
        slack_workspaces.client_of(stranger, "T1")


def test_a_removed_workspace_loses_its_token_and_open_work_alone(fresh_database_url: str) -> None:
    context = context_on(fresh_database_url)
    for team in ("T1", "T2"):
        install(context.installations, team)
        with context.factory.begin() as session:
            jobs.enqueue(session, "answer_question", team, question_id=1, team=team)
    assert slack_workspaces.removed(context, "T1", datetime.now(UTC)) == 1
    assert slack_workspaces.removed(context, "T1", datetime.now(UTC)) == 0
    with context.factory() as session:
        states = dict(session.execute(text("SELECT key, state FROM jobs")).tuples().all())
        alerts = session.execute(text("SELECT message FROM alerts WHERE closed_at IS NULL")).scalars().all()
    assert states == {"T1": "cancelled", "T2": "queued"}
    assert len(alerts) == 1 and "T1" in alerts[0]
    assert slack_workspaces.client_of(context, "T2").token == "xoxb-T2"
    with pytest.raises(NotConfigured):
        slack_workspaces.client_of(context, "T1")


def test_one_workspace_needs_no_name(session_factory: sessionmaker[Session]) -> None:
    settings = load_settings(slack_bot_token="xoxb-one", slack_signing_secret="s")
    context = Context(settings, session_factory, Mute())
    assert slack_workspaces.client_of(context, None).token == "xoxb-one"
    assert slack_workspaces.account_id(settings, "T1", "U1") == "U1"


def test_late_news_of_a_removal_leaves_the_new_installation(fresh_database_url: str) -> None:
    context = context_on(fresh_database_url)
    install(context.installations, "T1")
    with context.factory.begin() as session:
        jobs.enqueue(session, "answer_question", "1", question_id=1, team="T1")
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert slack_workspaces.removed(context, "T1", an_hour_ago) == 0
    assert slack_workspaces.client_of(context, "T1").token == "xoxb-T1"
    assert slack_workspaces.removed(context, "T1", datetime.now(UTC)) == 1
    with pytest.raises(NotConfigured):
        slack_workspaces.client_of(context, "T1")


def test_removal_is_told_in_whole_seconds() -> None:
    assert happened_at({"event_time": 1_700_000_000}) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    for body in ({}, {"event_time": None}, {"event_time": "soon"}, {"event_time": 10**30}):
        assert datetime.now(UTC) - happened_at(body) < timedelta(minutes=1)


def test_where_minutes_are_announced() -> None:
    many = {
        "slack_client_id": "1.2", "slack_client_secret": "s", "slack_signing_secret": "s",
        "slack_token_key": Fernet.generate_key().decode(), "slack_bot_token": None,
    }  # fmt: skip
    place = slack_workspaces.announce_place
    assert place(load_settings(**many, slack_announce_channel="T1/C2")) == ("T1", "C2")
    assert place(load_settings(**many)) == (None, None)
    with pytest.raises(NotConfigured, match="T…/C…"):
        place(load_settings(**many, slack_announce_channel="C2"))
    one = load_settings(slack_bot_token="xoxb-one", slack_signing_secret="s", slack_announce_channel="C2")
    assert place(one) == (None, "C2")
    assert slack_workspaces.user_of(load_settings(**many), "T1:U1") == ("T1", "U1")
    assert slack_workspaces.user_of(one, "U1") == (None, "U1")
