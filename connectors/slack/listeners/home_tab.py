"""The home tab: drawn anew whenever somebody opens it."""

from typing import Any

from slack_bolt import Ack, App

from connectors.slack.inbox import Inbox


def add_home_tab(app: App, inbox: Inbox) -> None:
    """Register the opening of the tab."""

    def on_home(ack: Ack, event: dict[str, Any]) -> None:
        if event.get("tab", "home") == "home" and event.get("user"):
            inbox.open_home(event["user"])
        ack()

    app.event("app_home_opened")(on_home)
