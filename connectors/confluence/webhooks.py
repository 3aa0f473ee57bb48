"""Webhooks in: is the sender who it says, and what happened. Three doors, each with a shared secret.

Data Center signs the raw body (`X-Hub-Signature`), a Cloud app sends a JWT over the request, a Cloud automation
rule sends a fixed header. Knows no route, no table and no job.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl, quote

import jwt

from core.errors import BadInput, Denied

SECRET_HEADER = "X-IMP-Secret"
MAX_BODY_BYTES = 1024 * 1024
CLOCK_LEEWAY_S = 60
EVENT = re.compile(r"[a-z][a-z_:]{2,63}")
NOUNS = ("page", "blog", "blogpost", "comment", "attachment", "content", "labeled")
DELIVERY_HEADERS = ("x-atlassian-webhook-identifier", "x-request-id")


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """What happened to which content. `page_id` is the page it is or belongs to; ids are text in every flavour."""

    delivery_id: str
    event: str
    content_id: str | None = None
    content_type: str | None = None
    page_id: str | None = None
    space_key: str | None = None

    def args(self) -> dict[str, str | None]:
        """Arguments of the job `apply_webhook`, next to `source_id`."""
        return asdict(self)


def accept(
    headers: Mapping[str, str],
    raw_body: bytes,
    event: str,
    secret: str,
    *,
    method: str = "POST",
    path: str = "/",
    query: str = "",
    secret_header: str = SECRET_HEADER,
    client_key: str | None = None,
) -> WebhookEvent:
    """Verify a delivery and read it.

    Args:
        headers: by any spelling of their names.
        event: the event's name as the URL says it; Cloud's bodies carry none. A signed body's own name wins.
        path: below the app's base URL, as the JWT's `qsh` covers it; `query` without its `?`.
        client_key: who must have issued the JWT; None takes any issuer that knows the secret.

    Raises:
        Denied: no signature, or a wrong one.
        BadInput: too large, no JSON object, or no event known.
    """
    if not secret:
        raise Denied("webhooks are off: CONFLUENCE_WEBHOOK_SECRET is not set")
    if len(raw_body) > MAX_BODY_BYTES:
        raise BadInput(f"webhook body is larger than {MAX_BODY_BYTES} bytes")
    given = {name.lower(): value for name, value in headers.items()}
    _verify(given, raw_body, secret, method, path, query, secret_header.lower(), client_key)
    return parse(given, raw_body, event)


def parse(headers: Mapping[str, str], raw_body: bytes, event: str) -> WebhookEvent:
    """A delivery that was verified. `headers` by lower-case names. Raises BadInput."""
    try:
        body = json.loads(raw_body)
    except (ValueError, RecursionError) as exc:
        raise BadInput("webhook body is no JSON") from exc
    if not isinstance(body, dict):
        raise BadInput("webhook body is no JSON object")
    told = body.get("event")
    name = told if isinstance(told, str) and EVENT.fullmatch(told) else event
    if not EVENT.fullmatch(name or ""):
        raise BadInput(
            "webhook names no event: use one URL per event, such as …/webhooks/confluence/page_updated"
        )
    kind, subject = _subject(body)
    content_id = _id(subject) or _id({"id": body.get("pageId") or body.get("contentId")})
    holder = subject.get("parent") if kind in ("comment", "attachment") else None
    holder = body.get("attachedTo") if isinstance(body.get("attachedTo"), dict) else holder
    page_id = (
        _id(holder)
        if isinstance(holder, dict)
        else content_id
        if kind not in ("comment", "attachment")
        else None
    )
    space = body.get("space")
    space_key = subject.get("spaceKey") or (space.get("key") if isinstance(space, dict) else None)
    return WebhookEvent(
        delivery_id=_delivery_id(headers, name, raw_body),
        event=name,
        content_id=content_id,
        content_type=kind or None,
        page_id=page_id,
        space_key=str(space_key) if space_key else None,
    )


def _verify(
    headers: Mapping[str, str],
    raw_body: bytes,
    secret: str,
    method: str,
    path: str,
    query: str,
    secret_header: str,
    client_key: str | None,
) -> None:
    authorization = headers.get("authorization", "")
    if "x-hub-signature" in headers:
        wanted = "sha256=" + hmac.new(secret.encode(), raw_body, hashlib.sha256).hexdigest()
        if not _same(headers["x-hub-signature"], wanted):
            raise Denied("webhook signature (X-Hub-Signature) does not match CONFLUENCE_WEBHOOK_SECRET")
    elif authorization.lower().startswith("jwt "):
        _verify_jwt(authorization[4:].strip(), secret, query_hash(method, path, query), client_key)
    elif secret_header in headers:
        if not _same(headers[secret_header], secret):
            raise Denied(f"webhook header {secret_header} does not match CONFLUENCE_WEBHOOK_SECRET")
    else:
        raise Denied(f"webhook is not signed: send X-Hub-Signature, a JWT, or the header {secret_header}")


def _verify_jwt(token: str, secret: str, wanted_hash: str, client_key: str | None) -> None:
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            leeway=CLOCK_LEEWAY_S,
            issuer=client_key,
            options={"require": ["exp", "iat", "iss", "qsh"], "verify_aud": False},
        )
    except jwt.PyJWTError as exc:
        raise Denied(f"webhook token is not valid ({type(exc).__name__})") from exc
    if not _same(str(claims["qsh"]), wanted_hash):
        raise Denied("webhook token was made for another request (qsh)")


def query_hash(method: str, path: str, query: str) -> str:
    """The `qsh` claim of Atlassian Connect: SHA-256 over method, path and sorted query parameters but `jwt`."""
    pairs: dict[str, list[str]] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key != "jwt":
            pairs.setdefault(quote(key, safe="~"), []).append(quote(value, safe="~"))
    joined = "&".join(f"{key}={','.join(sorted(values))}" for key, values in sorted(pairs.items()))
    canonical = f"{method.upper()}&{path.rstrip('/') or '/'}&{joined}"
    return hashlib.sha256(canonical.encode()).hexdigest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogateescape"), wanted.encode())


def _subject(body: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The kind of thing the delivery is about, and the thing."""
    for noun in NOUNS:
        found = body.get(noun)
        if isinstance(found, dict):
            kind = found.get("contentType") or {"blog": "blogpost", "labeled": "page", "content": "page"}.get(
                noun, noun
            )
            return str(kind), found
    files = body.get("attachments")
    if isinstance(files, list) and files and isinstance(files[0], dict):
        return "attachment", files[0]
    return "", body if body.get("id") else {}


def _id(found: Mapping[str, Any]) -> str | None:
    """Older bodies hold a number where newer ones hold text; nothing but digits (and `att`) is an id."""
    value = str(found.get("idAsString") or found.get("id") or "")
    return value if re.fullmatch(r"(att)?\d{1,20}", value) else None


def _delivery_id(headers: Mapping[str, str], event: str, raw_body: bytes) -> str:
    named = next((headers[name] for name in DELIVERY_HEADERS if headers.get(name)), None)
    return named[:200] if named else hashlib.sha256(event.encode() + b"\n" + raw_body).hexdigest()
