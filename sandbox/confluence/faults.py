"""Faults on demand, and the log of requests: one ASGI layer around the whole API.

`PUT /_sandbox/faults` takes a list of rules; a request meets the first rule that fits it:

    {"kind": <see KINDS>, "path": "<regex over path?query>", "method": "GET"?,
     "probability": 1.0?, "count": <how often, then spent>?, "seed": 0?, and per kind:}

    rate_limit       429; "retry_after": "seconds" | "date" | "missing", "seconds": 1
    error            "status": 500 (any 4xx or 5xx)
    slow             waits "seconds", then answers as usual
    cut              the connection ends after half of the body
    malformed_json   the body ends in mid-sentence, with a clean end of the connection
    login_page       200 with an HTML login page (WebSudo, single sign-on)
    empty_next       no results, but a `next` link
    storage_fails    500 when body.storage is asked for; other bodies work
    large_page       500 when `limit` is beyond "max_limit" (default 10)
    not_found        404 for the content "content_id"
    hidden_500       500 where the answer would have been 403 or 404
    paging_400       400 as soon as `start` or `cursor` asks for more than the first page
    user_key_only    people lose every name but their `userKey`, as deleted ones do on Data Center
    short_page       a listing one short, without a `next` link, although there is more
"""

import json
import random
import re
import threading
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

import anyio
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.confluence.spoiled import one_short, without_names, without_results

LOG_LENGTH = 5_000
LOGIN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Administrator Access - Confluence</title>"
    b'<meta name="decorator" content="atl.general"></head><body><h1>Administrator Access</h1>'
    b'<form name="authenticateform" action="/doauthenticate.action" method="post">'
    b'<p>For security reasons, please confirm your password.</p><input type="password" name="password"/>'
    b"</form></body></html>"
)
KINDS = (
    "rate_limit|error|slow|cut|malformed_json|login_page|empty_next|storage_fails|large_page|not_found|hidden_500"
    "|paging_400|user_key_only|short_page"
)
REWRITTEN = {"user_key_only": without_names, "short_page": one_short}


class Rule(BaseModel):
    """One fault; unknown fields are refused, so that a typing error does not pass for a working test."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(pattern=f"^({KINDS})$")
    path: str = ".*"
    method: str | None = None
    probability: float = Field(default=1.0, ge=0, le=1)
    count: int | None = Field(default=None, ge=0)
    seed: int = 0
    status: int = Field(default=500, ge=400, le=599)
    seconds: float = Field(default=1.0, ge=0, le=120)
    retry_after: str = Field(default="seconds", pattern="^(seconds|date|missing)$")
    max_limit: int = 10
    content_id: str = ""

    @field_validator("path")
    @classmethod
    def _is_a_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as exc:
            raise ValueError(f"not a regular expression: {exc}") from exc
        return value


class Faults:
    """The rules in force and what was asked of the server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[tuple[Rule, random.Random]] = []
        self._left: list[int | None] = []
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.n_requests = 0

    def replace(self, rules: list[Rule]) -> None:
        with self._lock:
            self._rules = [(rule, random.Random(rule.seed)) for rule in rules]
            self._left = [rule.count for rule in rules]

    def describe(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                rule.model_dump() | {"left": left}
                for (rule, _), left in zip(self._rules, self._left, strict=True)
            ]

    def forget(self) -> None:
        self.replace([])
        self.log.clear()
        self.n_requests = 0

    def pick(self, method: str, path: str, query: str) -> Rule | None:
        """The first rule that fits, counted as used."""
        with self._lock:
            for at, (rule, dice) in enumerate(self._rules):
                left = self._left[at]
                if left == 0 or not _fits(rule, method, path, query):
                    continue
                if dice.random() >= rule.probability:
                    continue
                self._left[at] = None if left is None else left - 1
                return rule
        return None


