"""The Bolt app: verifies what Slack sends and hands it to the listeners of each surface.

Three seconds is Slack's patience, so no listener answers; `Inbox` writes the request down and rings a worker.
Signatures are Bolt's to verify. Knows no table and no answer.
"""

import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slack_bolt import Ack, App, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.oauth.installation_store import Bot

from connectors.slack.inbox import Inbox
from connectors.slack.listeners.answer_buttons import add_answer_buttons
from connectors.slack.listeners.assistant import add_assistant
from connectors.slack.listeners.channel_settings import add_channel_settings
from connectors.slack.listeners.commands import add_commands
from connectors.slack.listeners.follow_ups import add_follow_ups
from connectors.slack.listeners.home_tab import add_home_tab
from connectors.slack.listeners.messages import add_messages
from connectors.slack.listeners.minutes_review import add_minutes_review
from connectors.slack.listeners.recordings import add_recordings
from connectors.slack.listeners.removal import add_removal
from connectors.slack.listeners.review_forms import add_review_forms
from connectors.slack.listeners.shortcuts import add_shortcuts
from connectors.slack.listeners.verifying import add_verifying
from connectors.slack.review_forms import Reviews

logger = logging.getLogger(__name__)

N_LISTENERS = 20
"""At once; Bolt's own 5 are all taken by five clicks when Slack is slow to open a modal. Postgres takes as many."""

BotOf = Callable[[str | None, str | None], Bot | None]


def make_bolt(
    client: WebClient,
    signing_secret: str | None,
    inbox: Inbox,
    reviews: Reviews,
    *,
    bot_of: BotOf | None = None,
) -> App:
    """The Bolt app; verifies signatures with the replay window, answers from its own thread pool.

    It never asks Slack who it is: a question must be kept also while Slack's API is down.

    Args:
        client: speaks for the bot of the one workspace; has no token where there are several.
        bot_of: (organization, workspace) -> its bot, where several workspaces installed it.
    """
    token = client.token
    nameless = WebClient(
        base_url=client.base_url, timeout=client.timeout, retry_handlers=client.retry_handlers
    )

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        if bot_of is None:
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)
        bot = bot_of(enterprise_id, team_id)
        if bot is None:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_id=bot.bot_id, bot_user_id=bot.bot_user_id,
            bot_token=bot.bot_token,
        )  # fmt: skip

    app = App(
        client=nameless,
        authorize=authorize,  # type: ignore[arg-type]  # Bolt takes None for a workspace that has not installed us
        signing_secret=signing_secret or "",
        raise_error_for_unhandled_request=False,
        listener_executor=ThreadPoolExecutor(N_LISTENERS, thread_name_prefix="slack-listener"),
        logger=logging.getLogger("connectors.slack.bolt"),
    )
    app.error(_log_error)
    add_listeners(app, inbox, reviews)
    return app


def add_listeners(app: App, inbox: Inbox, reviews: Reviews) -> None:
    """Register every surface; of two listeners that fit, Bolt takes the one registered first."""
    add_assistant(app, inbox)
    add_recordings(app, inbox)
    add_commands(app, inbox)
    add_home_tab(app, inbox)
    add_minutes_review(app, inbox)
    add_review_forms(app, reviews)
    add_messages(app, inbox)
    add_answer_buttons(app, inbox)
    add_removal(app, inbox)
    add_follow_ups(app, inbox)
    add_verifying(app, inbox)
    add_channel_settings(app, inbox)
    add_shortcuts(app, inbox)


def ignore_the_rest(app: App) -> None:
    """Acknowledge what nobody else took, so that Slack does not send it again. Call last."""

    def on_anything(ack: Ack) -> None:
        ack()

    anything = re.compile(r".*", re.DOTALL)
    app.event(anything)(on_anything)
    app.action(anything)(on_anything)
    app.shortcut(anything)(on_anything)
    app.view(anything)(on_anything)
    app.view_closed(anything)(on_anything)
    app.options(anything)(on_anything)


def _log_error(error: Exception, body: dict[str, Any]) -> BoltResponse | None:
    """Texts of foreign errors may carry what people wrote, so only their type is kept.

    A request that lacks what Slack always sends is refused; for anything else Slack shall try again.
    """
    logger.error("slack_listener_failed", extra={"why": type(error).__name__, "type": body.get("type")})
    return BoltResponse(status=400) if isinstance(error, KeyError) else None
