"""Cloud's v2 API for pages, blog posts and what else stands in the page tree."""

from typing import Any

from fastapi import APIRouter, Response

from sandbox.confluence import content as contents
from sandbox.confluence import shapes_v2 as shapes
from sandbox.confluence.access import (
    editable,
    may_in_space,
    viewable,
    viewable_space,
    visible,
)
from sandbox.confluence.calls import Call, JsonObject, ThisCall, flag, number, several, storage_value
from sandbox.confluence.content import past_version
from sandbox.confluence.lists_v2 import DEFAULT_STATUSES, many, of_kind, properties_of, single, sort
from sandbox.confluence.problems import bad_request, forbidden, no_content
from sandbox.confluence.store import Content

router = APIRouter()
Json = dict[str, Any]
PAGE_KINDS = {"pages": "page", "blogposts": "blogpost"}
TREE_KINDS = {"folders": "folder", "whiteboards": "whiteboard", "databases": "database"}


def pages_among(call: Call, found: list[Content]) -> Response:
    """Filter by the common list parameters, sort and page."""
    statuses = several(call, "status") or DEFAULT_STATUSES
    found = [c for c in found if c.status in statuses]
    if call.query.get("title"):
        found = [c for c in found if c.title == call.query["title"]]
    if several(call, "space-id"):
        found = [c for c in found if str(c.space_id) in several(call, "space-id")]
    if several(call, "id"):
        found = [c for c in found if c.id in several(call, "id")]
    found = sort(call, visible(call.store, call.person, found))
    wanted = shapes.body_format(call, bulk=True)
    return many(call, found, lambda c: shapes.page(call, c, wanted))


@router.get("/pages")
@router.get("/blogposts")
def list_pages(call: ThisCall) -> Response:
    return pages_among(call, call.store.contents("type = ?", PAGE_KINDS[call.path.rsplit("/", 1)[1]]))


@router.get("/spaces/{space_id}/pages")
@router.get("/spaces/{space_id}/blogposts")
def list_pages_of_space(call: ThisCall, space_id: int) -> Response:
    space = viewable_space(call.store, call.person, space_id)
    found = call.store.contents(
        "type = ? AND space_id = ?", PAGE_KINDS[call.path.rsplit("/", 1)[1]], space.id
    )
    if call.query.get("depth") == "root":
        found = [c for c in found if c.parent_id is None]
    return pages_among(call, found)


@router.get("/labels/{label_id}/pages")
@router.get("/labels/{label_id}/blogposts")
def list_pages_with_label(call: ThisCall, label_id: int) -> Response:
    kind = PAGE_KINDS[call.path.rsplit("/", 1)[1]]
    named = "id IN (SELECT content_id FROM labels JOIN label_ids USING (prefix, name) WHERE label_ids.id = ?)"
    return pages_among(call, call.store.contents(f"type = ? AND {named}", kind, label_id))


@router.get("/pages/{content_id:int}")
@router.get("/blogposts/{content_id:int}")
def get_page(call: ThisCall, content_id: int) -> Json:
    c = of_kind(call, str(content_id), set(PAGE_KINDS.values()))
    statuses = several(call, "status") or (
        ["draft"] if flag(call, "get-draft") else [*DEFAULT_STATUSES, "trashed"]
    )
    if c.status not in statuses:
        raise no_content(c.id)
    if call.query.get("version"):
        c = past_version(call.store, c, number(call, "version", c.version))
    found = single(call, shapes.page(call, c, shapes.body_format(call, bulk=False)))
    return found | _included(call, c)


