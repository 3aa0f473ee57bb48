"""Puts messages into conversations for bot and people alike, changes and removes them, and tells the events."""

import uuid
from typing import Any

from sandbox.slack import events
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Channel, Message
from sandbox.slack.shapes import Json, message_json
from sandbox.slack.workspace import Sandbox

MAX_TEXT_CHARS = 40_000
MAX_UPDATE_CHARS = 4_000


def post(sandbox: Sandbox, channel: Channel, user: str, text: str, **fields: Any) -> Message:
    """Add a message and deliver its events. Raises SlackError for a closed channel, no content, a lost thread."""
    store = sandbox.store
    if channel.is_archived:
        raise SlackError("is_archived")
    if not (text or fields.get("blocks") or fields.get("attachments") or fields.get("files")):
        raise SlackError("no_text")
    if len(text) > MAX_TEXT_CHARS:
        raise SlackError("msg_too_long")
    thread_ts = fields.get("thread_ts")
    if thread_ts and thread_ts not in store.messages[channel.id]:
        raise SlackError("thread_not_found")
    by_bot = user == store.bot.user_id
    message = Message(
        channel=channel.id,
        ts=store.new_ts(),
        user=user,
        text=text,
        by_bot=by_bot,
        client_msg_id=None if by_bot else str(uuid.uuid4()),
        **fields,
    )
    thread = store.threads.get((channel.id, thread_ts or ""))
    if by_bot and thread is not None:
        thread.status = ""  # Slack takes the line away as soon as the app answers
    store.add_message(message)
    events.message_posted(sandbox, message)
    return message


def change(sandbox: Sandbox, message: Message, edited: bool = True, **fields: Any) -> Message:
    """Set `fields` on a message; silent for an ephemeral one."""
    before = message_json(sandbox.store, message, sandbox.config.public_url)
    for name, value in fields.items():
        setattr(message, name, value)
    if edited:
        message.edited_ts = sandbox.store.new_ts()
    sandbox.store.changed(message)
    if not message.visible_to:
        events.message_changed(sandbox, message, before)
    return message


def remove(sandbox: Sandbox, message: Message) -> None:
    before: Json = message_json(sandbox.store, message, sandbox.config.public_url)
    sandbox.store.remove_message(message)
    if not message.visible_to:
        events.message_deleted(sandbox, message, before)
