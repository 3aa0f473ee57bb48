"""Which Slack workspace is meant: its token for what is posted there, its name in what is kept of its people.

With SLACK_BOT_TOKEN there is one workspace and nothing to tell apart; with SLACK_CLIENT_ID each one has its own
token, and a user of it is kept as `T…:U…`, since user ids say nothing across workspaces.
"""

import logging
from datetime import datetime

from slack_sdk import WebClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from connectors.slack import directory
from connectors.slack.web import make_client
from core import jobs
from core.db import SessionFactory
from core.errors import NotConfigured
from core.settings import Settings
from core.tables.jobs import Job
from core.tables.people import Account
from workers.context import Context

logger = logging.getLogger(__name__)

SLACK_JOBS = (
    "answer_question", "share_answer", "show_sources", "show_home", "admin_word", "review_minutes",
    "ask_review", "redraw_review", "take_slack_file", "offer_prompts", "ask_human", "verify_answer",
)  # fmt: skip
ALERT = text("""
    INSERT INTO alerts (key, message, details) VALUES (:key, :message, jsonb_build_object('team', CAST(:team AS text)))
    ON CONFLICT (key) WHERE closed_at IS NULL DO UPDATE SET message = excluded.message
""")
CLOSE_ALERTS = text("UPDATE alerts SET closed_at = now() WHERE key = ANY(:keys) AND closed_at IS NULL")
REMOVED = "{team}: the app was removed or its token revoked; nothing is answered there. Open work was dismissed. {mend}"
MEND_ONE = "Install the app again and set the new SLACK_BOT_TOKEN."
MEND_MANY = "Install it again at /slack/install."
STRANGER = (
    "{team} installed the bot but is not in SLACK_TEAMS: its people get what is open to everyone "
    "until they connect their accounts, or until {id} is added there."
)


def client_of(context: Context, team: str | None) -> WebClient:
    """A client that speaks as the bot in this workspace.

    Raises:
        NotConfigured: it is not installed there (any more), or Slack is not configured at all.
    """
    if context.settings.slack_client_id is None:
        return make_client(context.settings)
    bot = context.installations.bot_of_team(team) if team else None
    if bot is None:
        raise NotConfigured(f"the bot is not installed in Slack workspace {team or '(unknown)'}")
    return make_client(context.settings, bot.bot_token)


def is_installed(context: Context, team: str) -> bool:
    """True while the bot is installed in this one of several workspaces."""
    return context.installations.bot_of_team(team) is not None


def account_id(settings: Settings, team: str | None, user: str) -> str:
    """What `identities` calls this Slack user: the id alone where there is one workspace."""
    return f"{team}:{user}" if settings.slack_client_id and team else user


def user_of(settings: Settings, account: str) -> tuple[str | None, str]:
    """The workspace and user of an `account_id`; None where there is one workspace."""
    if settings.slack_client_id is None:
        return None, account
    team, _, user = account.rpartition(":")
    return team, user


def announce_place(settings: Settings) -> tuple[str | None, str | None]:
    """Workspace and channel of SLACK_ANNOUNCE_CHANNEL; the channel is None where none is set.

    Raises:
        NotConfigured: there are several workspaces and it does not say which is meant.
    """
    named = settings.slack_announce_channel
    if not named or settings.slack_client_id is None:
        return None, named or None
    team, _, channel = named.rpartition("/")
    if not team:
        raise NotConfigured("SLACK_ANNOUNCE_CHANNEL must be T…/C… where several workspaces are set up")
    return team, channel


def account_of(context: Context, client: WebClient, user: str) -> str:
    """`account_id` for who a client speaks with; asks Slack once a process which workspace that is."""
    if context.settings.slack_client_id is None:
        return user
    return account_id(context.settings, directory.workspace(client).team_id, user)


def believes_addresses(context: Context, client: WebClient) -> bool:
    """True when this workspace's confirmed addresses say who somebody is.

    Who runs a workspace decides which addresses its people have, so a stranger's links nobody.
    """
    settings = context.settings
    return settings.slack_client_id is None or directory.workspace(client).team_id in settings.slack_teams


def installed(context: Context, team: str, name: str) -> None:
    """A workspace installed the bot: what was wrong with it is settled, a stranger is reported."""
    with context.factory.begin() as session:
        session.execute(CLOSE_ALERTS, {"keys": [_removed_key(team)]})
        if team not in context.settings.slack_teams:
            message = STRANGER.format(team=name, id=team)
            session.execute(ALERT, {"key": f"slack_stranger:{team}", "message": message, "team": team})
    logger.info("slack_installed", extra={"team": team})


def removed(context: Context, team: str, at: datetime) -> int:
    """The bot was taken out of a workspace: forget its tokens, dismiss its open work, tell an admin.

    Slack may tell it late: what was installed after `at` stays, and so does its work.

    Returns:
        How many jobs were dismissed. A second call changes nothing.
    """
    is_one_of_many = context.settings.slack_client_id is not None
    if is_one_of_many:
        context.installations.forget(team, at)
        if context.installations.bot_of_team(team) is not None:
            logger.info("slack_removal_is_old", extra={"team": team})
            return 0
        forget_accounts(context.factory, team)
    with context.factory.begin() as session:
        n_dismissed = _dismiss(session, team if is_one_of_many else None)
        mend = MEND_MANY if is_one_of_many else MEND_ONE
        message = REMOVED.format(team=f"Slack workspace {team}", mend=mend)
        session.execute(ALERT, {"key": _removed_key(team), "message": message, "team": team})
        session.execute(CLOSE_ALERTS, {"keys": [f"slack_stranger:{team}"]})
    logger.warning("slack_removed", extra={"team": team, "n_dismissed": n_dismissed})
    return n_dismissed


def forget_accounts(factory: SessionFactory, team: str) -> None:
    """Links of a removed workspace open nothing any more: who installs it next may be somebody else."""
    with factory.begin() as session:
        statement = update(Account).where(
            Account.provider == "slack", Account.external_id.startswith(f"{team}:", autoescape=True)
        )
        session.execute(statement.values(person_id=None, linked_by=None, email=None))


def _dismiss(session: Session, team: str | None) -> int:
    """Cancel what waits, runs or failed for this workspace; None means all of Slack's."""
    statement = select(Job.id).where(Job.kind.in_(SLACK_JOBS), Job.state.in_(("queued", "running", "failed")))
    if team is not None:
        statement = statement.where(Job.args["team"].as_string() == team)
    ids = session.execute(statement.order_by(Job.id)).scalars().all()
    for job_id in ids:
        jobs.cancel(session, job_id)
    return len(ids)


def _removed_key(team: str) -> str:
    return f"slack_removed:{team}"
