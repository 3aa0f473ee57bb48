"""Refuses bodies that are too large while they come in, before anything of them is kept; knows no route.

Starlette spools a multipart body to disk before a route sees it, so a limit inside the route comes too late.
"""

from collections.abc import Mapping

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware. A body announced as too large is answered 413 unread; one that lies is cut off with 413."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, by_path: Mapping[str, int]) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._by_path = by_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope["path"].rstrip("/"))
        if _announced(scope) > limit:
            await JSONResponse({"detail": _reason(limit)}, status_code=413)(scope, receive, send)
            return
        n_bytes = 0

        async def counted() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > limit:
                raise HTTPException(413, _reason(limit))
            return message

        await self._app(scope, counted, send)

    def _limit(self, path: str) -> int:
        """Of the path itself, else of `folder/*` for what lies in a folder."""
        folder = path.rpartition("/")[0] + "/*"
        return self._by_path.get(path, self._by_path.get(folder, self._max_bytes))


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:18])
    return 0


def _reason(limit: int) -> str:
    return f"larger than the limit of {limit / 1024**2:.0f} MiB"
