"""The bot was removed from a workspace, or its token revoked: the end of what we may do there."""

from datetime import UTC, datetime
from typing import Any

from slack_bolt import Ack, App, BoltContext

from connectors.slack.inbox import Inbox


def add_removal(app: App, inbox: Inbox) -> None:
    """Register both events; Slack often sends the two of them for one removal."""

    def on_removed(ack: Ack, body: dict[str, Any], context: BoltContext) -> None:
        if context.team_id:
            inbox.removed(context.team_id, happened_at(body))
        ack()

    def on_revoked(ack: Ack, event: dict[str, Any], body: dict[str, Any], context: BoltContext) -> None:
        # People's own tokens are listed under "oauth"; none of them is ever asked for.
        if context.team_id and (event.get("tokens") or {}).get("bot"):
            inbox.removed(context.team_id, happened_at(body))
        ack()

    app.event("app_uninstalled")(on_removed)
    app.event("tokens_revoked")(on_revoked)


def happened_at(body: dict[str, Any]) -> datetime:
    """When it happened, in whole seconds; now, where Slack does not say."""
    try:
        return datetime.fromtimestamp(int(body["event_time"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return datetime.now(UTC)
