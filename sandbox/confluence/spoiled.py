"""Answers as awkward servers give them: a listing emptied or cut short, people without their names."""

import json
from collections.abc import Callable
from typing import Any


def without_results(body: bytes, address: str) -> bytes:
    """No results, but a `next` link: its own, or back to `address`."""

    def empty(answer: dict[str, Any]) -> None:
        links = answer.get("_links") or {}
        again = address if "/api/v2/" in address else address.removeprefix("/wiki")
        answer |= {"results": [], "_links": links | {"next": links.get("next") or again}}

    return _with_listing(body, empty)


def one_short(body: bytes) -> bytes:
    """The last of several results left out and nothing said of more; an only result stays."""

    def shorten(answer: dict[str, Any]) -> None:
        if len(answer["results"]) > 1:
            answer["results"] = answer["results"][:-1]
        answer["_links"] = {
            key: value for key, value in (answer.get("_links") or {}).items() if key != "next"
        }

    return _with_listing(body, shorten)


def without_names(body: bytes) -> bytes:
    """Whoever has a `userKey` has nothing else: no username, no display name, no address."""
    try:
        return json.dumps(_nameless(json.loads(body))).encode()
    except ValueError:
        return body


def _nameless(value: Any) -> Any:
    if isinstance(value, list):
        return [_nameless(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "userKey" in value:
        return {"type": value.get("type", "known"), "userKey": value["userKey"]}
    return {key: _nameless(one) for key, one in value.items()}


def _with_listing(body: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    try:
        answer = json.loads(body)
    except ValueError:
        return body
    if isinstance(answer, dict) and isinstance(answer.get("results"), list):
        change(answer)
        if "size" in answer:
            answer["size"] = len(answer["results"])
    return json.dumps(answer).encode()
