"""The stand-in Confluence as one ASGI application: both APIs, the pages people see, faults and webhooks."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from sandbox.confluence import (
    admin,
    pages,
    routes_files,
    routes_people,
    routes_v1,
    routes_v1_below,
    routes_v1_parts,
    routes_v2,
    routes_v2_comments,
    routes_v2_parts,
    routes_v2_spaces,
)
from sandbox.confluence.faults import FaultLayer, Faults
from sandbox.confluence.problems import Refused
from sandbox.confluence.seed import load_folder
from sandbox.confluence.store import Store
from sandbox.confluence.webhooks import Postman

logger = logging.getLogger(__name__)
FLAVORS = ("both", "cloud", "datacenter")
STATUS_CODES = {400: "BAD_REQUEST", 401: "UNAUTHORIZED", 403: "FORBIDDEN", 404: "NOT_FOUND", 409: "CONFLICT"}


def create_app(
    *,
    database: str = ":memory:",
    seed: Path | None = None,
    flavor: str = "both",
    base_url: str = "http://127.0.0.1:8090",
) -> FastAPI:
    """A ready server; every call makes one with a memory of its own.

    Args:
        database: SQLite file, or `:memory:`. A file that holds people already is not seeded again.
        seed: folder as described in `seed.py`.
        flavor: `cloud` mounts `/wiki/rest/api` and `/wiki/api/v2` only, `datacenter` `/rest/api` only.
        base_url: what webhook bodies call this server.

    Raises: SeedError, ValueError for an unknown flavor.
    """
    if flavor not in FLAVORS:
        raise ValueError(f"flavor must be one of {', '.join(FLAVORS)}")
    store, faults = Store(database), Faults()
    if seed is not None and not store.people():
        load_folder(store, seed)
    postman = Postman(store, base_url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        postman.start()
        yield
        postman.stop()
        store.close()

    app = FastAPI(
        title="Stand-in Confluence", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.store, app.state.faults, app.state.postman = store, faults, postman
    app.state.seed_folder, app.state.context = seed, "" if flavor == "datacenter" else "/wiki"
    _mount(app, flavor)
    app.add_middleware(FaultLayer, faults=faults)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(OverflowError, _too_large)
    return app


def _mount(app: FastAPI, flavor: str) -> None:
    app.include_router(admin.router)
    v1 = (
        routes_files.router,
        routes_v1_parts.router,
        routes_v1_below.router,
        routes_v1.router,
        routes_people.router,
    )
    bases = {"both": ("/wiki", ""), "cloud": ("/wiki",), "datacenter": ("",)}[flavor]
    for base in bases:
        for router in v1:
            app.include_router(router, prefix=f"{base}/rest/api")
        app.include_router(routes_files.downloads, prefix=base)
    if "" in bases:  # Data Center keeps the history of content under a second name
        app.include_router(routes_v1_below.router, prefix="/rest/experimental")
    if "/wiki" in bases:
        for module in (routes_v2, routes_v2_spaces, routes_v2_comments, routes_v2_parts):
            app.include_router(module.router, prefix="/wiki/api/v2")
    app.include_router(pages.router)


def _body(request: Request, status: int, message: str) -> dict[str, object]:
    """The error object of the API that was called: v2 has a list, v1 a message."""
    if "/api/v2/" in request.url.path:
        error = {
            "status": status,
            "code": STATUS_CODES.get(status, "ERROR"),
            "title": message,
            "detail": None,
        }
        return {"errors": [error]}
    data = {"authorized": status not in (401, 403), "valid": status != 400, "errors": [], "successful": False}
    return {"statusCode": status, "data": data, "message": message}


def _refused(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, Refused)
    return JSONResponse(_body(request, exc.status, exc.message), exc.status, headers=exc.headers)


def _http_error(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, HTTPException)
    return JSONResponse(_body(request, exc.status_code, str(exc.detail)), exc.status_code)


def _too_large(request: Request, exc: Exception) -> JSONResponse:
    """SQLite's integers end at 63 bits; no id or version of a real site does."""
    return JSONResponse(_body(request, 400, "a number is too large"), 400)


def _invalid(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, RequestValidationError)
    where = ", ".join(".".join(str(part) for part in error["loc"]) for error in exc.errors())
    return JSONResponse(_body(request, 400, f"invalid value for {where}"), 400)