def _fits(rule: Rule, method: str, path: str, query: str) -> bool:
    address = f"{path}?{query}" if query else path
    if rule.method and rule.method.upper() != method:
        return False
    if not re.search(rule.path, address):
        return False
    given = parse_qs(query)
    if rule.kind == "storage_fails":
        return "body.storage" in ",".join(given.get("expand", [])) or "storage" in given.get(
            "body-format", []
        )
    if rule.kind == "large_page":
        limit = given.get("limit", ["25"])[0]
        return limit.isdigit() and int(limit) > rule.max_limit
    if rule.kind == "paging_400":
        return given.get("start", ["0"])[0] != "0" or "cursor" in given
    if rule.kind == "not_found":
        return bool(rule.content_id) and rule.content_id in path.split("/")
    return True


class FaultLayer:
    """ASGI middleware; the sandbox's own addresses are neither disturbed nor logged."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self.app, self.faults = app, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self.app(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        rule = self.faults.pick(scope["method"], scope["path"], query)
        entry: dict[str, Any] = {
            "at": time.time(), "method": scope["method"], "path": scope["path"], "query": query,
            "fault": rule.kind if rule else None, "status": None, "account_id": None,
        }  # fmt: skip
        self.faults.log.append(entry)
        self.faults.n_requests += 1

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
                person = scope.get("state", {}).get("person")
                entry["account_id"] = person.account_id if person else None
            await send(message)

        await self._answer(rule, scope, receive, noting)
        entry["duration_s"] = round(time.time() - entry["at"], 4)

    async def _answer(self, rule: Rule | None, scope: Scope, receive: Receive, send: Send) -> None:
        if rule is None:
            await self.app(scope, receive, send)
        elif rule.kind == "slow":
            await anyio.sleep(rule.seconds)
            await self.app(scope, receive, send)
        elif rule.kind in ("cut", "malformed_json", "empty_next", "hidden_500", *REWRITTEN):
            await self._change(rule, scope, receive, send)
        else:
            status, headers, body = refusal(rule)
            await _send(send, status, headers, body)

    async def _change(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, then spoil the answer."""
        status, headers, parts = 200, [], []

        async def catch(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message.get("headers", []))
            else:
                parts.append(message.get("body", b""))

        await self.app(scope, receive, catch)
        body = b"".join(parts)
        kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
        if rule.kind == "hidden_500" and status in (403, 404):
            await _send(send, 500, [], _message(500, "java.lang.NullPointerException"))
        elif rule.kind == "cut" and len(body) > 1:
            await _send(send, status, kept, body[: len(body) // 2], length=len(body))
        elif rule.kind == "malformed_json":
            await _send(send, status, kept, body[: max(1, len(body) * 2 // 3)])
        elif rule.kind == "empty_next" and status == 200:
            address = f"{scope['path']}?{scope['query_string'].decode('latin-1')}"
            await _send(send, status, kept, without_results(body, address))
        elif rule.kind in REWRITTEN and status == 200:
            await _send(send, status, kept, REWRITTEN[rule.kind](body))
        else:
            await _send(send, status, kept, body)


def refusal(rule: Rule) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    if rule.kind == "rate_limit":
        when = format_datetime(datetime.now(UTC) + timedelta(seconds=rule.seconds), usegmt=True)
        value = {"seconds": str(int(rule.seconds)), "date": when}.get(rule.retry_after)
        headers = [(b"retry-after", value.encode())] if value is not None else []
        return 429, headers, _message(429, "Rate limit exceeded.")
    if rule.kind == "login_page":
        return (
            200,
            [(b"content-type", b"text/html;charset=UTF-8"), (b"x-seraph-loginreason", b"OUT")],
            LOGIN_PAGE,
        )
    if rule.kind == "not_found":
        return 404, [], _message(404, f"No content found with id: ContentId{{id={rule.content_id}}}")
    if rule.kind == "paging_400":
        return 400, [], _message(400, "Bad Request")
    return rule.status, [], _message(rule.status, "Internal Server Error")


def _message(status: int, message: str) -> bytes:
    return json.dumps({"statusCode": status, "message": message}).encode()


async def _send(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes, *, length: int | None = None
) -> None:
    """`length` beyond the body's own makes the server cut the connection when the body is out."""
    names = {name.lower() for name, _ in headers}
    full = [*headers, (b"content-length", str(len(body) if length is None else length).encode())]
    if b"content-type" not in names:
        full.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": status, "headers": full})
    await send({"type": "http.response.body", "body": body, "more_body": length is not None})
