"""Cloud's v2 API: pages, blog posts, spaces, comments, attachments, labels, properties, folders."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from sandbox.confluence import content as contents
from sandbox.confluence import shapes_v2 as shapes
from sandbox.confluence.access import (
    editable,
    may_in_space,
    may_view_space,
    viewable,
    viewable_space,
    visible,
)
from sandbox.confluence.calls import Call, JsonObject, ThisCall, flag, number, page_v2, several
from sandbox.confluence.problems import Refused, bad_request, forbidden, no_content
from sandbox.confluence.routes_v1 import past_version, storage_value
from sandbox.confluence.routes_v1_parts import write_property
from sandbox.confluence.store import Content

router = APIRouter()
Json = dict[str, Any]
DEFAULT_STATUSES = ["current", "archived"]
PAGE_KINDS = {"pages": "page", "blogposts": "blogpost"}
TREE_KINDS = {"folders": "folder", "whiteboards": "whiteboard", "databases": "database"}
COMMENT_KINDS = {"footer-comments": False, "inline-comments": True}
HOLDERS = {**PAGE_KINDS, "attachments": "attachment", **TREE_KINDS}


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


def list_of_kind(kind: str) -> Callable[[Call], Response]:
    return lambda call: pages_among(call, call.store.contents("type = ?", kind))


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
        c = past_version(call, c, number(call, "version", c.version))
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
            "properties", [shapes.content_property(row) for row in _properties(call, c)]
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
        c = contents.restore(call.store, call.person, c)
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
    past = past_version(call, c, wanted)
    return shapes.version(past) | {"contentTypeModified": False, "collaborators": [past.updated_by],
                                   "prevVersion": wanted - 1, "nextVersion": wanted + 1}  # fmt: skip


def _versions(call: Call, c: Content) -> list[Content]:
    rows = call.store.rows("SELECT number FROM versions WHERE content_id = ? ORDER BY number DESC", c.id)
    return [past_version(call, c, row["number"]) for row in rows]


# spaces


@router.get("/spaces")
def list_spaces(call: ThisCall) -> Response:
    found = [space for space in call.store.spaces() if may_view_space(call.store, call.person, space)]
    ids, keys = several(call, "ids"), several(call, "keys")
    found = [s for s in found if (not ids or str(s.id) in ids) and (not keys or s.key in keys)]
    for name in ("type", "status"):
        if call.query.get(name):
            found = [space for space in found if getattr(space, name) == call.query[name]]
    return many(call, found, lambda s: shapes.space(call, s, call.query.get("description-format")))


@router.get("/spaces/{space_id}")
def get_space(call: ThisCall, space_id: int) -> Json:
    space = viewable_space(call.store, call.person, space_id)
    return single(call, shapes.space(call, space, call.query.get("description-format")))


@router.get("/spaces/{space_id}/permissions")
def list_space_permissions(call: ThisCall, space_id: int) -> Response:
    space = viewable_space(call.store, call.person, space_id)
    return many(call, shapes.space_permissions(call, space), lambda entry: entry)


@router.get("/spaces/{space_id}/role-assignments")
def list_role_assignments(call: ThisCall, space_id: int) -> Response:
    space = viewable_space(call.store, call.person, space_id)
    return many(call, shapes.role_assignments(call, space), lambda entry: entry)


@router.get("/space-roles")
def list_space_roles(call: ThisCall) -> Response:
    return many(call, shapes.space_roles(), lambda role: role)


# comments


@router.get("/footer-comments")
@router.get("/inline-comments")
def list_all_comments(call: ThisCall) -> Response:
    inline = COMMENT_KINDS[call.path.rsplit("/", 1)[1]]
    found = call.store.contents("type = 'comment' AND status = 'current'")
    return _comments(call, [c for c in found if bool(c.extra.get("inline")) == inline])


@router.get("/{kind}/{content_id}/footer-comments")
@router.get("/{kind}/{content_id}/inline-comments")
def list_comments(call: ThisCall, kind: str, content_id: str) -> Response:
    """Root comments only; replies are under `/footer-comments/{id}/children`."""
    inline = COMMENT_KINDS[call.path.rsplit("/", 1)[1]]
    c = viewable(call.store, call.person, content_id)
    found = call.store.contents("container_id = ? AND type = 'comment' AND status = 'current'", c.id)
    return _comments(
        call,
        [one for one in found if bool(one.extra.get("inline")) == inline and not one.extra.get("reply_to")],
    )


@router.get("/footer-comments/{comment_id}/children")
@router.get("/inline-comments/{comment_id}/children")
def list_replies(call: ThisCall, comment_id: str) -> Response:
    c = of_kind(call, comment_id, {"comment"})
    found = call.store.contents(
        "container_id = ? AND type = 'comment' AND status = 'current'", c.container_id
    )
    return _comments(call, [one for one in found if one.extra.get("reply_to") == c.id])


def _comments(call: Call, found: list[Content]) -> Response:
    wanted = shapes.body_format(call, bulk=True)
    found = sort(call, visible(call.store, call.person, found))
    return many(call, found, lambda one: shapes.comment(call, one, wanted))


@router.get("/footer-comments/{comment_id}")
@router.get("/inline-comments/{comment_id}")
def get_comment(call: ThisCall, comment_id: str) -> Json:
    c = of_kind(call, comment_id, {"comment"})
    return single(call, shapes.comment(call, c, shapes.body_format(call, bulk=False)))


@router.post("/footer-comments")
@router.post("/inline-comments")
def create_comment(call: ThisCall, body: JsonObject) -> Response:
    inline = COMMENT_KINDS[call.path.rsplit("/", 1)[1]]
    reply_to = str(body["parentCommentId"]) if body.get("parentCommentId") else None
    holder = body.get("pageId") or body.get("blogPostId") or body.get("attachmentId")
    if reply_to:
        holder = of_kind(call, reply_to, {"comment"}).container_id
    if not holder:
        raise bad_request("one of pageId, blogPostId, attachmentId or parentCommentId is required")
    page = viewable(call.store, call.person, str(holder))
    if not may_in_space(call.store, call.person, page.space_id, "create", "comment"):
        raise forbidden("comment on this page")
    selection = body.get("inlineCommentProperties") or {}
    if inline and not reply_to and not (isinstance(selection, dict) and selection.get("textSelection")):
        raise bad_request("inlineCommentProperties.textSelection is required")
    made = contents.comment(
        call.store, call.person, page, storage_value(body.get("body")) or "", inline=inline, reply_to=reply_to,
        selection=str(selection.get("textSelection", "")) if isinstance(selection, dict) else "",
    )  # fmt: skip
    headers = {"Location": f"{call.base}/api/v2{call.path.split('/api/v2')[1]}/{made.id}"}
    return JSONResponse(single(call, shapes.comment(call, made, "storage")), status_code=201, headers=headers)


@router.put("/footer-comments/{comment_id}")
@router.put("/inline-comments/{comment_id}")
def update_comment(call: ThisCall, comment_id: str, body: JsonObject) -> Json:
    c = editable(call.store, call.person, comment_id)
    given = body.get("version")
    version = given.get("number") if isinstance(given, dict) else None
    if not isinstance(version, int):
        raise bad_request("version.number is required")
    extra = {"resolution": "resolved" if body["resolved"] else "reopened"} if "resolved" in body else None
    new = contents.update(
        call.store, call.person, c, version=version, body=storage_value(body.get("body")), extra=extra
    )
    return single(call, shapes.comment(call, new, "storage"))


@router.delete("/footer-comments/{comment_id}")
@router.delete("/inline-comments/{comment_id}")
def delete_comment(call: ThisCall, comment_id: str) -> Response:
    contents.remove_now(call.store, call.person, editable(call.store, call.person, comment_id))
    return Response(status_code=204)


# attachments, labels, properties, people, and the rest of the tree


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


def _properties(call: Call, c: Content) -> list[Any]:
    return call.store.rows("SELECT * FROM properties WHERE content_id = ? ORDER BY key", c.id)


@router.get("/{kind}/{content_id}/properties")
def list_properties(call: ThisCall, kind: str, content_id: str) -> Response:
    rows = _properties(call, viewable(call.store, call.person, content_id))
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


@router.post("/users-bulk")
def users_bulk(call: ThisCall, body: JsonObject) -> Response:
    ids = body.get("accountIds")
    if not isinstance(ids, list) or len(ids) > 250:
        raise bad_request("accountIds must be a list of at most 250")
    people = [call.store.person(str(one)) for one in ids]
    return many(call, [who for who in people if who], lambda who: shapes.person(call, who), default=250)
