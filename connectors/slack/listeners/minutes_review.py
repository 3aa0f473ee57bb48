"""Approve and Discard under drafted minutes."""

import re
from typing import Any

from slack_bolt import Ack, App, BoltContext

from connectors.slack.inbox import Inbox, Reviewed
from connectors.slack.listeners.answer_buttons import click_of

REVIEW_BUTTONS = re.compile(r"^minutes_(approve|discard)$")


def add_minutes_review(app: App, inbox: Inbox) -> None:
    """Register both buttons, wherever they stand."""

    def on_review(ack: Ack, body: dict[str, Any], context: BoltContext) -> None:
        if clicked := click_of(body, context.team_id):
            inbox.review(
                Reviewed(
                    minutes_id=clicked.question_id,
                    is_approved=clicked.action == "minutes_approve",
                    user=clicked.user,
                    channel=clicked.channel,
                    response_url=clicked.response_url,
                    delivery_id=clicked.delivery_id,
                    team=clicked.team,
                )
            )
        ack()

    app.action(REVIEW_BUTTONS)(on_review)
