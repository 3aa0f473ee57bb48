"""`/_sandbox/*` doors for doing: act as a person, break things, change settings, start over."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.slack import admin_looks, interactions, people
from sandbox.slack.errors import SlackError
from sandbox.slack.faults import parse_faults
from sandbox.slack.json_in import strict_json
from sandbox.slack.model import Message, View
from sandbox.slack.seed import load_store
from sandbox.slack.workspace import Sandbox

Json = dict[str, Any]
Act = Callable[[Sandbox, Json], Awaitable[Json]]
SETTINGS = (
    "events_url",
    "commands_url",
    "interactions_url",
    "ack_timeout_s",
    "retry_delays_s",
    "trigger_ttl_s",
)


def _need(body: Json, name: str) -> str:
    value = body.get(name)
    if value in (None, ""):
        raise SlackError("missing_field", field=name)
    return str(value)


def _message(sandbox: Sandbox, body: Json) -> Message:
    """The message named by `ts` or `ephemeral_id`, with or without its `channel`."""
    ts = str(body.get("ts") or body.get("ephemeral_id") or "")
    for message in sandbox.store.all_messages():
        if message.ts == ts and body.get("channel", message.channel) == message.channel:
            return message
    raise SlackError("message_not_found")


def _view(sandbox: Sandbox, body: Json) -> View:
    """The view named by `view_id`, else the person's topmost modal."""
    store = sandbox.store
    user = people.person(store, _need(body, "user"))
    stack = store.open_modals.get(user.id) or [""]
    view = store.views.get(str(body.get("view_id") or stack[-1]))
    if view is None:
        raise SlackError("view_not_found")
    return view


async def _command(sandbox: Sandbox, body: Json) -> Json:
    user = people.person(sandbox.store, _need(body, "user"))
    channel = people.place(sandbox.store, user, _need(body, "channel"))
    name = "/" + _need(body, "command").lstrip("/")
    return await interactions.command(sandbox, user, channel, name, str(body.get("text") or ""))


async def _say(sandbox: Sandbox, body: Json) -> Json:
    user = people.person(sandbox.store, _need(body, "user"))
    channel = people.place(sandbox.store, user, _need(body, "channel"))
    message = people.say(sandbox, user, channel, _need(body, "text"), body.get("thread_ts"))
    return {"ok": True, "channel": channel.id, "ts": message.ts}


async def _edit(sandbox: Sandbox, body: Json) -> Json:
    user, channel, ts = _target(sandbox, body)
    if body.get("delete"):
        people.delete(sandbox, user, channel, ts)
    else:
        people.edit(sandbox, user, channel, ts, _need(body, "text"))
    return {"ok": True}


def _target(sandbox: Sandbox, body: Json) -> tuple[Any, Any, str]:
    user = people.person(sandbox.store, _need(body, "user"))
    return user, people.place(sandbox.store, user, _need(body, "channel")), _need(body, "ts")


async def _react(sandbox: Sandbox, body: Json) -> Json:
    people.toggle_reaction(sandbox, *_target(sandbox, body), _need(body, "name"))
    return {"ok": True}


async def _click(sandbox: Sandbox, body: Json) -> Json:
    user = people.person(sandbox.store, _need(body, "user"))
    args = (_need(body, "action_id"), body.get("value"), body.get("block_id"))
    if body.get("view_id"):
        return await interactions.click_in_view(sandbox, user, _view(sandbox, body), *args)
    return await interactions.click(sandbox, user, _message(sandbox, body), *args)


async def _submit_view(sandbox: Sandbox, body: Json) -> Json:
    user = people.person(sandbox.store, _need(body, "user"))
    values = body.get("values") or {}
    if not isinstance(values, dict) or any(not isinstance(v, dict) for v in values.values()):
        raise SlackError("bad_field", field="values")
    return await interactions.submit_view(sandbox, user, _view(sandbox, body), values)


async def _close_view(sandbox: Sandbox, body: Json) -> Json:
    user = people.person(sandbox.store, _need(body, "user"))
    return await interactions.close_view(sandbox, user, _view(sandbox, body), bool(body.get("clear")))


