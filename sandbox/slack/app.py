"""Puts the sandbox together: one Starlette app with the Web API, response URLs, Socket Mode, admin doors and page."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from sandbox.slack.admin import admin_routes
from sandbox.slack.config import Config
from sandbox.slack.replies import response_url
from sandbox.slack.seed import load_store
from sandbox.slack.web_api import web_api
from sandbox.slack.web_api_files import download, upload
from sandbox.slack.workspace import Sandbox

PAGES = Path(__file__).parent / "pages"


def create_app(config: Config | None = None) -> Starlette:
    """An ASGI app with a freshly seeded workspace. Raises SeedError for a company file it cannot use."""
    settings = config or Config()
    store = load_store(settings.seed_dir)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=30) as http:
            sandbox = Sandbox(settings, store, http)
            app.state.sandbox = sandbox
            yield
            await sandbox.sockets.refresh("link_disabled")
            await sandbox.deliveries.close()

    routes = [
        Route("/", page),
        Route("/health", health),
        Route("/archives/{rest:path}", page),
        Mount("/static", StaticFiles(directory=PAGES)),
        Route("/api/{method}", web_api, methods=["GET", "POST"]),
        Route("/upload/v1/{key}", upload, methods=["POST", "PUT"]),
        Route("/files-pri/{file}/{name:path}", download),
        Route("/commands/{key:path}", response_url, methods=["POST"]),
        Route("/actions/{key:path}", response_url, methods=["POST"]),
        Route("/oauth/v2/authorize", authorize),
        WebSocketRoute("/link/", link),
        *admin_routes(),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def page(request: Request) -> Response:
    return FileResponse(PAGES / "index.html", headers={"Cache-Control": "no-store"})


async def health(request: Request) -> Response:
    return JSONResponse({"ok": True})


async def link(socket: WebSocket) -> None:
    sandbox: Sandbox = socket.app.state.sandbox
    await sandbox.sockets.serve(socket, sandbox.store.bot.app_id)


async def authorize(request: Request) -> Response:
    """The consent page, always agreed to: back to `redirect_uri` with a one-time code."""
    sandbox: Sandbox = request.app.state.sandbox
    redirect_uri = request.query_params.get("redirect_uri", "")
    if urlsplit(redirect_uri).scheme not in ("http", "https"):
        return JSONResponse({"ok": False, "error": "bad_redirect_uri"}, 400)
    if request.query_params.get("client_id") != sandbox.config.client_id:
        return JSONResponse({"ok": False, "error": "invalid_client_id"}, 400)
    code = secrets.token_hex(16)
    sandbox.store.oauth_codes.add(code)
    query = urlencode({"code": code, "state": request.query_params.get("state", "")})
    return RedirectResponse(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{query}", 302)