def _included(call: Call, c: Content) -> Json:
    """The `include-*` parts of a single page."""
    found: Json = {}

    def part(name: str, results: list[Any]) -> Json:
        return {"results": results[:50], "meta": {"hasMore": len(results) > 50},
                "_links": {"self": f"/api/v2/pages/{c.id}/{name}"}}  # fmt: skip

    if flag(call, "include-labels"):
        found["labels"] = part("labels", [shapes.label(row) for row in call.store.labels(c.id)])
    if flag(call, "include-properties"):
        found["properties"] = part(
            "properties", [shapes.content_property(row) for row in properties_of(call, c)]
        )
    if flag(call, "include-versions"):
        found["versions"] = part("versions", [shapes.version(one) for one in _versions(call, c)])
    if flag(call, "include-operations"):
        found["operations"] = part("operations", [{"operation": "read", "targetType": c.type}])
    if flag(call, "include-likes"):
        found["likes"] = part("likes/users", [])
    return found


@router.post("/pages")
@router.post("/blogposts")
def create_page(call: ThisCall, body: JsonObject) -> Json:
    kind = PAGE_KINDS[call.path.rsplit("/", 1)[1]]
    if not body.get("spaceId"):
        raise bad_request(
            "Provided value {null} for 'spaceId' is not the correct type. Expected type is long"
        )
    space = viewable_space(call.store, call.person, str(body["spaceId"]))
    if not may_in_space(call.store, call.person, space.id, "create", kind):
        raise forbidden(f"create content in space {space.key}")
    parent_id = str(body["parentId"]) if body.get("parentId") else None
    if parent_id is None and kind == "page" and not flag(call, "root-level"):
        parent_id = space.homepage_id
    if parent_id:
        viewable(call.store, call.person, parent_id)
    status = body.get("status") or "current"
    if status not in ("current", "draft"):
        raise bad_request(f"Invalid status {status!r}")
    made = contents.create(
        call.store, call.person, type=kind, space=space, title=str(body.get("title") or ""),
        body=storage_value(body.get("body")) or "", parent_id=parent_id, status=status,
    )  # fmt: skip
    return single(call, shapes.page(call, made, "storage"))


@router.put("/pages/{content_id:int}")
@router.put("/blogposts/{content_id:int}")
def update_page(call: ThisCall, content_id: int, body: JsonObject) -> Json:
    c = editable(call.store, call.person, str(content_id))
    given = body.get("version")
    if not isinstance(given, dict) or not isinstance(given.get("number"), int):
        raise bad_request("version.number is required")
    for required in ("id", "status", "title"):
        if not body.get(required):
            raise bad_request(f"{required} is required")
    if str(body["id"]) != c.id:
        raise bad_request("the id in the body is not the one in the path")
    if body["status"] not in ("current", "draft"):
        raise bad_request(f"Invalid status {body['status']!r}")
    if c.status == "trashed":
        c = contents.restore(call.store, call.person, c, given["number"])
        return single(call, shapes.page(call, c, "storage"))
    new = contents.update(
        call.store, call.person, c, version=given["number"], title=str(body["title"]),
        body=storage_value(body.get("body")), status=body["status"], message=str(given.get("message") or ""),
        parent_id=str(body["parentId"]) if body.get("parentId") else None,
    )  # fmt: skip
    return single(call, shapes.page(call, new, "storage"))


@router.delete("/pages/{content_id:int}")
@router.delete("/blogposts/{content_id:int}")
def delete_page(call: ThisCall, content_id: int) -> Response:
    c = editable(call.store, call.person, str(content_id))
    if flag(call, "purge") or (flag(call, "draft") and c.status == "draft"):
        contents.purge(call.store, call.person, c)
    else:
        contents.trash(call.store, call.person, c)
    return Response(status_code=204)


@router.get("/pages/{content_id:int}/children")
@router.get("/pages/{content_id:int}/direct-children")
@router.get("/folders/{content_id:int}/direct-children")
@router.get("/whiteboards/{content_id:int}/direct-children")
@router.get("/databases/{content_id:int}/direct-children")
def list_children(call: ThisCall, content_id: int) -> Response:
    """`children` lists pages only; `direct-children` also folders, whiteboards and databases."""
    c = viewable(call.store, call.person, str(content_id))
    found = call.store.contents("parent_id = ? AND status IN ('current', 'archived')", c.id)
    bare = call.path.endswith("/children")
    found = [one for one in visible(call.store, call.person, found) if not bare or one.type == "page"]
    found.sort(key=lambda one: one.position)
    return many(call, found, lambda one: (shapes.child_page if bare else shapes.direct_child)(call, one))


