"""Recordings people share in Slack: the event of the file, and the click that wants minutes of it."""

import re
from typing import Any

from slack_bolt import Ack, App, BoltContext

from connectors.slack.files import DRAFT_ACTION
from connectors.slack.inbox import FileShared, Inbox

Body = dict[str, Any]


def add_recordings(app: App, inbox: Inbox) -> None:
    """Register the event and the button of the offer."""

    def on_file(ack: Ack, event: Body, context: BoltContext) -> None:
        if event.get("file_id") and event.get("user_id") and event.get("channel_id"):
            team = context.team_id
            inbox.file(FileShared(event["file_id"], event["user_id"], event["channel_id"], team=team))
        ack()

    def on_file_wanted(ack: Ack, body: Body, context: BoltContext) -> None:
        file_id, channel = str(body["actions"][0].get("value") or ""), (body.get("channel") or {}).get("id")
        if re.fullmatch(r"F[A-Z0-9]{1,30}", file_id) and channel:
            user, url, team = body["user"]["id"], body.get("response_url"), context.team_id
            inbox.file(FileShared(file_id, user, channel, is_wanted=True, response_url=url, team=team))
        ack()

    app.event("file_shared")(on_file)
    app.action(DRAFT_ACTION)(on_file_wanted)
