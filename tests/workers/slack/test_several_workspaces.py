"""With several workspaces each surface answers as the bot of its own; the stand-in refuses any other token."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from cryptography.fernet import Fernet
from slack_sdk.oauth.installation_store import Installation

from app import doctor
from app.routes.slack import make_router
from app.web import make_app
from core.db import make_engine, make_session_factory
from core.doorbell import SilentBell
from core.errors import NotConfigured
from core.settings import load_settings
from tests.journeys.slack.house import Recorder
from tests.journeys.slack.library import Library, embedder, furnish
from tests.sandbox.slack_driving import ADA, BOT, BOT_TOKEN, GENERAL, SECRET, Served, SlackSandbox
from tests.workers.slack.conftest import Desk
from workers.context import Context

TEAM = "T0SANDBOX1"
OFFICE = "When does the Berlin office open?"


@pytest.fixture
def shared_desk(
    make_database: Callable[[], str], stand_in_slack: tuple[str, Recorder]
) -> Iterator[tuple[Desk, Context]]:
    """The stand-in's workspace installed us first, another one after it."""
    database_url = make_database()
    library = Library.open(database_url)
    furnish(library)
    settings = load_settings(
        database_url=database_url, slack_bot_token=None, slack_client_id="1.2", slack_client_secret="s",
        slack_token_key=Fernet.generate_key().decode(), slack_signing_secret=SECRET, slack_teams=(TEAM,),
        slack_api_url=f"{stand_in_slack[0]}/api/", imp_questions_per_minute=10_000,
    )  # fmt: skip
    engine = make_engine(database_url)
    context = Context(settings, make_session_factory(engine), SilentBell())
    context.embedder = embedder()
    for at, (team, token) in enumerate(((TEAM, BOT_TOKEN), ("T0OTHER001", "xoxb-of-another"))):
        context.installations.save(
            Installation(
                app_id="A1", team_id=team, team_name=team, bot_token=token, bot_id="B1", bot_user_id=BOT,
                bot_scopes=["chat:write"], user_id="U2", installed_at=1_700_000_000.0 + at,
            )
        )  # fmt: skip
    with Served(make_app(context, [make_router(context)])) as served, httpx.Client(timeout=20) as http:
        slack = SlackSandbox(stand_in_slack[0], http)
        slack.act("reset")
        slack.put("rate_limits", enabled=False)
        events = f"{served.url}/slack/events"
        slack.put("settings", events_url=events, commands_url=events, interactions_url=events)
        yield Desk(slack, stand_in_slack[1], context, library), context
    library.close()
    engine.dispose()


def test_every_surface_speaks_with_its_own_token(shared_desk: tuple[Desk, Context]) -> None:
    desk, context = shared_desk
    with pytest.raises(NotConfigured, match="T0OTHER001"):
        doctor.slack(context)
    desk.slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=OFFICE)
    desk.taken("answer_question")
    assert desk.work() == ["done"]
    answer = [one for one in desk.said(GENERAL) if one["visible_to"] == ADA and one["blocks"]][-1]
    assert "eight o'clock" in str(answer)
    assert desk.rows("SELECT external_id FROM identities WHERE external_id LIKE '%' || :user", user=ADA) == [
        (f"{TEAM}:{ADA}",)
    ]

    desk.slack.act("click", user=ADA, ts=answer["ts"], action_id="follow_up", value="and on Mondays?")
    desk.taken("answer_question")
    desk.slack.act("click", user=ADA, ts=answer["ts"], action_id="share")
    desk.taken("share_answer")
    desk.slack.act("click", user=ADA, ts=answer["ts"], action_id="needs_human")
    desk.taken("ask_human")
    desk.slack.act("command", user=ADA, channel=GENERAL, command="/imp", text="status")
    desk.taken("admin_word")
    desk.slack.act("home", user=ADA)
    desk.taken("show_home")
    desk.slack.act("assistant", user=ADA)
    desk.taken("offer_prompts")
    assert set(desk.work()) == {"done"}
    shared = [one for one in desk.said(GENERAL) if not one["visible_to"]]
    assert len(shared) == 1 and "eight o'clock" in str(shared)
    assert desk.slack.state()["homes"].get(ADA)
    teams = desk.rows("SELECT DISTINCT args->>'team' FROM jobs")
    assert teams == [(TEAM,)]


def test_a_workspace_that_removed_the_bot_is_told_nothing(shared_desk: tuple[Desk, Context]) -> None:
    desk, context = shared_desk
    desk.slack.act("home", user=ADA)
    desk.taken("show_home")
    with context.installations.engine.begin() as connection:
        connection.execute(context.installations.bots.delete())
    with pytest.raises(NotConfigured, match="/slack/install"):
        doctor.slack(context)
    assert desk.work() == ["failed"]
    assert not desk.slack.state()["homes"].get(ADA)
