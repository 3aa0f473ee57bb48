"""Web API: uploading in three steps, files.info, list and delete; the upload and download doors."""

import math
import mimetypes
import secrets
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sandbox.slack import events
from sandbox.slack.call import Call
from sandbox.slack.errors import SlackError
from sandbox.slack.methods import method
from sandbox.slack.model import Channel, File
from sandbox.slack.posting import post
from sandbox.slack.shapes import file_json
from sandbox.slack.store import Store, new_id
from sandbox.slack.workspace import Sandbox


def new_file(user: str, name: str, size: int, content: bytes = b"") -> File:
    mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return File(new_id("F"), name.replace("/", "_"), name, mimetype, size, user, int(time.time()), content)


def share(
    sandbox: Sandbox, files: list[File], channel: Channel, user: str, text: str, thread_ts: str | None
) -> str:
    """Show files in a conversation with one `file_share` message; returns its ts."""
    message = post(
        sandbox,
        channel,
        user,
        text,
        files=[f.id for f in files],
        thread_ts=thread_ts,
        subtype="file_share",
    )
    for file in files:
        file.channels = list(dict.fromkeys([*file.channels, channel.id]))
        file.shares.setdefault(channel.id, []).append(message.ts)
        events.file_shared(sandbox, file, channel)
    return message.ts


def visible_file(store: Store, file_id: str) -> File:
    """A finished file the bot owns or meets in a conversation of its own."""
    file = store.files.get(file_id)
    bot = store.bot.user_id
    if file is None or not file.ready:
        raise SlackError("file_not_found")
    shared = any(bot in store.channels[c].members for c in file.channels if c in store.channels)
    if file.user != bot and not shared:
        raise SlackError("file_not_found")
    return file


@method("files.getUploadURLExternal", "files:write", tier=4)
def files_get_upload_url(call: Call) -> dict[str, Any]:
    name = call.required("filename")
    size = call.number("length", 0, 1, call.sandbox.config.max_file_bytes, "invalid_arguments")
    file = new_file(call.store.bot.user_id, name, size)
    file.upload_key = secrets.token_urlsafe(24)
    call.store.files[file.id] = file
    return {"upload_url": f"{call.public_url}/upload/v1/{file.upload_key}", "file_id": file.id}


@method("files.completeUploadExternal", "files:write", tier=4)
def files_complete_upload(call: Call) -> dict[str, Any]:
    wanted = call.json("files")
    if not isinstance(wanted, list) or not wanted:
        raise SlackError("invalid_arguments")
    files = []
    for entry in wanted:
        file = call.store.files.get(str(entry.get("id"))) if isinstance(entry, dict) else None
        if file is None or not file.uploaded:
            raise SlackError("file_not_found")
        file.title = entry.get("title") or file.name
        file.ready = True
        files.append(file)
    ids = call.names("channels") + ([call.text("channel_id")] if call.text("channel_id") else [])
    for channel_id in ids:
        channel = call.store.channel(channel_id)
        if call.store.bot.user_id not in channel.members:
            raise SlackError("not_in_channel" if channel.kind == "channel" else "channel_not_found")
        bot, text = call.store.bot.user_id, call.text("initial_comment")
        share(call.sandbox, files, channel, bot, text, call.text("thread_ts") or None)
    return {"files": [file_json(call.store, f, call.public_url) for f in files]}


@method("files.info", "files:read", tier=4)
def files_info(call: Call) -> dict[str, Any]:
    file = visible_file(call.store, call.required("file", "file_not_found"))
    return {
        "file": file_json(call.store, file, call.public_url),
        "comments": [],
        "response_metadata": {"next_cursor": ""},
    }


@method("files.list", "files:read")
def files_list(call: Call) -> dict[str, Any]:
    count = call.number("count", 100, 1, 1000)
    page = call.number("page", 1, 1, 10_000)
    files = [f for f in call.store.files.values() if _listed(call, f)]
    shown = files[(page - 1) * count : page * count]
    paging = {"count": count, "total": len(files), "page": page, "pages": math.ceil(len(files) / count)}
    return {"files": [file_json(call.store, f, call.public_url) for f in shown], "paging": paging}


def _listed(call: Call, file: File) -> bool:
    try:
        visible_file(call.store, file.id)
    except SlackError:
        return False
    channel, user = call.text("channel"), call.text("user")
    since, until = call.stamp("ts_from", 0.0), call.stamp("ts_to", float("inf"))
    return (
        (not channel or channel in file.channels)
        and (not user or user == file.user)
        and since <= file.created <= until
    )


@method("files.delete", "files:write")
def files_delete(call: Call) -> dict[str, Any]:
    file = visible_file(call.store, call.required("file", "file_not_found"))
    if file.user != call.store.bot.user_id:
        raise SlackError("cant_delete_file")
    del call.store.files[file.id]
    call.store.touch()
    events.file_deleted(call.sandbox, file)
    return {}


async def upload(request: Request) -> Response:
    """`POST /upload/v1/{key}`: the raw bytes, or one multipart field."""
    sandbox: Sandbox = request.app.state.sandbox
    key = request.path_params["key"]
    file = next((f for f in sandbox.store.files.values() if f.upload_key == key), None)
    if file is None or file.uploaded:
        return PlainTextResponse("404 - not found", 404)
    content = await read_upload(request, sandbox.config.max_file_bytes)
    if content is None or len(content) != file.size:
        return PlainTextResponse("400 - length differs from the one announced", 400)
    file.content, file.uploaded = content, True
    return PlainTextResponse(f"OK - {len(content)}")


async def read_upload(request: Request, max_bytes: int) -> bytes | None:
    """The file bytes of a request; None when there are none or more than `max_bytes`."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=1) as form:
            for value in form.values():
                if not isinstance(value, str):
                    return await value.read() if (value.size or 0) <= max_bytes else None
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > max_bytes:
            return None
    return bytes(body)


async def download(request: Request) -> Response:
    """`GET /files-pri/{team}-{file}/…`: only with the bot token; without one Slack shows its sign-in page."""
    sandbox: Sandbox = request.app.state.sandbox
    value = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    token = sandbox.store.tokens.get(value)
    if token is None or token.revoked or "files:read" not in token.scopes:
        page = "<!DOCTYPE html><html><title>Sign in</title><body>Sign in to see this file.</body></html>"
        return Response(page, media_type="text/html")
    try:
        file = visible_file(sandbox.store, request.path_params["file"].partition("-")[2])
    except SlackError:
        return PlainTextResponse("404 - not found", 404)
    return Response(file.content, media_type=file.mimetype)
