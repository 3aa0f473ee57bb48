"""The box under a private answer: what is typed there leans on the question above it."""

from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, BoltContext

from connectors.slack.inbox import Asked, Inbox
from connectors.slack.listeners.commands import kept
from connectors.slack.mrkdwn import escape
from connectors.slack.posting import LOOKING

Body = dict[str, Any]


def add_follow_ups(app: App, inbox: Inbox) -> None:
    """Register the box."""

    def on_follow_up(ack: Ack, body: Body, respond: Callable[..., Any], context: BoltContext) -> None:
        asked = follow_up_of(body, context.team_id)
        said = kept(inbox, asked) if asked else None
        ack()
        if asked and body.get("response_url"):
            respond(text=escape(said or LOOKING), response_type="ephemeral", replace_original=False)

    app.action("follow_up")(on_follow_up)


def follow_up_of(body: Body, team: str | None = None) -> Asked | None:
    """What was typed; None when it is empty or stands under no answer of ours."""
    action = body["actions"][0]
    text = str(action.get("value") or "").strip()
    number = str(action.get("block_id") or "").removeprefix("follow_up_")
    if not text or not number.isdecimal() or len(number) > 18:
        return None
    return Asked(
        delivery_id=f"follow_up:{body.get('trigger_id') or action.get('action_ts')}",
        text=text,
        user=body["user"]["id"],
        channel=(body.get("channel") or {}).get("id", ""),
        place="command",
        thread_ts=(body.get("container") or {}).get("thread_ts"),
        response_url=body.get("response_url"),
        leans_on=int(number),
        team=team,
    )
