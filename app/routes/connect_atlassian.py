"""`/connect/atlassian`: from Slack's home tab to Atlassian and back, then one person for both accounts.

What is signed and linked stands in `workers.connect_atlassian`; here are only pages, a cookie and redirects.
"""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Cookie, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from app.auth import Ctx
from connectors.atlassian.sign_in import AtlassianAccount, account_of_code
from core.errors import Denied, ImpError, TryAgain
from workers import connect_atlassian as connecting
from workers.connect_atlassian import SlackSide

router = APIRouter(tags=["connect"], include_in_schema=False)
templates = Jinja2Templates(Path(__file__).parent.parent / "pages")
PATH = "/connect/atlassian"
COOKIE = "imp_connect"
MAX_TOKEN_CHARS = 4_000
MAX_CODE_CHARS = 4_000
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
"""The ticket stands in the address: it is neither kept nor passed on, and the page lets nobody frame its button."""

Token = Annotated[str, Query(max_length=MAX_TOKEN_CHARS)]
FormToken = Annotated[str, Form(max_length=MAX_TOKEN_CHARS)]
Secret = Annotated[str, Cookie(alias=COOKIE, max_length=200)]


@router.get(PATH)
def start(request: Request, context: Ctx, ticket: Token = "") -> Response:
    """Say whose Slack account it is before anything happens."""
    try:
        with context.factory() as session:
            slack = connecting.slack_side(session, context.settings, ticket)
    except ImpError as exc:
        return _refusal(request, exc)
    return _page(request, "start", slack=slack, token=ticket)


@router.post(f"{PATH}/begin")
def begin(request: Request, context: Ctx, ticket: FormToken = "") -> Response:
    """To Atlassian, where the person signs in and agrees."""
    try:
        with context.factory() as session:
            connecting.slack_side(session, context.settings, ticket)
        journey = connecting.begin(context.settings, ticket)
    except ImpError as exc:
        return _refusal(request, exc)
    reply = RedirectResponse(journey.url, status_code=303, headers=HEADERS)
    reply.set_cookie(
        COOKIE, journey.secret, max_age=int(connecting.STATE_MAX_AGE.total_seconds()), path=PATH, httponly=True,
        samesite="lax", secure=context.settings.public_url.startswith("https://"),
    )  # fmt: skip
    return reply


@router.get(f"{PATH}/callback")
def callback(
    request: Request,
    context: Ctx,
    state: Token = "",
    code: Annotated[str, Query(max_length=MAX_CODE_CHARS)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
    secret: Secret = "",
) -> Response:
    """Back from Atlassian: connect at once where both accounts carry one address, else ask once more."""
    settings = context.settings
    try:
        with context.factory.begin() as session:
            connecting.arrive(session, settings, state, secret)
        if error or not code:
            raise Denied(f"Nothing was connected: you did not agree at Atlassian. {connecting.AGAIN}")
        account = account_of_code(connecting.app_of(settings), code, verifier=secret)
        with context.factory.begin() as session:
            slack = connecting.slack_of_state(session, settings, state)
            if not connecting.needs_last_word(slack, account):
                connecting.connect_state(session, settings, state, account)
                return _connected(request, slack, account)
        token = connecting.offer(settings, state, secret, account)
    except ImpError as exc:
        return _refusal(request, exc)
    return _page(request, "last word", slack=slack, account=account, token=token)


@router.post(f"{PATH}/confirm")
def confirm(request: Request, context: Ctx, offer: FormToken = "", secret: Secret = "") -> Response:
    """The last word was yes."""
    try:
        with context.factory.begin() as session:
            slack, account = connecting.accept(session, context.settings, offer, secret)
    except ImpError as exc:
        return _refusal(request, exc)
    return _connected(request, slack, account)


def _connected(request: Request, slack: SlackSide, account: AtlassianAccount) -> Response:
    reply = _page(request, "connected", slack=slack, account=account)
    reply.delete_cookie(COOKIE, path=PATH)
    return reply


def _refusal(request: Request, exc: ImpError) -> Response:
    status = 503 if isinstance(exc, TryAgain) else 403 if isinstance(exc, Denied) else 400
    return _page(request, "refused", status=status, why=str(exc))


def _page(request: Request, step: str, *, status: int = 200, **values: object) -> Response:
    return templates.TemplateResponse(
        request, "connect.html", {"step": step, **values}, status_code=status, headers=HEADERS
    )
