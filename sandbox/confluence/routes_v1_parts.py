"""The v1 API for what hangs on content: labels, properties, and restrictions."""

import json
from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.confluence import content as contents
from sandbox.confluence import shapes_v1 as shapes
from sandbox.confluence.access import editable, viewable
from sandbox.confluence.calls import Call, JsonBody, JsonObject, ThisCall, page_v1, required_text
from sandbox.confluence.problems import Refused, bad_request
from sandbox.confluence.store import Content, now

router = APIRouter()
Json = dict[str, Any]


@router.get("/content/{content_id}/label")
def list_labels(call: ThisCall, content_id: str) -> Json:
    found = shapes.labels(call, viewable(call.store, call.person, content_id))
    if call.query.get("prefix"):
        found = [label for label in found if label["prefix"] == call.query["prefix"]]
    window, envelope = page_v1(call, found, default=200)
    return {"results": window} | envelope


@router.post("/content/{content_id}/label")
def add_labels(call: ThisCall, content_id: str, body: JsonBody) -> Json:
    c = editable(call.store, call.person, content_id)
    given = body if isinstance(body, list) else [body]
    if not given or not all(isinstance(label, dict) and label.get("name") for label in given):
        raise bad_request("labels must be a list of {prefix, name}")
    pairs = [(str(label.get("prefix") or "global"), str(label["name"])) for label in given]
    contents.add_labels(call.store, call.person, c, pairs)
    found = shapes.labels(call, c)
    return {"results": found, "start": 0, "limit": 200, "size": len(found),
            "_links": {"self": f"{call.origin}{call.path}", "base": call.base, "context": call.context}}  # fmt: skip


@router.delete("/content/{content_id}/label")
@router.delete("/content/{content_id}/label/{label:path}")
def remove_label(call: ThisCall, content_id: str, label: str | None = None) -> Response:
    c = editable(call.store, call.person, content_id)
    name = label or call.query.get("name")
    if not name:
        raise bad_request("name is required")
    contents.remove_label(call.store, call.person, c, name)
    return Response(status_code=204)


@router.get("/content/{content_id}/property")
def list_properties(call: ThisCall, content_id: str) -> Json:
    c = viewable(call.store, call.person, content_id)
    rows = call.store.rows("SELECT * FROM properties WHERE content_id = ? ORDER BY key", c.id)
    window, envelope = page_v1(call, rows, default=10)
    return {"results": [shapes.content_property(call, row) for row in window]} | envelope


@router.post("/content/{content_id}/property")
def create_property(call: ThisCall, content_id: str, body: JsonObject) -> Json:
    c = editable(call.store, call.person, content_id)
    key = required_text(body, "key")
    return shapes.content_property(call, write_property(call, c, key, body.get("value"), version=None))


@router.get("/content/{content_id}/property/{key}")
def get_property(call: ThisCall, content_id: str, key: str) -> Json:
    c = viewable(call.store, call.person, content_id)
    row = call.store.row("SELECT * FROM properties WHERE content_id = ? AND key = ?", c.id, key)
    if row is None:
        raise Refused(404, f"Property with key {key} not found on content {content_id}")
    return shapes.content_property(call, row)


@router.put("/content/{content_id}/property/{key}")
def update_property(call: ThisCall, content_id: str, key: str, body: JsonObject) -> Json:
    c = editable(call.store, call.person, content_id)
    given = body.get("version")
    version = given.get("number") if isinstance(given, dict) else None
    if not isinstance(version, int):
        raise bad_request("version.number is required")
    return shapes.content_property(call, write_property(call, c, key, body.get("value"), version=version))


@router.delete("/content/{content_id}/property/{key}")
def delete_property(call: ThisCall, content_id: str, key: str) -> Response:
    c = editable(call.store, call.person, content_id)
    if not call.store.run("DELETE FROM properties WHERE content_id = ? AND key = ?", c.id, key):
        raise Refused(404, f"Property with key {key} not found on content {content_id}")
    return Response(status_code=204)


