"""The v1 API for content: `/wiki/rest/api/content...` (Cloud) and `/rest/api/content...` (Data Center)."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from sandbox.confluence import content as contents
from sandbox.confluence import cql, storage
from sandbox.confluence import shapes_v1 as shapes
from sandbox.confluence.access import (
    editable,
    may_in_space,
    may_view,
    viewable,
    viewable_space,
    visible,
)
from sandbox.confluence.calls import Call, JsonObject, ThisCall, flag, number, page_v1, several
from sandbox.confluence.problems import bad_request, forbidden, no_content
from sandbox.confluence.routes_v1_parts import required_text, write_property
from sandbox.confluence.store import Content

router = APIRouter()
Json = dict[str, Any]
USUAL = "space,history,version"
CREATABLE = ("page", "blogpost", "comment")


def reply(call: Call, c: Content) -> Json:
    """One content as its own answer: expanded as asked, with the links only an outermost object has."""
    written = "expand" in call.query or call.method == "GET"
    tree = asked_or_usual(call) if written else shapes.expansion(f"{USUAL},body.storage,ancestors")
    found = shapes.content(call, c, tree)
    links = {"context": call.context, "base": call.base, "collection": f"{call.context}/rest/api/content"}
    found["_links"] |= links
    return found


def asked_or_usual(call: Call) -> shapes.Tree:
    """Both servers expand `space,history,version` when `expand` is not given at all."""
    return shapes.expansion(call.query.get("expand", USUAL))


def listing(call: Call, found: list[Content], *, default: int = 25, tree: shapes.Tree | None = None) -> Json:
    tree = shapes.asked(call) if tree is None else tree
    window, envelope = page_v1(call, found, default=default, most=largest_page(call, tree))
    return {"results": [shapes.content(call, c, tree) for c in window]} | envelope


def largest_page(call: Call, tree: shapes.Tree) -> int:
    """Real servers cut `limit` in silence, the more is expanded the lower.

    Data Center's documented steps for content are 1000 bare, 200 expanded, 100 with bodies, 25 with
    `export_view` or `styled_view`; Cloud stops at 250.
    """
    bodies = set(tree.get("body", {}))
    if bodies & {"export_view", "styled_view"}:
        return 25
    if call.is_cloud:
        return 100 if bodies else 250
    return 100 if bodies else 200 if tree else 1000


@router.get("/content")
def list_content(call: ThisCall) -> Json:
    kind = call.query.get("type", "page")
    statuses = several(call, "status") or ["current"]
    marks = ",".join("?" * len(statuses))
    found = call.store.contents(
        f"type = ? AND (status IN ({marks}) OR 'any' IN ({marks}))", kind, *statuses, *statuses
    )
    if call.query.get("spaceKey"):
        space = viewable_space(call.store, call.person, call.query["spaceKey"])
        found = [c for c in found if c.space_id == space.id]
    if "title" in call.query:
        found = [c for c in found if c.title == call.query["title"]]
    if call.query.get("postingDay"):
        found = [c for c in found if c.created.startswith(call.query["postingDay"])]
    found = visible(call.store, call.person, found)
    if call.query.get("orderby", "").startswith("history.createdDate"):
        found.sort(key=lambda c: c.created, reverse=call.query["orderby"].endswith("desc"))
    return listing(call, found, tree=asked_or_usual(call))


@router.get("/content/search")
def search_content(call: ThisCall) -> Json:
    return listing(call, _search(call)) | {
        "totalSize": len(_search(call)),
        "cqlQuery": call.query.get("cql", ""),
    }


@router.get("/search")
def search(call: ThisCall) -> Json:
    found = _search(call)
    tree = shapes.asked(call).get("content", {})
    window, envelope = page_v1(call, found, most=largest_page(call, tree))
    return envelope | {
        "results": [_hit(call, c, tree) for c in window], "totalSize": len(found),
        "cqlQuery": call.query.get("cql", ""), "searchDuration": 1, "archivedResultCount": 0,
    }  # fmt: skip


def _search(call: Call) -> list[Content]:
    if "cql" not in call.query:
        raise bad_request("cql is required")
    return visible(call.store, call.person, cql.search(call.store, call.person, call.query["cql"]))


def _hit(call: Call, c: Content, tree: shapes.Tree) -> Json:
    space = call.store.space(c.space_id)
    address = shapes.webui(call, c)
    display = f"/spaces/{space.key}" if call.is_cloud else f"/display/{space.key}"
    return {
        "content": shapes.content(call, c, tree), "title": c.title, "excerpt": storage.plain(c.body)[:280],
        "url": address, "resultGlobalContainer": {"title": space.name, "displayUrl": display},
        "breadcrumbs": [], "entityType": "content", "iconCssClass": f"aui-icon content-type-{c.type}",
        "lastModified": c.updated, "friendlyLastModified": c.updated[:10], "timestamp": None, "score": 0.0,
    }  # fmt: skip


@router.post("/content/archive")
def archive_content(call: ThisCall, body: JsonObject) -> Response:
    pages = body.get("pages")
    if not isinstance(pages, list) or not pages or not all(isinstance(page, dict) for page in pages):
        raise bad_request("pages must be a list of {id}")
    for page in [editable(call.store, call.person, str(page.get("id"))) for page in pages]:
        contents.archive(call.store, call.person, page)
    task = str(call.store.next_id("longtask"))
    status = f"{call.context}/rest/api/longtask/{task}"
    return JSONResponse({"id": task, "links": {"status": status}}, status_code=202)


@router.post("/content")
@router.post("/content/")
def create_content(call: ThisCall, body: JsonObject) -> Json:
    kind = body.get("type")
    if kind not in CREATABLE:
        raise bad_request(f"content type must be one of {', '.join(CREATABLE)}")
    if kind == "comment":
        return reply(call, _create_comment(call, body))
    given_space = body.get("space")
    if not isinstance(given_space, dict) or not (given_space.get("key") or given_space.get("id")):
        raise bad_request("Space is required")
    space = viewable_space(call.store, call.person, str(given_space.get("key") or given_space["id"]))
    if not may_in_space(call.store, call.person, space.id, "create", kind):
        raise forbidden(f"create content in space {space.key}")
    parent_id = _parent(call, body)
    if parent_id is None and kind == "page":
        parent_id = space.homepage_id  # as the real servers do
    made = contents.create(
        call.store, call.person, type=kind, space=space, title=required_text(body, "title"),
        body=storage_value(body.get("body")) or "", parent_id=parent_id,
        status=_status(body, "current"), message=_message(body),
        content_id=str(body["id"]) if body.get("id") and call.store.find(str(body["id"])) is None else None,
    )  # fmt: skip
    _save_metadata(call, made, body.get("metadata"))
    return reply(call, made)


def _create_comment(call: Call, body: Json) -> Content:
    holder = body.get("container")
    if not isinstance(holder, dict) or "id" not in holder:
        raise bad_request("a comment needs a container")
    page = viewable(call.store, call.person, str(holder["id"]))
    if not may_in_space(call.store, call.person, page.space_id, "create", "comment"):
        raise forbidden("comment on this page")
    above = body.get("ancestors")
    reply_to = (
        str(above[-1]["id"]) if isinstance(above, list) and above and isinstance(above[-1], dict) else None
    )
    extensions = body.get("extensions")
    extensions = extensions if isinstance(extensions, dict) else {}
    inline = extensions.get("location") == "inline"
    selection = (extensions.get("inlineProperties") or {}).get("originalSelection", "") if inline else ""
    text = storage_value(body.get("body")) or ""
    return contents.comment(
        call.store, call.person, page, text, inline=inline, selection=str(selection), reply_to=reply_to
    )


@router.get("/content/{content_id}")
def get_content(call: ThisCall, content_id: str) -> Json:
    c = viewable(call.store, call.person, content_id)
    statuses = several(call, "status") or ["current", "archived"]
    if c.status not in statuses and "any" not in statuses:
        raise no_content(content_id)
    if call.query.get("version"):
        c = past_version(call, c, number(call, "version", c.version))
    return reply(call, c)


def past_version(call: Call, c: Content, wanted: int) -> Content:
    """The content as it was; raises Refused 404 for a version that never was."""
    row = call.store.row("SELECT * FROM versions WHERE content_id = ? AND number = ?", c.id, wanted)
    if row is None:
        raise no_content(c.id)
    return replace(
        c, version=row["number"], title=row["title"], body=row["body"], updated=row["created"],
        updated_by=row["author"], message=row["message"] or "", minor=bool(row["minor"]),
        status=c.status if row["number"] == c.version else "historical",
    )  # fmt: skip


@router.put("/content/{content_id}")
def update_content(call: ThisCall, content_id: str, body: JsonObject) -> Json:
    c = editable(call.store, call.person, content_id)
    given = body.get("version")
    version = given.get("number") if isinstance(given, dict) else None
    if not isinstance(version, int):
        raise bad_request("version.number is required")
    space = body.get("space")
    target = (
        viewable_space(call.store, call.person, str(space["key"]))
        if isinstance(space, dict) and space.get("key")
        else None
    )
    extra: Json | None = None
    resolution = ((body.get("extensions") or {}).get("resolution") or {}) if c.type == "comment" else {}
    if isinstance(resolution, dict) and resolution.get("status"):
        extra = {"resolution": str(resolution["status"])}
    elif isinstance(resolution, str):
        extra = {"resolution": resolution}
    if c.status == "trashed" and _status(body, c.status) == "current":
        return reply(call, contents.restore(call.store, call.person, c))
    new = contents.update(
        call.store, call.person, c, version=version, title=body.get("title"),
        body=storage_value(body.get("body")), status=_status(body, c.status), extra=extra,
        message=_message(body), minor=bool(isinstance(given, dict) and given.get("minorEdit")),
        parent_id=_parent(call, body), space=target,
    )  # fmt: skip
    _save_metadata(call, new, body.get("metadata"))
    return reply(call, new)


@router.delete("/content/{content_id}")
def delete_content(call: ThisCall, content_id: str) -> Response:
    c = editable(call.store, call.person, content_id)
    status = call.query.get("status")
    if status in ("trashed", "draft") or flag(call, "purge"):
        if status and c.status != status:
            raise no_content(content_id)
        contents.purge(call.store, call.person, c)
    elif c.type == "comment" or (c.type == "attachment" and not call.is_cloud):
        contents.remove_now(call.store, call.person, c)
    else:
        contents.trash(call.store, call.person, c)
    return Response(status_code=204)


@router.delete("/content/{content_id}/pageTree")
def delete_tree(call: ThisCall, content_id: str) -> Response:
    c = editable(call.store, call.person, content_id)
    below = [page for page in contents.descendants(call.store, c.id) if page.type == "page"]
    for page in [*reversed(below), c]:
        if page.status != "trashed":
            contents.trash(call.store, call.person, page)
    task = str(call.store.next_id("longtask"))
    return JSONResponse({"id": task, "links": {"status": f"/rest/api/longtask/{task}"}}, status_code=202)


@router.put("/content/{content_id}/move/{position}/{target_id}")
def move_content(call: ThisCall, content_id: str, position: str, target_id: str) -> Json:
    c, target = editable(call.store, call.person, content_id), viewable(call.store, call.person, target_id)
    moved = contents.move(call.store, call.person, c, position, target)
    return {"pageId": moved.id}


@router.get("/content/{content_id}/history")
def get_history(call: ThisCall, content_id: str) -> Json:
    c = viewable(call.store, call.person, content_id)
    return shapes.history(call, c, {"lastUpdated": {}, **shapes.asked(call)})


@router.get("/content/{content_id}/version")
def list_versions(call: ThisCall, content_id: str) -> Json:
    c = viewable(call.store, call.person, content_id)
    rows = call.store.rows("SELECT number FROM versions WHERE content_id = ? ORDER BY number DESC", c.id)
    window, envelope = page_v1(call, [row["number"] for row in rows], default=200)
    return {"results": [shapes.version(call, past_version(call, c, n), {}) for n in window]} | envelope


@router.get("/content/{content_id}/version/{wanted}")
def get_version(call: ThisCall, content_id: str, wanted: int) -> Json:
    past = past_version(call, viewable(call.store, call.person, content_id), wanted)
    found = shapes.version(call, past, {})
    if "content" in shapes.asked(call):
        found["content"] = shapes.content(call, past, shapes.asked(call)["content"])
    return found


@router.delete("/content/{content_id}/version/{wanted}")
def delete_version(call: ThisCall, content_id: str, wanted: int) -> Response:
    """Forget a past version; the current one cannot go."""
    past = past_version(call, editable(call.store, call.person, content_id), wanted)
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


def _save_metadata(call: Call, c: Content, metadata: Any) -> None:
    """`metadata.labels` and `metadata.properties` that come with a created or updated page."""
    if not isinstance(metadata, dict):
        return
    properties = metadata.get("properties")
    for key, given in properties.items() if isinstance(properties, dict) else ():
        value = given.get("value") if isinstance(given, dict) else given
        row = call.store.row("SELECT version FROM properties WHERE content_id = ? AND key = ?", c.id, key)
        write_property(call, c, str(key), value, version=row["version"] + 1 if row else None)
    labels = metadata.get("labels")
    if isinstance(labels, list):
        pairs = [
            (str(x.get("prefix") or "global"), str(x.get("name"))) for x in labels if isinstance(x, dict)
        ]
        contents.add_labels(call.store, call.person, c, pairs)


def _parent(call: Call, body: Json) -> str | None:
    above = body.get("ancestors")
    if not isinstance(above, list) or not above:
        return None
    last = above[-1]
    if not isinstance(last, dict) or "id" not in last:
        raise bad_request("ancestors must be a list of {id}")
    parent = call.store.find(str(last["id"]))
    if parent is None or not may_view(call.store, call.person, parent):
        raise bad_request(f"The parent with id {last['id']} does not exist")
    return parent.id


def _status(body: Json, default: str) -> str:
    status = body.get("status") or default
    if status not in ("current", "draft", "archived", "trashed") or not isinstance(status, str):
        raise bad_request(f"unknown status {status!r}")
    return status


def _message(body: Json) -> str:
    given = body.get("version")
    return str(given.get("message") or "") if isinstance(given, dict) else ""
