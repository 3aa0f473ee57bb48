"""What all v2 routes share: lists with cursors, sorting, and content of a kind."""

from collections.abc import Callable
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from sandbox.confluence.access import viewable
from sandbox.confluence.calls import Call, page_v2
from sandbox.confluence.problems import bad_request, no_content
from sandbox.confluence.store import Content

Json = dict[str, Any]
DEFAULT_STATUSES = ["current", "archived"]


def many(call: Call, found: list[Any], write: Callable[[Any], Any], *, default: int = 25) -> Response:
    """One window of a list with `_links.next` and the `Link` header."""
    window, links, headers = page_v2(call, found, default=default)
    return JSONResponse({"results": [write(one) for one in window], "_links": links}, headers=headers)


def single(call: Call, found: Json) -> Json:
    return found | {"_links": found.get("_links", {}) | {"base": call.base}}


def of_kind(call: Call, content_id: str, kinds: set[str]) -> Content:
    """Raises: Refused 404 when it is not there, not to be seen, or of another type."""
    c = viewable(call.store, call.person, content_id)
    if c.type not in kinds:
        raise no_content(content_id)
    return c


def sort(call: Call, found: list[Content]) -> list[Content]:
    """Raises: Refused 400 for an unknown `sort`."""
    wanted = call.query.get("sort", "id")
    keys: dict[str, Callable[[Content], Any]] = {
        "id": lambda c: int(c.id.removeprefix("att")), "title": lambda c: c.title.lower(),
        "created-date": lambda c: c.created, "modified-date": lambda c: c.updated,
        "child-position": lambda c: c.position,
    }  # fmt: skip
    if wanted.removeprefix("-") not in keys:
        raise bad_request(f"Invalid sort {wanted!r}")
    return sorted(found, key=keys[wanted.removeprefix("-")], reverse=wanted.startswith("-"))


def properties_of(call: Call, c: Content) -> list[Any]:
    return call.store.rows("SELECT * FROM properties WHERE content_id = ? ORDER BY key", c.id)
