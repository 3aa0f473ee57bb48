"""Webhooks out: who wants to hear what, the bodies of both flavours, the signatures, and the delivery.

A body carries no event name on Cloud: a receiver knows it from the URL, so each event can have its own.
"""

import hashlib
import hmac
import json
import logging
import queue
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import requests

from sandbox.confluence.problems import Refused, bad_request
from sandbox.confluence.store import Content, Event, Store, moment, now

logger = logging.getLogger(__name__)

DIALECTS = ("cloud", "datacenter")
AUTH_KINDS = {
    "header": ("name", "value"),
    "hmac": ("secret",),
    "connect-jwt": ("client_key", "shared_secret"),
}
N_ATTEMPTS = 5
TIMEOUT_S = 5.0
FIRST_PAUSE_S = 0.2  # doubles; a real site waits minutes, a demo cannot
MAX_WAITING = 10_000


@dataclass(frozen=True)
class Webhook:
    """`events` are names like `page_updated`, or `*`; `auth` is `{}` or one of AUTH_KINDS with its fields."""

    id: int
    name: str
    url: str
    events: list[str]
    active: bool
    dialect: str
    auth: dict[str, str]
    created: str


def register(
    store: Store,
    *,
    name: str,
    url: Any,
    events: Any,
    dialect: str = "cloud",
    auth: Any = None,
    active: bool = True,
    hook_id: int | None = None,
) -> Webhook:
    """Add a webhook, or replace the one with that id.

    Raises: Refused 400 naming the field that is wrong.
    """
    if not isinstance(auth or {}, dict):
        raise bad_request("auth must be an object")
    auth = dict(auth or {})
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise bad_request("url must be an http or https address")
    if not isinstance(events, list) or not events or not all(isinstance(event, str) for event in events):
        raise bad_request("events must be a list of event names")
    if not isinstance(dialect, str) or dialect not in DIALECTS:
        raise bad_request(f"dialect must be one of {', '.join(DIALECTS)}")
    kind = auth.get("kind")
    if auth and (
        not isinstance(kind, str)
        or kind not in AUTH_KINDS
        or not all(auth.get(part) for part in AUTH_KINDS[kind])
    ):
        raise bad_request(f"auth must be one of {AUTH_KINDS}")
    with store.transaction():
        if hook_id is None:
            row = store.row("SELECT coalesce(max(id), 0) + 1 AS id FROM webhooks")
            hook_id = row["id"] if row else 1
        store.run(
            "INSERT OR REPLACE INTO webhooks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            hook_id, name, url, json.dumps(events), int(active), dialect, json.dumps(auth), now(),
        )  # fmt: skip
    return one(store, hook_id)


def registered(store: Store) -> list[Webhook]:
    return [
        Webhook(**{**dict(row), "events": json.loads(row["events"]), "auth": json.loads(row["auth"]),
                   "active": bool(row["active"])})
        for row in store.rows("SELECT * FROM webhooks ORDER BY id")
    ]  # fmt: skip


def one(store: Store, hook_id: int) -> Webhook:
    """Raises: Refused 404."""
    found = [hook for hook in registered(store) if hook.id == hook_id]
    if not found:
        raise Refused(404, f"no webhook {hook_id}")
    return found[0]


def remove(store: Store, hook_id: int) -> None:
    one(store, hook_id)
    store.run("DELETE FROM webhooks WHERE id = ?", hook_id)


def as_json(hook: Webhook) -> dict[str, Any]:
    """As Data Center lists it; the secret is not told."""
    stamp = int(moment(hook.created).timestamp() * 1000)
    return {"id": hook.id, "name": hook.name, "url": hook.url, "events": hook.events, "active": hook.active,
            "configuration": {}, "createdDate": stamp, "updatedDate": stamp,
            "scopeType": "global", "sslVerificationRequired": True}  # fmt: skip


