"""One API call: who asks, which flavour, and the page of results they want. Shared by both API versions."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request

from sandbox.confluence import storage
from sandbox.confluence.access import identify, may_in_space
from sandbox.confluence.problems import Refused, bad_request
from sandbox.confluence.store import Person, Store

MAX_JSON_BYTES = 8_000_000


@dataclass(frozen=True)
class Call:
    """`is_cloud` follows the URL base: `/wiki/...` speaks Cloud, the bare `/rest/...` Data Center."""

    store: Store
    person: Person
    origin: str
    is_cloud: bool
    path: str
    query: Mapping[str, str]
    method: str = "GET"

    @property
    def context(self) -> str:
        return "/wiki" if self.is_cloud else ""

    @property
    def base(self) -> str:
        return self.origin + self.context

    @property
    def path_in_context(self) -> str:
        return self.path.removeprefix("/wiki") if self.is_cloud else self.path


def this_call(request: Request) -> Call:
    """Raises: Refused 401 for wrong credentials, 403 (v1) or 401 (v2) where visitors may not look."""
    store: Store = request.app.state.store
    person = identify(store, request.headers.get("authorization"))
    request.state.person = person
    call = Call(
        store=store,
        person=person,
        origin=f"{request.url.scheme}://{request.url.netloc}",
        is_cloud=request.url.path.startswith("/wiki/"),
        path=request.url.path,
        query=request.query_params,
        method=request.method,
    )
    if not person.account_id and not _open_to_visitors(store, person):
        if "/api/v2/" in call.path:
            raise Refused(401, "Unauthorized; scope does not match")
        raise Refused(403, "Request rejected because Current user not permitted to use Confluence")
    return call


def _open_to_visitors(store: Store, person: Person) -> bool:
    return any(may_in_space(store, person, space.id, "read", "space") for space in store.spaces())


ThisCall = Annotated[Call, Depends(this_call)]


async def json_body(request: Request) -> Any:
    """Raises: Refused 400 for a body that is no JSON, 413 for one beyond 8 MB."""
    data = await request.body()
    if len(data) > MAX_JSON_BYTES:
        raise Refused(413, "request body too large")
    try:
        return json.loads(data)
    except ValueError as exc:
        raise bad_request(f"Could not parse the request body as JSON: {exc}") from exc


def json_object(body: Annotated[Any, Depends(json_body)]) -> dict[str, Any]:
    """Raises: Refused 400 for JSON that is no object."""
    if not isinstance(body, dict):
        raise bad_request("the request body must be a JSON object")
    return body


JsonBody = Annotated[Any, Depends(json_body)]
JsonObject = Annotated[dict[str, Any], Depends(json_object)]


def number(call: Call, name: str, default: int, *, low: int = 0, high: int | None = None) -> int:
    """An integer query parameter; above `high` it is cut in silence, as the real servers do.

    Raises: Refused 400 when it is no number or below `low`.
    """
    given = call.query.get(name)
    if given is None or given == "":
        return default if high is None else min(default, high)
    try:
        value = int(given)
    except ValueError as exc:
        raise bad_request(f"{name} must be a number, not {given!r}") from exc
    if value < low:
        raise bad_request(f"{name} must be at least {low}")
    return value if high is None else min(value, high)


def several(call: Call, name: str) -> list[str]:
    """A list parameter in either spelling: `a=1&a=2` or `a=1,2`."""
    getlist = getattr(call.query, "getlist", None)
    given = getlist(name) if getlist else [call.query[name]] if name in call.query else []
    return [part.strip() for value in given for part in value.split(",") if part.strip()]


def flag(call: Call, name: str) -> bool:
    return call.query.get(name, "").lower() == "true"


def page_v1(
    call: Call, items: list[Any], *, default: int = 25, most: int = 250
) -> tuple[list[Any], dict[str, Any]]:
    """One window by `start` and `limit`, and the envelope around it (without `results`).

    A Cloud search carries a `cursor` that wins over `start`, as there.
    """
    limit = number(call, "limit", default, low=0, high=most)
    start = number(call, "start", 0)
    is_search = call.is_cloud and call.path.endswith("/search")
    if is_search and call.query.get("cursor"):
        start = read_cursor(call.query["cursor"])
    window = items[start : start + limit]
    links = {"self": f"{call.origin}{call.path}", "base": call.base, "context": call.context}
    if start + len(window) < len(items) and window:
        query = {
            key: value for key, value in call.query.items() if key not in ("start", "limit", "cursor", "next")
        }
        onward: dict[str, Any] = {"limit": limit, "start": start + limit}
        if is_search:
            onward |= {"next": "true", "cursor": write_cursor(start + limit)}
        links["next"] = f"{call.path_in_context}?{urlencode(query | onward)}"
    if start > 0:
        links["prev"] = (
            f"{call.path_in_context}?{urlencode({'limit': limit, 'start': max(0, start - limit)})}"
        )
    return window, {"start": start, "limit": limit, "size": len(window), "_links": links}


def page_v2(
    call: Call, items: list[Any], *, default: int = 25
) -> tuple[list[Any], dict[str, Any], dict[str, str]]:
    """One window by `cursor` and `limit`: the items, the `_links` and the headers (`Link`)."""
    limit = number(call, "limit", default, low=1)
    if limit > 250:
        raise bad_request("Provided value for 'limit' must be between 1 and 250")
    start = read_cursor(call.query["cursor"]) if call.query.get("cursor") else 0
    window = items[start : start + limit]
    links, link = {"base": call.base}, f'<{call.base}>; rel="base"'
    if start + limit < len(items):
        pairs = [(key, value) for key, value in _pairs(call) if key not in ("cursor", "limit")]
        query = urlencode([*pairs, ("limit", limit), ("cursor", write_cursor(start + limit))])
        links["next"] = f"{call.path}?{query}"
        link = f'<{links["next"]}>; rel="next", {link}'
    return window, links, {"Link": link}


def _pairs(call: Call) -> list[tuple[str, str]]:
    multi = getattr(call.query, "multi_items", None)
    return list(multi()) if multi else list(call.query.items())


def write_cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"offset": offset}).encode()).decode()


def read_cursor(cursor: str) -> int:
    """Raises: Refused 400 for anything this server did not hand out."""
    try:
        offset = json.loads(base64.urlsafe_b64decode(cursor))["offset"]
    except (binascii.Error, ValueError, TypeError, KeyError) as exc:
        raise bad_request("Invalid cursor") from exc
    if not isinstance(offset, int) or offset < 0:
        raise bad_request("Invalid cursor")
    return offset


def required_text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value.strip():
        raise bad_request(f"{key} is required")
    return value


def storage_value(given: Any) -> str | None:
    """The storage body of a request, or None when it brings none.

    Raises: Refused 400 for another representation or for what is no storage format.
    """
    if given is None or given == {}:
        return None
    if not isinstance(given, dict):
        raise bad_request("body must be an object")
    inner = given.get("storage", given)
    if isinstance(inner, dict) and inner.get("representation", "storage") == "storage" and "value" in inner:
        value = inner["value"]
        if isinstance(value, str):
            if not storage.is_well_formed(value):
                raise bad_request("Error parsing xhtml: the body is not well-formed storage format")
            return value
    raise bad_request(
        "only bodies in storage representation are taken here: {storage: {value, representation}}"
    )
