"""A stand-in for Atlassian's authorization server: consent, code, token, `/me`. `python -m sandbox.atlassian_login`.

Speaks OAuth 2.0 with PKCE as auth.atlassian.com and api.atlassian.com do, on one port. A code works once, for the
app, the address and the verifier it was asked with; `/_sandbox/account` says who agrees, or that nobody does.
"""

import argparse
import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

DEFAULT_ACCOUNT = {
    "account_id": "5f2a11ce0c4d5e6f70819201", "name": "Alice Marlow", "email": "alice@larkmoor.example",
    "email_verified": True, "account_status": "active",
}  # fmt: skip


class Login:
    """What was agreed to and not yet fetched."""

    def __init__(self, client_id: str, client_secret: str) -> None:
        self.client_id, self.client_secret = client_id, client_secret
        self.account: dict[str, Any] | None = dict(DEFAULT_ACCOUNT)
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, dict[str, Any]] = {}
        self.status = 200

    def routes(self) -> list[Route]:
        return [
            Route("/authorize", self.authorize),
            Route("/oauth/token", self.token, methods=["POST"]),
            Route("/me", self.me),
            Route("/_sandbox/account", self.set_account, methods=["PUT"]),
            Route("/_sandbox/status", self.set_status, methods=["PUT"]),
        ]

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if asked.get("client_id") != self.client_id or asked.get("response_type") != "code":
            return JSONResponse({"error": "unauthorized_client"}, status_code=400)
        back = asked["redirect_uri"]
        if self.account is None:
            return RedirectResponse(
                f"{back}?{urlencode({'error': 'access_denied', 'state': asked['state']})}"
            )
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**asked, "account": "yes"}
        return RedirectResponse(f"{back}?{urlencode({'code': code, 'state': asked['state']})}")

    async def token(self, request: Request) -> Response:
        if self.status != 200:
            return JSONResponse({"error": "server_error"}, status_code=self.status)
        form = await request.json()
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return JSONResponse(
                {"error": "access_denied", "error_description": "Unauthorized"}, status_code=401
            )
        asked = self.codes.pop(str(form.get("code")), None)
        digest = hashlib.sha256(str(form.get("code_verifier", "")).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or asked.get("redirect_uri") != form.get("redirect_uri")
            or asked.get("code_challenge") != challenge
        ):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        token = secrets.token_urlsafe(16)
        self.tokens[token] = {"scope": asked.get("scope", ""), "account": self.account}
        body = {
            "access_token": token,
            "expires_in": 3600,
            "token_type": "Bearer",
            "scope": asked.get("scope"),
        }
        return JSONResponse(body)

    async def me(self, request: Request) -> Response:
        known = self.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if known is None or "read:me" not in known["scope"].split():
            return JSONResponse({"code": 401, "message": "Unauthorized"}, status_code=401)
        return JSONResponse(known["account"])

    async def set_account(self, request: Request) -> Response:
        """Who agrees from now on; `null` means that people say no."""
        self.account = await request.json()
        return JSONResponse({})

    async def set_status(self, request: Request) -> Response:
        self.status = int(await request.json())
        return JSONResponse({})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.atlassian_login", description=__doc__)
    parser.add_argument("--port", type=int, default=8092)
    parser.add_argument("--client-id", default="sample-client")
    parser.add_argument("--client-secret", default="sample-secret")
    options = parser.parse_args()
    login = Login(options.client_id, options.client_secret)
    uvicorn.run(Starlette(routes=login.routes()), host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
