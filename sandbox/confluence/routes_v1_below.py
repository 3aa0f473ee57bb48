"""The v1 API for what lies below and behind content: children, comments, versions, history."""

from typing import Any

from fastapi import APIRouter, Response

from sandbox.confluence import content as contents
from sandbox.confluence import shapes_v1 as shapes
from sandbox.confluence.access import editable, viewable, visible
from sandbox.confluence.calls import JsonObject, ThisCall, page_v1, several
from sandbox.confluence.content import past_version
from sandbox.confluence.problems import bad_request
from sandbox.confluence.replies_v1 import listing
from sandbox.confluence.store import Content

router = APIRouter()
Json = dict[str, Any]


@router.get("/content/{content_id}/history")
def get_history(call: ThisCall, content_id: str) -> Json:
    c = viewable(call.store, call.person, content_id)
    return shapes.history(call, c, {"lastUpdated": {}, **shapes.asked(call)})


@router.get("/content/{content_id}/version")
def list_versions(call: ThisCall, content_id: str) -> Json:
    c = viewable(call.store, call.person, content_id)
    rows = call.store.rows("SELECT number FROM versions WHERE content_id = ? ORDER BY number DESC", c.id)
    window, envelope = page_v1(call, [row["number"] for row in rows], default=200)
    return {"results": [shapes.version(call, past_version(call.store, c, n), {}) for n in window]} | envelope


@router.get("/content/{content_id}/version/{wanted}")
def get_version(call: ThisCall, content_id: str, wanted: int) -> Json:
    past = past_version(call.store, viewable(call.store, call.person, content_id), wanted)
    found = shapes.version(call, past, {})
    if "content" in shapes.asked(call):
        found["content"] = shapes.content(call, past, shapes.asked(call)["content"])
    return found


@router.delete("/content/{content_id}/version/{wanted}")
def delete_version(call: ThisCall, content_id: str, wanted: int) -> Response:
    """Forget a past version; the current one cannot go."""
    past = past_version(call.store, editable(call.store, call.person, content_id), wanted)
    if past.status != "historical":
        raise bad_request("the current version cannot be deleted")
    call.store.run("DELETE FROM versions WHERE content_id = ? AND number = ?", content_id, wanted)
    return Response(status_code=204)


@router.get("/content/{content_id}/child")
def list_kinds_of_children(call: ThisCall, content_id: str) -> Json:
    return shapes.children(call, viewable(call.store, call.person, content_id), shapes.asked(call))


@router.get("/content/{content_id}/child/comment")
def list_comments(call: ThisCall, content_id: str) -> Json:
    """Root comments, or with `depth=all` the replies too; `location` may be footer, inline or resolved."""
    c = viewable(call.store, call.person, content_id)
    found = shapes.child_contents(call, c, "comment")
    if call.query.get("depth") == "all":
        found = call.store.contents("container_id = ? AND type = 'comment' AND status = 'current'", c.id)
    wanted = several(call, "location")
    if wanted:
        found = [
            one
            for one in found
            if _location(one) in wanted or (one.extra.get("inline") and "inline" in wanted)
        ]
    return listing(call, found)


def _location(comment: Content) -> str:
    if not comment.extra.get("inline"):
        return "footer"
    return "resolved" if comment.extra.get("resolution") == "resolved" else "inline"


@router.get("/content/{content_id}/child/{kind}")
def list_children(call: ThisCall, content_id: str, kind: str) -> Json:
    c = viewable(call.store, call.person, content_id)
    found = shapes.child_contents(call, c, kind)
    if kind == "attachment":
        for field, at in (("filename", "title"), ("mediaType", "media_type")):
            if call.query.get(field):
                found = [
                    one for one in found if call.query[field] in (one.extra.get(at), getattr(one, at, None))
                ]
    return listing(call, found)


@router.get("/content/{content_id}/descendant/{kind}")
def list_descendants(call: ThisCall, content_id: str, kind: str) -> Json:
    c = viewable(call.store, call.person, content_id)
    below = [
        one for one in contents.descendants(call.store, c.id) if one.type == kind and one.status == "current"
    ]
    return listing(call, visible(call.store, call.person, below))


@router.post("/contentbody/convert/{to}")
def convert_body(call: ThisCall, to: str, body: JsonObject) -> Json:
    """Storage to `view`; a storage body sent to `storage` comes back as it is."""
    value = str(body.get("value", ""))
    if to not in ("view", "export_view", "storage") or body.get("representation") != "storage":
        raise bad_request(f"cannot convert {body.get('representation')!r} to {to!r}")
    if to != "storage":
        space = call.store.spaces()[0]
        page = Content(
            "0", "page", "current", "", space.id, None, None, 0, "", "", "", "", 1, "", False, value, {}
        )
        value = shapes.view(call, page)
    return {"value": value, "representation": to, "embeddedContent": [], "_expandable": {}}
