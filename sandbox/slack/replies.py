"""What the app says back outside the Web API: immediate command replies and posts to a response URL."""

import asyncio
import contextlib
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.slack.blocks import checked_blocks
from sandbox.slack.errors import SlackError
from sandbox.slack.json_in import strict_json
from sandbox.slack.model import Channel, Message
from sandbox.slack.posting import change, post, remove
from sandbox.slack.response_urls import Ticket
from sandbox.slack.workspace import Sandbox

SETTLE_S = 0.25


def immediate_reply(sandbox: Sandbox, channel: Channel, user: str, reply: Any) -> Message | None:
    """Turn the answer to a slash command into a message; ephemeral unless it says `in_channel`."""
    if isinstance(reply, str):
        reply = {"text": reply}
    if not isinstance(reply, dict) or not (
        reply.get("text") or reply.get("blocks") or reply.get("attachments")
    ):
        return None
    return _place(sandbox, channel, user, reply, None)


def tell(sandbox: Sandbox, channel: Channel, user: str, text: str) -> Message:
    """Slack's own ephemeral word to a person, e.g. that a command failed."""
    return post(sandbox, channel, "USLACKBOT", text, visible_to=user)


def _place(
    sandbox: Sandbox, channel: Channel, user: str, reply: dict[str, Any], thread_ts: str | None
) -> Message:
    try:
        blocks = strict_json(reply["blocks"]) if isinstance(reply.get("blocks"), str) else reply.get("blocks")
    except ValueError:
        raise SlackError("invalid_blocks_format") from None
    return post(
        sandbox,
        channel,
        sandbox.store.bot.user_id,
        str(reply.get("text") or ""),
        blocks=checked_blocks(blocks) if blocks else [],
        attachments=reply.get("attachments") or [],
        thread_ts=reply.get("thread_ts") or thread_ts,
        visible_to=None if reply.get("response_type") == "in_channel" else user,
        metadata=reply.get("metadata"),
    )


async def response_url(request: Request) -> Response:
    """`POST /commands/…` and `/actions/…`: at most five posts within thirty minutes."""
    sandbox: Sandbox = request.app.state.sandbox
    kind = request.url.path.split("/")[1]
    key = f"{kind}/{request.path_params['key']}"
    reply: dict[str, Any] = {}
    try:
        raw = await request.body()
        reply = _payload(raw, sandbox.config.max_body_bytes)
        await _let_the_first_answer_pass(sandbox, key)
        _respond(sandbox, sandbox.response_urls.take(key), reply)
        answer, status = {"ok": True}, 200
    except SlackError as exc:
        answer, status = exc.reply(), 404 if exc.code.endswith("_url") else 400
    sandbox.log_request(f"response_url:{kind}", status, answer, {"text": str(reply.get("text"))[:400]})
    return JSONResponse(answer, status)


async def _let_the_first_answer_pass(sandbox: Sandbox, key: str) -> None:
    """Wait a moment for a command's own HTTP answer, so that it stands above what the app posts later."""
    ticket = sandbox.response_urls.find(key)
    if ticket and key.startswith("commands/"):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ticket.answered.wait(), SETTLE_S)


def _payload(raw: bytes, max_bytes: int) -> dict[str, Any]:
    if len(raw) > max_bytes:
        raise SlackError("request_too_large")
    try:
        payload = strict_json(raw)
    except ValueError:
        raise SlackError("invalid_payload") from None
    if not isinstance(payload, dict):
        raise SlackError("invalid_payload")
    return payload


def _respond(sandbox: Sandbox, ticket: Ticket, reply: dict[str, Any]) -> None:
    store = sandbox.store
    channel = store.channel(ticket.channel)
    origin = store.messages[channel.id].get(ticket.ts or "")
    if reply.get("delete_original") and origin:
        remove(sandbox, origin)
    elif reply.get("replace_original") and origin:
        blocks = checked_blocks(reply["blocks"]) if reply.get("blocks") else []
        text = str(reply.get("text") or "")
        if not (text or blocks or reply.get("attachments")):
            raise SlackError("no_text")
        change(sandbox, origin, text=text, blocks=blocks, attachments=reply.get("attachments") or [])
    elif not reply.get("delete_original"):
        _place(sandbox, channel, ticket.user, reply, ticket.thread_ts)
