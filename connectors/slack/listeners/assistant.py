"""The assistant's side panel: what it offers to ask, anew whenever the person looks at another channel.

What people write in it arrives as a direct message in a thread and is answered like one: Bolt's `Assistant` would
acknowledge it before it is kept.
"""

from typing import Any

from slack_bolt import App, BoltContext
from slack_bolt.middleware.assistant import Assistant

from connectors.slack.inbox import Inbox, PanelOpened


def add_assistant(app: App, inbox: Inbox) -> None:
    """Register the opening of the panel and each change of the channel beside it."""
    assistant = Assistant()

    def on_panel(payload: dict[str, Any], context: BoltContext) -> None:
        if opened := panel_of(payload.get("assistant_thread") or {}, context.team_id):
            inbox.open_panel(opened)

    assistant.thread_started(on_panel)
    assistant.thread_context_changed(on_panel)
    app.assistant(assistant)


def panel_of(thread: dict[str, Any], team: str | None = None) -> PanelOpened | None:
    """The panel in an event; None where Slack left out whose it is."""
    user, channel, thread_ts = thread.get("user_id"), thread.get("channel_id"), thread.get("thread_ts")
    if not (user and channel and thread_ts):
        return None
    beside = (thread.get("context") or {}).get("channel_id")
    return PanelOpened(user, channel, thread_ts, beside=beside, team=team)
