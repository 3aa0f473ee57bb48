"""Cloud's v2 API for what hangs on content: attachments, labels and properties."""

from typing import Any

from fastapi import APIRouter, Response

from sandbox.confluence import content as contents
from sandbox.confluence import shapes_v2 as shapes
from sandbox.confluence.access import (
    editable,
    viewable,
    visible,
)
from sandbox.confluence.calls import Call, JsonObject, ThisCall, flag, several
from sandbox.confluence.lists_v2 import DEFAULT_STATUSES, many, of_kind, properties_of, single, sort
from sandbox.confluence.problems import Refused, bad_request
from sandbox.confluence.routes_v1_parts import write_property
from sandbox.confluence.store import Content

router = APIRouter()
Json = dict[str, Any]
HOLDERS = ("pages", "blogposts", "attachments", "folders", "whiteboards", "databases")


@router.get("/attachments")
def list_attachments(call: ThisCall) -> Response:
    return _attachments(call, call.store.contents("type = 'attachment'"))


@router.get("/pages/{content_id:int}/attachments")
@router.get("/blogposts/{content_id:int}/attachments")
def list_attachments_of(call: ThisCall, content_id: int) -> Response:
    c = viewable(call.store, call.person, str(content_id))
    return _attachments(call, call.store.contents("type = 'attachment' AND container_id = ?", c.id))


def _attachments(call: Call, found: list[Content]) -> Response:
    statuses = several(call, "status") or DEFAULT_STATUSES
    found = [c for c in found if c.status in statuses]
    if call.query.get("filename"):
        found = [c for c in found if c.title == call.query["filename"]]
    if call.query.get("mediaType"):
        found = [c for c in found if c.extra.get("media_type") == call.query["mediaType"]]
    found = sort(call, visible(call.store, call.person, found))
    return many(call, found, lambda c: shapes.attachment(call, c), default=50)


@router.get("/attachments/{content_id}")
def get_attachment(call: ThisCall, content_id: str) -> Json:
    return single(call, shapes.attachment(call, of_kind(call, content_id, {"attachment"})))


@router.delete("/attachments/{content_id}")
def delete_attachment(call: ThisCall, content_id: str) -> Response:
    c = editable(call.store, call.person, content_id)
    if flag(call, "purge"):
        contents.purge(call.store, call.person, c)
    else:
        contents.trash(call.store, call.person, c)
    return Response(status_code=204)


@router.get("/labels")
def list_all_labels(call: ThisCall) -> Response:
    return many(call, call.store.rows("SELECT * FROM label_ids ORDER BY id"), shapes.label)


@router.get("/{kind}/{content_id}/labels")
def list_labels(call: ThisCall, kind: str, content_id: str) -> Response:
    if kind not in HOLDERS:
        raise Refused(404, "Not Found")
    return many(call, call.store.labels(viewable(call.store, call.person, content_id).id), shapes.label)


@router.get("/{kind}/{content_id}/properties")
def list_properties(call: ThisCall, kind: str, content_id: str) -> Response:
    rows = properties_of(call, viewable(call.store, call.person, content_id))
    if call.query.get("key"):
        rows = [row for row in rows if row["key"] == call.query["key"]]
    return many(call, rows, shapes.content_property)


@router.post("/{kind}/{content_id}/properties")
def create_property(call: ThisCall, kind: str, content_id: str, body: JsonObject) -> Json:
    c = editable(call.store, call.person, content_id)
    if not isinstance(body.get("key"), str) or not body["key"]:
        raise bad_request("key is required")
    return shapes.content_property(write_property(call, c, body["key"], body.get("value"), version=None))


def _property(call: Call, c: Content, property_id: int) -> Any:
    row = call.store.row("SELECT * FROM properties WHERE content_id = ? AND id = ?", c.id, str(property_id))
    if row is None:
        raise Refused(404, f"Property with id {property_id} not found")
    return row


@router.get("/{kind}/{content_id}/properties/{property_id}")
def get_property(call: ThisCall, kind: str, content_id: str, property_id: int) -> Json:
    """By its numeric id, as v2 wants it; the key is a filter of the list."""
    return shapes.content_property(
        _property(call, viewable(call.store, call.person, content_id), property_id)
    )


@router.put("/{kind}/{content_id}/properties/{property_id}")
def update_property(call: ThisCall, kind: str, content_id: str, property_id: int, body: JsonObject) -> Json:
    c = editable(call.store, call.person, content_id)
    row = _property(call, c, property_id)
    given = body.get("version")
    version = given.get("number") if isinstance(given, dict) else None
    if not isinstance(version, int):
        raise bad_request("version.number is required")
    if body.get("key") != row["key"]:
        raise bad_request("the key of a property cannot change")
    return shapes.content_property(write_property(call, c, row["key"], body.get("value"), version=version))


@router.delete("/{kind}/{content_id}/properties/{property_id}")
def delete_property(call: ThisCall, kind: str, content_id: str, property_id: int) -> Response:
    row = _property(call, editable(call.store, call.person, content_id), property_id)
    call.store.run("DELETE FROM properties WHERE id = ?", row["id"])
    return Response(status_code=204)
