"""Messages of ours taken back: by their place, or found by the mark in their metadata. Knows no meeting."""

from slack_sdk import WebClient

from connectors.slack.web import translated
from core.errors import NotFound

N_LOOKED_BACK = 200


def delete_message(client: WebClient, channel: str, ts: str) -> bool:
    """True when the message was there; one that is gone already is no error."""
    try:
        with translated("the message"):
            client.chat_delete(channel=channel, ts=ts)
    except NotFound:
        return False
    return True


def delete_marked(client: WebClient, channel: str, marks: frozenset[str]) -> int:
    """Delete those of the channel's newest messages that carry one of the marks; returns how many."""
    try:
        with translated("the messages of a channel"):
            found = client.conversations_history(
                channel=channel, limit=N_LOOKED_BACK, include_all_metadata=True
            )
    except NotFound:
        return 0
    n_deleted = 0
    for message in found["messages"]:
        payload = (message.get("metadata") or {}).get("event_payload") or {}
        if marks & {payload.get("mark"), payload.get("key")}:
            n_deleted += delete_message(client, channel, str(message["ts"]))
    return n_deleted


def open_conversation(client: WebClient, user: str) -> str:
    """Id of the person's conversation with us."""
    with translated("a direct message"):
        return str(client.conversations_open(users=user)["channel"]["id"])
