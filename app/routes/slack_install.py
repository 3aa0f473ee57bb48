"""`/slack/install`: several workspaces install the bot through Slack's OAuth; Bolt runs the flow, the pages are ours.

Only there with SLACK_CLIENT_ID. What is kept of an installation is `workers.slack_workspaces`' business.
"""

import logging
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from jinja2 import Environment, FileSystemLoader, select_autoescape
from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.callback_options import CallbackOptions, FailureArgs, SuccessArgs
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk.errors import SlackClientError
from slack_sdk.oauth.installation_store import Installation

from connectors.slack.installations import state_store
from connectors.slack.scopes import NEEDED
from connectors.slack.web import nameless_client
from core.settings import Settings
from workers import slack_workspaces
from workers.context import Context

logger = logging.getLogger(__name__)

INSTALL, REDIRECT = "/slack/install", "/slack/oauth_redirect"
PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "pages"), autoescape=select_autoescape()
)
HTML = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
WHY = {
    "access_denied": "The installation was cancelled in Slack. Nothing was installed.",
    "invalid_browser": "This installation was begun in another browser, or cookies are switched off.",
    "invalid_state": "This installation was begun too long ago, or it is finished already.",
    "invalid_code": "Slack did not accept the installation. It may be finished already, or too old.",
    "missing_code": "Slack sent no code along, so there is nothing to finish.",
    "storage_error": "The installation could not be kept.",
}


def make_router(context: Context) -> APIRouter:
    """The page and the redirect; both answer 404 where there is only one workspace."""
    router = APIRouter(tags=["slack"], include_in_schema=False)
    flow = _flow(context) if context.settings.slack_client_id else None

    @router.get(INSTALL)
    async def install(request: Request) -> Response:
        """What the bot may do in a workspace, and the button that installs it."""
        if flow is None:
            return Response("Slack is set up for one workspace (SLACK_BOT_TOKEN)", status_code=404)
        return to_starlette_response(
            await run_in_threadpool(flow.handle_installation, to_bolt_request(request, b""))
        )

    @router.get(REDIRECT)
    async def redirect(request: Request) -> Response:
        """Where Slack sends the installer back to."""
        if flow is None:
            return Response("Slack is set up for one workspace (SLACK_BOT_TOKEN)", status_code=404)
        return to_starlette_response(
            await run_in_threadpool(flow.handle_callback, to_bolt_request(request, b""))
        )

    return router


class Flow(OAuthFlow):
    """Bolt's flow with pages of our own; a Slack that is away is a failed installation, not a crash."""

    def build_install_page_html(self, url: str, request: BoltRequest) -> str:
        return PAGES.get_template("slack_install.html").render(url=url, scopes=_in_words())

    def run_installation(self, code: str) -> Installation | None:
        try:
            return super().run_installation(code)
        except (SlackClientError, OSError) as exc:
            logger.warning("slack_not_installed", extra={"why": type(exc).__name__})
            return None


def authorization_url(settings: Settings) -> str:
    """Slack's page of consent, beside the Web API it belongs to."""
    parts = urlsplit(settings.slack_api_url)
    return f"{parts.scheme}://{parts.netloc}/oauth/v2/authorize"


def _flow(context: Context) -> OAuthFlow:
    settings = context.settings
    assert settings.slack_client_id and settings.slack_client_secret
    quiet = logging.getLogger("connectors.slack.oauth")
    quiet.setLevel(logging.ERROR)  # slack_bolt writes a refused code into its warnings

    def success(args: SuccessArgs) -> BoltResponse:
        installed = args.installation
        name = installed.team_name or installed.team_id or "your workspace"
        if installed.team_id:
            slack_workspaces.installed(context, installed.team_id, name)
        is_known = installed.team_id in settings.slack_teams
        return _page(200, settings, team=name, is_known=is_known, team_id=installed.team_id)

    def failure(args: FailureArgs) -> BoltResponse:
        logger.info("slack_install_refused", extra={"why": args.reason if args.reason in WHY else "other"})
        why = WHY.get(args.reason, "Slack reported a failure. Nothing was installed.")
        return _page(args.suggested_status_code, settings, why=why)

    return Flow(
        client=nameless_client(settings),
        logger=quiet,
        settings=OAuthSettings(
            client_id=settings.slack_client_id,
            client_secret=settings.slack_client_secret.get_secret_value(),
            scopes=sorted(NEEDED),
            user_scopes=[],
            redirect_uri=settings.public_url + REDIRECT,
            install_path=INSTALL,
            redirect_uri_path=REDIRECT,
            authorization_url=authorization_url(settings),
            installation_store=context.installations,
            state_store=state_store(context.installations.engine),
            callback_options=CallbackOptions(success=success, failure=failure),
        ),
    )


def _page(status: int, settings: Settings, **values: object) -> BoltResponse:
    page = PAGES.get_template("slack_installed.html")
    values = {"why": None, "command": settings.slack_command, "again": INSTALL, **values}
    headers = {**HTML, "Set-Cookie": "slack-app-oauth-state=; Path=/; Max-Age=0; HttpOnly"}
    return BoltResponse(status=status, body=page.render(**values), headers=headers)


def _in_words() -> list[str]:
    """What the scopes are for, each once."""
    return list(dict.fromkeys(NEEDED.values()))
