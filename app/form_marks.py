"""Proof that a change was asked for by a page of ours: other sites can send a browser's cookie, not this header."""

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from app.auth import COOKIE

HEADER = "X-IMP-Form"


def form_mark(request: Request) -> str:
    """The header's value for who is signed in: derived from their token, which no script can read."""
    token = request.cookies.get(COOKIE, "")
    return hmac.new(token.encode(), b"imp form", hashlib.sha256).hexdigest()


def check_form(request: Request) -> None:
    """403 for what a cookie alone asks for; a bearer token is never sent by a browser on its own."""
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        return
    if not hmac.compare_digest(request.headers.get(HEADER, "").encode(), form_mark(request).encode()):
        raise HTTPException(403, "this was not asked for by a page of ours; load the page again")


OurForm = Annotated[None, Depends(check_form)]