class Postman:
    """Delivers events in the background: one thread, a bounded queue, retries that double their pause."""

    def __init__(self, store: Store, base_url: str) -> None:
        self.store, self.base_url = store, base_url
        self.outcomes: deque[dict[str, Any]] = deque(maxlen=500)
        self._waiting: queue.Queue[tuple[float, int, Webhook, str, bytes] | None] = queue.Queue(MAX_WAITING)
        self._thread: threading.Thread | None = None
        store.subscribe(self.post)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._work, name="webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread:
            self._waiting.put(None)
            self._thread.join(timeout=TIMEOUT_S + 1)

    def post(self, event: Event) -> None:
        """Queue one event for everyone registered for it; never waits."""
        for hook in registered(self.store):
            if hook.active and (event.name in hook.events or "*" in hook.events):
                write = data_center_body if hook.dialect == "datacenter" else cloud_body
                body = json.dumps(write(self.store, event, self.base_url)).encode()
                self._queue(0.0, 1, hook, event.name, body)

    def _queue(self, not_before: float, attempt: int, hook: Webhook, event: str, body: bytes) -> None:
        try:
            self._waiting.put_nowait((not_before, attempt, hook, event, body))
        except queue.Full:
            logger.error("webhook_dropped", extra={"url": hook.url, "event": event})

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            not_before, attempt, hook, event, body = item
            if not_before > time.monotonic():
                time.sleep(min(0.02, not_before - time.monotonic()) if not_before > time.monotonic() else 0)
                self._queue(not_before, attempt, hook, event, body)
                continue
            status, error = self._send(hook, event, body)
            delivered = status is not None and 200 <= status < 300
            self.outcomes.append({"url": hook.url, "event": event, "attempt": attempt, "status": status,
                                  "error": error, "delivered": delivered})  # fmt: skip
            if not delivered and attempt < N_ATTEMPTS:
                pause_s = FIRST_PAUSE_S * 2 ** (attempt - 1)
                self._queue(time.monotonic() + pause_s, attempt + 1, hook, event, body)

    def _send(self, hook: Webhook, event: str, body: bytes) -> tuple[int | None, str | None]:
        try:
            headers = signed_headers(hook, event, body)
            answer = requests.post(
                hook.url, data=body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
            )
        except requests.RequestException as exc:
            return None, str(exc)[:200]
        return answer.status_code, None


def signed_headers(hook: Webhook, event: str, body: bytes) -> dict[str, str]:
    """`X-Hub-Signature` (Data Center), a fixed header (a Cloud automation rule) or a Connect JWT."""
    headers = {
        "Content-Type": "application/json; charset=UTF-8",
        "User-Agent": "Atlassian HttpClient (sandbox)",
    }
    if hook.dialect == "datacenter":
        headers |= {"X-Event-Key": event, "X-Request-Id": str(uuid.uuid4())}
    kind = hook.auth.get("kind")
    if kind == "hmac":
        digest = hmac.new(hook.auth["secret"].encode(), body, hashlib.sha256).hexdigest()
        headers["X-Hub-Signature"] = f"sha256={digest}"
    elif kind == "header":
        headers[hook.auth["name"]] = hook.auth["value"]
    elif kind == "connect-jwt":
        headers["Authorization"] = f"JWT {connect_jwt(hook)}"
    return headers


def connect_jwt(hook: Webhook) -> str:
    """HS256 with `iss`, `iat`, `exp` and the query string hash of the POST (Atlassian Connect)."""
    import jwt

    parts = urlsplit(hook.url)
    pairs = sorted(
        (quote(key, safe="~"), quote(value, safe="~")) for key, value in parse_qsl(parts.query, True)
    )
    canonical = f"POST&{parts.path or '/'}&" + "&".join(f"{key}={value}" for key, value in pairs)
    issued = int(time.time())
    claims = {"iss": hook.auth["client_key"], "iat": issued, "exp": issued + 180,
              "qsh": hashlib.sha256(canonical.encode()).hexdigest()}  # fmt: skip
    return jwt.encode(claims, hook.auth["shared_secret"], algorithm="HS256")


