"""The door of the Web API: reads the request, breaks it where a fault says so, checks token, scope and rate, answers."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.slack import (  # noqa: F401  (each fills rows of METHODS)
    web_api_assistant,
    web_api_auth,
    web_api_chat,
    web_api_conversations,
    web_api_files,
    web_api_reactions,
    web_api_stream,
    web_api_users,
    web_api_views,
)
from sandbox.slack.call import Call
from sandbox.slack.errors import SlackError
from sandbox.slack.faults import Fault, next_fault
from sandbox.slack.json_in import strict_json
from sandbox.slack.methods import METHODS, Method
from sandbox.slack.model import Token
from sandbox.slack.workspace import Sandbox

LOGGED_CHARS = 400


class CutConnection(Response):
    """Promises a body, sends a few bytes and hangs up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"ok": tr', "more_body": True})


async def web_api(request: Request) -> Response:
    """`GET|POST /api/{method}`."""
    sandbox: Sandbox = request.app.state.sandbox
    name = request.path_params["method"]
    fault = next_fault(sandbox.faults, name, sandbox.rng)
    if fault and fault.kind == "slow":
        await asyncio.sleep(fault.delay_s)
    elif fault:
        response = _broken(fault)
        sandbox.log_request(name, response.status_code, {"error": f"fault:{fault.kind}"}, {})
        return response
    args: dict[str, Any] = {}
    try:
        args = await _read_args(request, sandbox.config.max_body_bytes)
        response, reply = _answer(sandbox, request, name, args)
    except SlackError as exc:
        reply = exc.reply()
        response = JSONResponse(reply)
    shown = {k: str(v)[:LOGGED_CHARS] for k, v in args.items() if k not in ("token", "client_secret")}
    sandbox.log_request(name, response.status_code, reply, shown)
    return response


def _answer(
    sandbox: Sandbox, request: Request, name: str, args: dict[str, Any]
) -> tuple[JSONResponse, dict[str, Any]]:
    found = METHODS.get(name)
    if found is None:
        raise SlackError("unknown_method", req_method=name)
    token = _token(sandbox, request, args, found)
    wait_s = sandbox.limits.retry_after_s(name, found.tier, args.get("channel"))
    if wait_s is not None:
        reply = {"ok": False, "error": "ratelimited"}
        return JSONResponse(reply, 429, {"Retry-After": str(wait_s)}), reply
    if token and found.scopes and not token.scopes.intersection(found.scopes):
        provided = ",".join(sorted(token.scopes))
        raise SlackError("missing_scope", needed=found.scopes[0], provided=provided)
    call = Call(sandbox, name, args, token, str(request.base_url).rstrip("/"))
    reply = {"ok": True, **found.handler(call)}
    headers = {"x-oauth-scopes": ",".join(sorted(token.scopes))} if token else {}
    return JSONResponse(reply, headers=headers), reply


def _token(sandbox: Sandbox, request: Request, args: dict[str, Any], found: Method) -> Token | None:
    """The token of the call, checked. Raises SlackError; None for methods that take no token."""
    if found.token is None:
        return None
    header = request.headers.get("authorization", "")
    value = header[7:].strip() if header.lower().startswith("bearer ") else str(args.get("token") or "")
    if not value:
        raise SlackError("not_authed")
    token = sandbox.store.tokens.get(value)
    if token is None:
        raise SlackError("invalid_auth")
    if token.revoked:
        raise SlackError("token_revoked" if sandbox.store.bot.installed else "account_inactive")
    if found.token not in ("any", token.kind):
        raise SlackError("not_allowed_token_type")
    return token


async def _read_args(request: Request, max_bytes: int) -> dict[str, Any]:
    """Query, then body. Raises SlackError for a body that is too large or not what it says it is."""
    args: dict[str, Any] = dict(request.query_params)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > max_bytes:
            raise SlackError("request_too_large")
    if not body:
        return args
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("application/json"):
        return args | _json_object(bytes(body))
    if content_type.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        replay = Request(request.scope, _replay(bytes(body)))
        async with replay.form() as form:
            return args | {k: v for k, v in form.items() if isinstance(v, str)}
    raise SlackError("invalid_post_type" if content_type else "missing_post_type")


def _replay(body: bytes) -> Receive:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = strict_json(body)
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(value, dict):
        raise SlackError("json_not_object")
    return value


def _broken(fault: Fault) -> Response:
    if fault.kind == "rate_limit":
        reply = {"ok": False, "error": "ratelimited"}
        return JSONResponse(reply, 429, {"Retry-After": str(fault.retry_after_s)})
    if fault.kind == "server_error":
        return Response("upstream connect error", fault.status, media_type="text/plain")
    if fault.kind == "malformed":
        return Response('{"ok": true, "channel": ', media_type="application/json")
    if fault.kind == "cut":
        return CutConnection()
    return JSONResponse({"ok": False, "error": fault.error})