async def _suggest(sandbox: Sandbox, body: Json) -> Json:
    user = people.person(sandbox.store, _need(body, "user"))
    view = _view(sandbox, body)
    return await interactions.suggestions(
        sandbox, user, view, _need(body, "action_id"), str(body.get("value") or "")
    )


async def _shortcut(sandbox: Sandbox, body: Json) -> Json:
    user = people.person(sandbox.store, _need(body, "user"))
    callback_id = _need(body, "callback_id")
    if body.get("ts"):
        return await interactions.message_action(sandbox, user, _message(sandbox, body), callback_id)
    return await interactions.shortcut(sandbox, user, callback_id)


async def _event(sandbox: Sandbox, body: Json) -> Json:
    event = body.get("event", body)
    if body.get("type") == "event_callback":
        sandbox.deliveries.send_raw_event(body)
        return {"ok": True, "event_id": body.get("event_id")}
    if not isinstance(event, dict) or not event.get("type"):
        raise SlackError("missing_field", field="event.type")
    channel = sandbox.store.channels.get(str(event.get("channel")))
    return {"ok": True, "event_id": sandbox.deliveries.event(event, channel)}


async def _home(sandbox: Sandbox, body: Json) -> Json:
    user = people.person(sandbox.store, _need(body, "user"))
    return {"ok": True, "channel": people.open_home(sandbox, user, body.get("tab") or "home").id}


async def _assistant(sandbox: Sandbox, body: Json) -> Json:
    user = people.person(sandbox.store, _need(body, "user"))
    seen = body.get("context_channel")
    looking_at = people.place(sandbox.store, user, seen).id if seen else None
    if body.get("thread_ts") and looking_at:
        people.change_assistant_context(sandbox, user, str(body["thread_ts"]), looking_at)
        return {"ok": True, "thread_ts": body["thread_ts"]}
    thread = people.start_assistant(sandbox, user, looking_at)
    return {"ok": True, "channel": thread.channel, "thread_ts": thread.thread_ts}


async def _membership(sandbox: Sandbox, body: Json) -> Json:
    user = people.person(sandbox.store, _need(body, "user"))
    channel = people.place(sandbox.store, user, _need(body, "channel"))
    acts = {"join": people.join, "leave": people.leave, "invite_bot": people.invite_bot}
    act = acts.get(body.get("act", "join"))
    if act is None:
        raise SlackError("bad_field", field="act")
    act(sandbox, user, channel)
    return {"ok": True, "channel": channel.id}


async def _direct(sandbox: Sandbox, body: Json) -> Json:
    user = people.person(sandbox.store, _need(body, "user"))
    return {
        "ok": True,
        "channel": people.place(sandbox.store, user, "@" + _need(body, "with").lstrip("@")).id,
    }


async def _uninstall(sandbox: Sandbox, body: Json) -> Json:
    people.uninstall(sandbox)
    return {"ok": True}


async def _reset(sandbox: Sandbox, body: Json) -> Json:
    sandbox.reset(load_store(sandbox.config.seed_dir))
    return {"ok": True}


async def _faults(sandbox: Sandbox, body: Json) -> Json:
    try:
        sandbox.faults = parse_faults(body.get("rules", []))
    except ValueError as exc:
        raise SlackError("bad_rules", detail=str(exc)) from exc
    return {"ok": True, "rules": [dataclasses.asdict(f) for f in sandbox.faults]}


async def _rate_limits(sandbox: Sandbox, body: Json) -> Json:
    overrides = body.get("overrides") or {}
    if not isinstance(overrides, dict) or any(not isinstance(n, int) or n < 0 for n in overrides.values()):
        raise SlackError("bad_field", field="overrides")
    sandbox.limits.enabled = bool(body.get("enabled", True))
    sandbox.limits.overrides = overrides
    sandbox.limits.reset()
    return {"ok": True, "enabled": sandbox.limits.enabled, "overrides": overrides}