def write_property(call: Call, c: Content, key: str, value: Any, *, version: int | None) -> Any:
    """Add (`version=None`) or replace a content property; `version` is the number it shall become.

    Raises: Refused 409 when the key is there already or the version is not the next one, 404 when a
    replaced one is missing, 400 for a value beyond 32 KB.
    """
    text = json.dumps(value)
    if len(text) > 32_768 or len(key) > 255:
        raise bad_request("a property's value may have 32768 characters, its key 255")
    store = call.store
    with store.transaction():
        row = store.row("SELECT * FROM properties WHERE content_id = ? AND key = ?", c.id, key)
        if version is None and row is not None:
            raise Refused(409, f"Content property already exists with key: {key}")
        if version is not None and row is None and version != 1:
            raise Refused(404, f"Property with key {key} not found on content {c.id}")
        if version is not None and row is not None and version != row["version"] + 1:
            raise Refused(409, f"Property version conflict: current {row['version']}, provided {version}")
        property_id = row["id"] if row else str(store.next_id())
        store.run(
            "INSERT OR REPLACE INTO properties VALUES (?, ?, ?, ?, ?, ?, ?)",
            property_id, c.id, key, text, version or 1, call.person.account_id, now(),
        )  # fmt: skip
        return store.row("SELECT * FROM properties WHERE id = ?", property_id)


@router.get("/content/{content_id}/restriction")
def list_restrictions(call: ThisCall, content_id: str) -> Json:
    c = viewable(call.store, call.person, content_id)
    links = {"self": f"{call.origin}{call.path}", "byOperation": f"{call.base}/rest/api/content/{c.id}/restriction/byOperation",
             "base": call.base, "context": call.context}  # fmt: skip
    results = [shapes.restriction(call, c, operation, {}) for operation in ("read", "update")]
    return {"results": results, "start": 0, "limit": 100, "size": 2, "restrictionsHash": "", "_links": links}


@router.get("/content/{content_id}/restriction/byOperation")
def restrictions_by_operation(call: ThisCall, content_id: str) -> Json:
    return shapes.restrictions(call, viewable(call.store, call.person, content_id), {})


@router.get("/content/{content_id}/restriction/byOperation/{operation}")
def restriction_of(call: ThisCall, content_id: str, operation: str) -> Json:
    if operation not in ("read", "update"):
        raise bad_request(f"unknown operation {operation!r}")
    return shapes.restriction(call, viewable(call.store, call.person, content_id), operation, {})


@router.put("/content/{content_id}/restriction")
@router.post("/content/{content_id}/restriction")
def set_restrictions(call: ThisCall, request: Request, content_id: str, body: JsonBody) -> Json:
    """PUT replaces all restrictions, POST adds; the body is a list or `{"results": [...]}`."""
    c = editable(call.store, call.person, content_id)
    entries = body.get("results") if isinstance(body, dict) else body
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise bad_request("expected a list of restrictions by operation")
    wanted = {str(entry.get("operation")): _principals(call, entry.get("restrictions")) for entry in entries}
    for operation in {"read", "update"} | set(wanted) if request.method == "PUT" else set(wanted):
        before = call.store.restrictions(c.id, operation) if request.method == "POST" else []
        contents.set_restrictions(call.store, call.person, c, operation, before + wanted.get(operation, []))
    return list_restrictions(call, content_id)


@router.delete("/content/{content_id}/restriction")
def lift_restrictions(call: ThisCall, content_id: str) -> Json:
    c = editable(call.store, call.person, content_id)
    for operation in ("read", "update"):
        contents.set_restrictions(call.store, call.person, c, operation, [])
    return list_restrictions(call, content_id)


def _principals(call: Call, given: Any) -> list[str]:
    """`{user: [...] | {results: [...]}, group: ...}` as principals; raises Refused 400 for strangers."""
    if not isinstance(given, dict):
        raise bad_request("restrictions must name user and/or group")
    found = []
    for kind in ("user", "group"):
        entries = given.get(kind) or []
        entries = entries.get("results", []) if isinstance(entries, dict) else entries
        for entry in entries if isinstance(entries, list) else []:
            keys = ("accountId", "username", "userKey") if kind == "user" else ("name", "id")
            who = next((str(entry[key]) for key in keys if isinstance(entry, dict) and entry.get(key)), "")
            person, group = call.store.person(who), call.store.group(who)
            if kind == "user" and person:
                found.append(f"user:{person.account_id}")
            elif kind == "group" and group:
                found.append(f"group:{group['name']}")
            else:
                raise bad_request(f"there is no {kind} {who!r}")
    return found