@router.get("/pages/{content_id:int}/ancestors")
@router.get("/folders/{content_id:int}/ancestors")
@router.get("/whiteboards/{content_id:int}/ancestors")
@router.get("/databases/{content_id:int}/ancestors")
def list_ancestors(call: ThisCall, content_id: int) -> Json:
    """Top down, without a cursor; raises Refused 404 below a draft or trashed ancestor, as Cloud does."""
    c = viewable(call.store, call.person, str(content_id))
    chain = call.store.ancestors(c)
    if any(above.status in ("draft", "trashed") for above in chain):
        raise no_content(c.id)
    limit = number(call, "limit", 25, low=1, high=250)
    return {
        "results": [{"id": above.id, "type": above.type} for above in chain[-limit:]],
        "_links": {"base": call.base},
    }


@router.get("/{kind}/{content_id}/versions")
def list_versions(call: ThisCall, kind: str, content_id: str) -> Response:
    c = viewable(call.store, call.person, content_id)
    return many(call, _versions(call, c), shapes.version)


@router.get("/{kind}/{content_id}/versions/{wanted}")
def get_version(call: ThisCall, kind: str, content_id: str, wanted: int) -> Json:
    c = viewable(call.store, call.person, content_id)
    past = past_version(call.store, c, wanted)
    return shapes.version(past) | {"contentTypeModified": False, "collaborators": [past.updated_by],
                                   "prevVersion": wanted - 1, "nextVersion": wanted + 1}  # fmt: skip


def _versions(call: Call, c: Content) -> list[Content]:
    rows = call.store.rows("SELECT number FROM versions WHERE content_id = ? ORDER BY number DESC", c.id)
    return [past_version(call.store, c, row["number"]) for row in rows]


@router.post("/folders")
@router.post("/whiteboards")
@router.post("/databases")
def create_tree_object(call: ThisCall, body: JsonObject) -> Json:
    kind = TREE_KINDS[call.path.rsplit("/", 1)[1]]
    space = viewable_space(call.store, call.person, str(body.get("spaceId") or ""))
    if not may_in_space(call.store, call.person, space.id, "create", "page"):
        raise forbidden(f"create content in space {space.key}")
    parent_id = str(body["parentId"]) if body.get("parentId") else space.homepage_id
    made = contents.create(
        call.store, call.person, type=kind, space=space, title=str(body.get("title") or kind.title()),
        parent_id=parent_id,
    )  # fmt: skip
    return shapes.tree_object(call, made)


@router.get("/folders/{content_id:int}")
@router.get("/whiteboards/{content_id:int}")
@router.get("/databases/{content_id:int}")
def get_tree_object(call: ThisCall, content_id: int) -> Json:
    kind = TREE_KINDS[call.path.split("/")[-2]]
    return shapes.tree_object(call, of_kind(call, str(content_id), {kind}))


@router.delete("/folders/{content_id:int}")
@router.delete("/whiteboards/{content_id:int}")
@router.delete("/databases/{content_id:int}")
def delete_tree_object(call: ThisCall, content_id: int) -> Response:
    contents.trash(call.store, call.person, editable(call.store, call.person, str(content_id)))
    return Response(status_code=204)


@router.post("/content/convert-ids-to-types")
def convert_ids(call: ThisCall, body: JsonObject) -> Json:
    ids = body.get("contentIds")
    if not isinstance(ids, list):
        raise bad_request("contentIds must be a list")
    found = {str(one): call.store.find(str(one)) for one in ids}
    types = {one: c.type if c else None for one, c in found.items()}
    inline = {one for one, c in found.items() if c and c.type == "comment" and c.extra.get("inline")}
    names = {"comment": "footer-comment"}
    return {
        "results": {
            one: "inline-comment" if one in inline else names.get(t or "", t) for one, t in types.items()
        }
    }