async def _settings(sandbox: Sandbox, body: Json) -> Json:
    unknown = sorted(set(body) - set(SETTINGS))
    if unknown:
        raise SlackError("unknown_setting", field=unknown[0])
    for name, value in body.items():
        setattr(sandbox.config, name, value)
    return {"ok": True, **{name: getattr(sandbox.config, name) for name in SETTINGS}}


async def _scopes(sandbox: Sandbox, body: Json) -> Json:
    token = sandbox.store.tokens.get(_need(body, "token"))
    if token is None:
        raise SlackError("invalid_auth")
    token.scopes = frozenset(body.get("scopes") or ())
    return {"ok": True, "scopes": sorted(token.scopes)}


async def _refresh_sockets(sandbox: Sandbox, body: Json) -> Json:
    return {"ok": True, "n_closed": await sandbox.sockets.refresh(body.get("reason") or "refresh_requested")}


async def _verify_url(sandbox: Sandbox, body: Json) -> Json:
    return await sandbox.deliveries.verify_url()


def endpoint(act: Act) -> Callable[[Request], Awaitable[Response]]:
    """A JSON door around an act: a bad body or a SlackError becomes 400 with `ok: false`."""

    async def door(request: Request) -> Response:
        try:
            raw = await request.body()
            body = strict_json(raw) if raw else {}
            if not isinstance(body, dict):
                raise SlackError("json_not_object")
            return JSONResponse(await act(request.app.state.sandbox, body))
        except ValueError:
            return JSONResponse({"ok": False, "error": "invalid_json"}, 400)
        except SlackError as exc:
            return JSONResponse(exc.reply(), 400)

    return door


async def upload(request: Request) -> Response:
    """`POST /_sandbox/upload`, multipart: `user`, `channel`, `file`, optionally `text` and `thread_ts`."""
    sandbox: Sandbox = request.app.state.sandbox
    try:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise SlackError("invalid_post_type")
        async with request.form(max_files=1) as form:
            fields = {k: v for k, v in form.items() if isinstance(v, str)}
            part = form.get("file")
            if part is None or isinstance(part, str):
                raise SlackError("missing_field", field="file")
            if (part.size or 0) > sandbox.config.max_file_bytes:
                raise SlackError("file_too_large")
            content, name = await part.read(), part.filename or "file"
        user = people.person(sandbox.store, _need(fields, "user"))
        channel = people.place(sandbox.store, user, _need(fields, "channel"))
        text, thread_ts = fields.get("text", ""), fields.get("thread_ts") or None
        return JSONResponse(
            {"ok": True, **people.upload(sandbox, user, channel, name, content, text, thread_ts)}
        )
    except SlackError as exc:
        return JSONResponse(exc.reply(), 400)


ACTS: dict[str, Act] = {
    "command": _command,
    "message": _say,
    "edit": _edit,
    "reaction": _react,
    "click": _click,
    "submit_view": _submit_view,
    "close_view": _close_view,
    "suggest": _suggest,
    "shortcut": _shortcut,
    "event": _event,
    "home": _home,
    "assistant": _assistant,
    "membership": _membership,
    "direct": _direct,
    "uninstall": _uninstall,
    "reset": _reset,
    "verify_url": _verify_url,
    "socket_refresh": _refresh_sockets,
}
PUTS: dict[str, Act] = {
    "faults": _faults,
    "rate_limits": _rate_limits,
    "settings": _settings,
    "scopes": _scopes,
}


def admin_routes() -> list[Route]:
    acts = [Route(f"/_sandbox/{name}", endpoint(act), methods=["POST"]) for name, act in ACTS.items()]
    puts = [Route(f"/_sandbox/{name}", endpoint(act), methods=["PUT"]) for name, act in PUTS.items()]
    looks = [
        Route("/_sandbox/upload", upload, methods=["POST"]),
        Route("/_sandbox/state", admin_looks.state),
        Route("/_sandbox/wait", admin_looks.wait),
        Route("/_sandbox/look", admin_looks.page_state),
        Route("/_sandbox/people", admin_looks.who),
        Route("/_sandbox/file/{file}", admin_looks.page_file),
        Route("/_sandbox/stream", admin_looks.stream),
    ]
    return [*acts, *puts, *looks]
