"""OAuth 2.0 (3LO) with Atlassian: where a person is sent to agree, and whose account came back.

The access token is asked for one thing, `read:me`, used once and forgotten. Knows neither Slack nor tables.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import BadInput, Denied, NotConfigured, Unavailable

SCOPE = "read:me"
TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class App:
    """The OAuth app of this installation; `redirect_uri` must be registered with it, letter by letter."""

    client_id: str
    client_secret: str
    auth_url: str
    api_url: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class AtlassianAccount:
    """Who agreed. `email` only where Atlassian says that it was confirmed, in lower case."""

    id: str
    name: str
    email: str | None


class _Grant(BaseModel):
    model_config = ConfigDict(extra="ignore")
    access_token: str


class _Me(BaseModel):
    model_config = ConfigDict(extra="ignore")
    account_id: str
    name: str = ""
    email: str | None = None
    email_verified: bool = False
    account_status: str = "active"


def consent_url(app: App, *, state: str, verifier: str) -> str:
    """Where the browser goes. `verifier` is kept by us; its hash travels, so that a stolen code is worth nothing."""
    asked = {
        "audience": "api.atlassian.com", "client_id": app.client_id, "scope": SCOPE,
        "redirect_uri": app.redirect_uri, "state": state, "response_type": "code", "prompt": "consent",
        "code_challenge": challenge(verifier), "code_challenge_method": "S256",
    }  # fmt: skip
    return f"{app.auth_url.rstrip('/')}/authorize?{urlencode(asked)}"


def challenge(verifier: str) -> str:
    """RFC 7636, section 4.2."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def account_of_code(app: App, code: str, *, verifier: str) -> AtlassianAccount:
    """Whose consent a code stands for.

    Raises:
        Denied: the code is not valid (any more), or the account is closed.
        NotConfigured: Atlassian does not know the app or its secret.
        Unavailable: Atlassian does not answer as it should.
    """
    form = {
        "grant_type": "authorization_code", "client_id": app.client_id, "client_secret": app.client_secret,
        "code": code, "redirect_uri": app.redirect_uri, "code_verifier": verifier,
    }  # fmt: skip
    with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as http:
        granted = _ask(http, "POST", f"{app.auth_url.rstrip('/')}/oauth/token", json=form)
        token = _parsed(_Grant, granted, "token").access_token
        headers = {"Authorization": f"Bearer {token}"}
        me = _parsed(_Me, _ask(http, "GET", f"{app.api_url.rstrip('/')}/me", headers=headers), "account")
    if me.account_status != "active" or not me.account_id.strip():
        raise Denied("this Atlassian account is not active")
    email = (me.email or "").strip().lower()
    is_known = me.email_verified and "@" in email
    return AtlassianAccount(me.account_id, me.name or me.account_id, email if is_known else None)


def _ask(http: httpx.Client, method: str, url: str, **what: Any) -> bytes:
    try:
        with http.stream(method, url, **what) as answer:
            body = b""
            for block in answer.iter_bytes():
                body += block
                if len(body) > MAX_ANSWER_BYTES:
                    raise Unavailable("Atlassian's answer is too long")
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise Unavailable(f"Atlassian does not answer ({type(exc).__name__})") from exc
    if answer.status_code in (401, 403) and method == "POST":
        raise NotConfigured(
            "Atlassian refused the app: check ATLASSIAN_CLIENT_ID and ATLASSIAN_CLIENT_SECRET"
        )
    if 400 <= answer.status_code < 500:
        raise Denied("Atlassian did not accept the sign-in: it is too old or was used already")
    if answer.status_code != 200:
        raise Unavailable(f"Atlassian answered {answer.status_code}")
    return body


def _parsed(kind: Any, body: bytes, what: str) -> Any:
    try:
        return kind.model_validate_json(body)
    except ValidationError as exc:
        raise BadInput(f"Atlassian's answer about the {what} cannot be read") from exc
