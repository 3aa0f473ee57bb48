"""The bot was removed from a workspace, or its token revoked: the end of what we may do there."""

from typing import Any

from slack_bolt import Ack, App, BoltContext

from connectors.slack.inbox import Inbox


def add_removal(app: App, inbox: Inbox) -> None:
    """Register both events; Slack often sends the two of them for one removal."""

    def on_removed(ack: Ack, context: BoltContext) -> None:
        if context.team_id:
            inbox.removed(context.enterprise_id, context.team_id)
        ack()

    def on_revoked(ack: Ack, event: dict[str, Any], context: BoltContext) -> None:
        # People's own tokens are listed under "oauth"; none of them is ever asked for.
        if context.team_id and (event.get("tokens") or {}).get("bot"):
            inbox.removed(context.enterprise_id, context.team_id)
        ack()

    app.event("app_uninstalled")(on_removed)
    app.event("tokens_revoked")(on_revoked)
