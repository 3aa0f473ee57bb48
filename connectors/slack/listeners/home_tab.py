"""The home tab: drawn anew whenever somebody opens it; its admin button is an admin's word."""

from typing import Any

from slack_bolt import Ack, App

from connectors.slack.home import SYNC_ACTION
from connectors.slack.inbox import AdminWord, Inbox


def add_home_tab(app: App, inbox: Inbox) -> None:
    """Register the opening of the tab and the button of its admin panel."""

    def on_home(ack: Ack, event: dict[str, Any], body: dict[str, Any]) -> None:
        if event.get("tab", "home") == "home" and event.get("user"):
            inbox.open_home(event["user"], body.get("team_id"))
        ack()

    def on_sync(ack: Ack, body: dict[str, Any]) -> None:
        user, action = body["user"]["id"], body["actions"][0]
        inbox.admin(
            AdminWord(
                delivery_id=f"click:{body.get('trigger_id') or action.get('action_ts')}", text="sync", user=user,
                channel=user, response_url=None, team=(body.get("team") or {}).get("id"),
            )
        )  # fmt: skip
        ack()

    app.event("app_home_opened")(on_home)
    app.action(SYNC_ACTION)(on_sync)