def cloud_body(store: Store, event: Event, base_url: str) -> dict[str, Any]:
    """Without the event's name; ids are strings, with `idAsString` beside, as Cloud sends them since 2025."""
    body: dict[str, Any] = {
        "userAccountId": event.actor, "accountType": "customer", "timestamp": int(time.time() * 1000),
    }  # fmt: skip
    if event.content is not None:
        noun = {"blogpost": "blog", "attachment": "attachment"}.get(event.content.type, event.content.type)
        if event.content.type == "attachment":
            body["attachments"] = [_cloud_object(store, event.content, base_url)]
            body["attachedTo"] = body["attachments"][0].pop("parent", None)
        else:
            body[noun] = _cloud_object(store, event.content, base_url)
        if event.name == "page_updated":
            body |= {"updateTrigger": "edit_page", "suppressNotifications": event.content.minor}
        if event.name == "page_moved":
            old = store.find(event.details.get("old_parent_id") or "")
            body["oldParent"] = _cloud_object(store, old, base_url) if old else None
            new = store.find(event.content.parent_id or "")
            body["newParent"] = _cloud_object(store, new, base_url) if new else None
        if "label" in event.details:
            body |= {"label": {"name": event.details["label"], "prefix": "global"}, "labeled": body.pop(noun)}
    if event.space is not None:
        body["space"] = {"key": event.space.key, "id": str(event.space.id), "title": event.space.name}
    return body


def _cloud_object(store: Store, c: Content, base_url: str) -> dict[str, Any]:
    space = store.space(c.space_id)
    address = f"{base_url}/wiki/spaces/{space.key}/pages/{c.id}/{quote(c.title.replace(' ', '+'), '+')}"
    found: dict[str, Any] = {
        "idAsString": c.id, "creatorAccountId": c.author, "spaceKey": space.key, "spaceId": space.id,
        "modificationDate": _milliseconds(c.updated), "lastModifierAccountId": c.updated_by, "self": address,
        "id": c.id, "title": c.title, "creationDate": _milliseconds(c.created), "contentType": c.type,
        "version": c.version,
    }  # fmt: skip
    holder = store.find(c.container_id) if c.container_id else None
    if holder is not None:
        found["parent"] = _cloud_object(store, holder, base_url)
        found["self"] = (
            f"{found['parent']['self']}?focusedCommentId={c.id}" if c.type == "comment" else address
        )
    if c.type == "comment":
        del found["title"]
    if c.type == "attachment":
        found |= {"fileName": c.title, "fileSize": c.extra.get("file_size", 0), "comment": c.message}
    return found


def data_center_body(store: Store, event: Event, base_url: str) -> dict[str, Any]:
    """With the event's name, the user's key and the content's numeric id."""
    actor = store.person(event.actor)
    body: dict[str, Any] = {
        "event": event.name, "timestamp": int(time.time() * 1000), "userKey": actor.user_key if actor else "",
    }  # fmt: skip
    if event.content is not None:
        body[event.content.type] = _data_center_object(store, event.content, base_url)
        body |= {key: value for key, value in event.details.items() if key == "label"}
    if event.space is not None:
        body["space"] = {"key": event.space.key, "id": event.space.id, "title": event.space.name}
    return body


def _data_center_object(store: Store, c: Content, base_url: str) -> dict[str, Any]:
    author, editor = store.person(c.author), store.person(c.updated_by)
    found: dict[str, Any] = {
        "id": int(c.id.removeprefix("att")), "title": c.title, "contentType": c.type, "version": c.version,
        "spaceKey": store.space(c.space_id).key, "self": f"{base_url}/pages/viewpage.action?pageId={c.id}",
        "creatorKey": author.user_key if author else "", "creatorName": author.username if author else "",
        "lastModifierKey": editor.user_key if editor else "",
        "lastModifierName": editor.username if editor else "",
        "creationDate": _milliseconds(c.created), "modificationDate": _milliseconds(c.updated),
    }  # fmt: skip
    if c.container_id:
        holder = store.find(c.container_id)
        found["parent"] = _data_center_object(store, holder, base_url) if holder else None
    return found


def _milliseconds(text: str) -> int:
    return int(moment(text).timestamp() * 1000)
