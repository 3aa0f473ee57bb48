"""Web API: streamed messages (chat.startStream, appendStream, stopStream)."""

from typing import Any

from sandbox.slack.blocks import MAX_MARKDOWN_CHARS, checked_blocks
from sandbox.slack.call import Call
from sandbox.slack.errors import SlackError
from sandbox.slack.methods import method
from sandbox.slack.model import Message
from sandbox.slack.posting import change, post
from sandbox.slack.shapes import message_json
from sandbox.slack.web_api_chat import own_message

EMPTY = " "


def _new_text(call: Call) -> str:
    """Markdown of this call, from `markdown_text` or from `markdown_text` chunks."""
    text = call.text("markdown_text")
    chunks = call.json("chunks") or []
    if not isinstance(chunks, list):
        raise SlackError("invalid_chunks")
    for chunk in chunks:
        if not isinstance(chunk, dict) or "type" not in chunk:
            raise SlackError("invalid_chunks")
        text += str(chunk.get("text", "")) if chunk["type"] == "markdown_text" else ""
    if len(text) > MAX_MARKDOWN_CHARS:
        raise SlackError("msg_too_long")
    return text


def _markdown(text: str) -> list[dict[str, Any]]:
    return [{"type": "markdown", "block_id": "stream", "text": text}] if text.strip() else []


@method("chat.startStream", "chat:write", tier=2)
def chat_start_stream(call: Call) -> dict[str, Any]:
    channel = call.channel(member=True)
    thread_ts = call.required("thread_ts", "invalid_thread_ts")
    if channel.kind != "im" and not (call.text("recipient_user_id") and call.text("recipient_team_id")):
        raise SlackError(
            "missing_recipient_user_id" if not call.text("recipient_user_id") else "missing_recipient_team_id"
        )
    text = _new_text(call)
    message = post(
        call.sandbox,
        channel,
        call.store.bot.user_id,
        text or EMPTY,
        blocks=_markdown(text),
        thread_ts=thread_ts,
        streaming=True,
    )
    message.text = text
    return {"channel": channel.id, "ts": message.ts}


def _streaming(call: Call) -> Message:
    message = own_message(call, "message_not_owned_by_app")
    if not message.streaming:
        raise SlackError("message_not_in_streaming_state")
    return message


@method("chat.appendStream", "chat:write", tier=4)
def chat_append_stream(call: Call) -> dict[str, Any]:
    message = _streaming(call)
    new = _new_text(call)
    if not new and not call.args.get("chunks"):
        raise SlackError("no_text")
    message.text += new
    message.blocks = _markdown(message.text)
    call.store.changed(message)
    return {"channel": message.channel, "ts": message.ts}


@method("chat.stopStream", "chat:write", tier=2)
def chat_stop_stream(call: Call) -> dict[str, Any]:
    message = _streaming(call)
    closing = checked_blocks(call.json("blocks") or [])
    text = message.text + _new_text(call)
    change(
        call.sandbox,
        message,
        edited=False,
        text=text,
        blocks=_markdown(text) + closing,
        streaming=False,
        metadata=call.json("metadata"),
    )
    reply = message_json(call.store, message, call.public_url)
    return {"channel": message.channel, "ts": message.ts, "message": reply}
