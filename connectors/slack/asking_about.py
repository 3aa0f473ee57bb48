"""The modal behind "Ask about this" on a message: the message's words as a question, to be changed and sent."""

import json
from typing import Any

from connectors.slack.answer_message import plain, words
from connectors.slack.inbox import Asked
from connectors.slack.incoming_text import plain_words

CALLBACK_ID = "ask_about"
MAX_CHARS = 2_000
NOTE = "You alone see the answer; it comes from what you may open."


def modal(action: dict[str, Any]) -> dict[str, Any]:
    """`action` is Slack's `message_action`; where to answer travels along in the modal."""
    message = action.get("message") or {}
    held = {
        "channel": (action.get("channel") or {}).get("id", ""),
        "response_url": action.get("response_url"),
    }
    asked = {
        "type": "plain_text_input", "action_id": "question", "multiline": True, "max_length": MAX_CHARS,
        "placeholder": plain("What do you want to know?"),
    }  # fmt: skip
    if text := plain_words(str(message.get("text") or ""))[:MAX_CHARS]:
        asked["initial_value"] = text
    return {
        "type": "modal",
        "callback_id": CALLBACK_ID,
        "private_metadata": json.dumps(held)[:3_000],
        "title": plain("Ask about this"),
        "submit": plain("Ask"),
        "close": plain("Cancel"),
        "blocks": [
            {"type": "input", "block_id": "question", "label": plain("Question"), "element": asked},
            {"type": "context", "elements": [words(NOTE)]},
        ],
    }


def asked_in(view: dict[str, Any], user: str, team: str | None = None) -> Asked | None:
    """The question of a submitted modal; None when its metadata is none of ours."""
    try:
        held = json.loads(view.get("private_metadata") or "")
        channel, response_url = str(held["channel"]), held["response_url"]
    except (ValueError, KeyError, TypeError):
        return None
    said = view["state"]["values"].get("question", {}).get("question", {}).get("value") or ""
    return Asked(
        delivery_id=f"view:{view['id']}", text=str(said).strip(), user=user, channel=channel, place="command",
        response_url=response_url, team=team,
    )  # fmt: skip
