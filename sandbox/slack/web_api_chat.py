"""Web API: chat.postMessage, postEphemeral, update, delete and getPermalink."""

from typing import Any

from sandbox.slack.blocks import MAX_MARKDOWN_CHARS, checked_blocks
from sandbox.slack.call import Call
from sandbox.slack.errors import SlackError
from sandbox.slack.methods import method
from sandbox.slack.model import Channel, Message
from sandbox.slack.posting import MAX_TEXT_CHARS, MAX_UPDATE_CHARS, change, post, remove
from sandbox.slack.shapes import message_json


def content(call: Call) -> dict[str, Any]:
    """Text, blocks, attachments and metadata of a call, checked."""
    text = call.text("text")
    blocks = call.json("blocks", "invalid_blocks_format")
    markdown = call.text("markdown_text")
    if markdown:
        if text or blocks:
            raise SlackError("markdown_text_conflict")
        if len(markdown) > MAX_MARKDOWN_CHARS:
            raise SlackError("msg_too_long")
        text, blocks = markdown, [{"type": "markdown", "text": markdown}]
    if len(text) > MAX_TEXT_CHARS:
        raise SlackError("msg_too_long")
    attachments = call.json("attachments", "invalid_attachments") or []
    if not isinstance(attachments, list) or not all(isinstance(a, dict) for a in attachments):
        raise SlackError("invalid_attachments")
    if len(attachments) > 100:
        raise SlackError("too_many_attachments")
    for attachment in attachments:
        if attachment.get("blocks"):
            attachment["blocks"] = checked_blocks(attachment["blocks"])
    metadata = call.json("metadata", "invalid_metadata_format")
    if metadata is not None and not (isinstance(metadata, dict) and "event_type" in metadata):
        raise SlackError("invalid_metadata_schema")
    return {
        "text": text,
        "blocks": checked_blocks(blocks) if blocks else [],
        "attachments": attachments,
        "metadata": metadata,
    }


@method("chat.postMessage", "chat:write", tier=4)
def chat_post_message(call: Call) -> dict[str, Any]:
    channel = destination(call)
    fields = content(call)
    thread_ts = call.text("thread_ts") or None
    broadcast = bool(thread_ts) and call.flag("reply_broadcast")
    message = post(
        call.sandbox,
        channel,
        call.store.bot.user_id,
        fields.pop("text"),
        thread_ts=thread_ts,
        broadcast=broadcast,
        subtype="thread_broadcast" if broadcast else None,
        username=call.text("username") or None,
        icon_emoji=call.text("icon_emoji") or None,
        **fields,
    )
    return {
        "channel": channel.id,
        "ts": message.ts,
        "message": message_json(call.store, message, call.public_url),
    }


def destination(call: Call) -> Channel:
    """Where to post: a conversation, or a DM when a user id is given. `chat:write.public` opens public channels."""
    wanted = call.required("channel", "channel_not_found")
    store = call.store
    if wanted in store.users and wanted != store.bot.user_id:
        return store.direct_channel([store.bot.user_id, wanted])[0]
    channel = call.channel()
    is_public = channel.kind == "channel" and call.token and "chat:write.public" in call.token.scopes
    if store.bot.user_id not in channel.members and not is_public:
        raise SlackError("not_in_channel")
    return channel


@method("chat.postEphemeral", "chat:write", tier=4)
def chat_post_ephemeral(call: Call) -> dict[str, Any]:
    channel = call.channel(member=True)
    user = call.store.user(call.required("user", "user_not_found"))
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    fields = content(call)
    message = post(
        call.sandbox,
        channel,
        call.store.bot.user_id,
        fields.pop("text"),
        thread_ts=call.text("thread_ts") or None,
        visible_to=user.id,
        **fields,
    )
    return {"message_ts": message.ts}


def own_message(call: Call, error: str) -> Message:
    """The bot's own visible message named by `channel` and `ts`."""
    channel = call.channel()
    message = call.store.message(channel.id, call.required("ts", "message_not_found"))
    if message.visible_to:
        raise SlackError("message_not_found")
    if message.user != call.store.bot.user_id:
        raise SlackError(error)
    return message


@method("chat.update", "chat:write")
def chat_update(call: Call) -> dict[str, Any]:
    message = own_message(call, "cant_update_message")
    if len(call.text("text")) > MAX_UPDATE_CHARS:
        raise SlackError("msg_too_long")
    if message.streaming:
        raise SlackError("streaming_state_conflict")
    fields = content(call)
    given = {k: v for k, v in fields.items() if k in call.args or (k != "metadata" and v)}
    if not (fields["text"] or fields["blocks"] or fields["attachments"]):
        raise SlackError("no_text")
    if "text" in given and "blocks" not in given:
        given["blocks"] = []
    # Slack marks a message as edited when it shows new text, not when it shows new blocks.
    change(call.sandbox, message, edited=not given.get("blocks"), **given)
    shown = message_json(call.store, message, call.public_url)
    del shown["ts"]
    return {
        "channel": message.channel,
        "ts": message.ts,
        "text": message.text,
        "message": shown,
    }


@method("chat.delete", "chat:write")
def chat_delete(call: Call) -> dict[str, Any]:
    message = own_message(call, "cant_delete_message")
    remove(call.sandbox, message)
    return {"channel": message.channel, "ts": message.ts}


@method("chat.getPermalink")
def chat_get_permalink(call: Call) -> dict[str, Any]:
    channel = call.channel()
    ts = call.required("message_ts", "message_not_found")
    message = call.store.message(channel.id, ts)
    link = f"{call.public_url}/archives/{channel.id}/p{ts.replace('.', '')}"
    if message.thread_ts and message.thread_ts != ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}
