"""The v1 API for content: `/wiki/rest/api/content...` (Cloud) and `/rest/api/content...` (Data Center)."""

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
from sandbox.confluence.calls import (
    Call,
    JsonObject,
    ThisCall,
    flag,
    number,
    page_v1,
    required_text,
    several,
    storage_value,
)
from sandbox.confluence.content import past_version
from sandbox.confluence.problems import bad_request, forbidden, no_content
from sandbox.confluence.replies_v1 import asked_or_usual, largest_page, listing, reply
from sandbox.confluence.routes_v1_parts import write_property
from sandbox.confluence.store import Content

router = APIRouter()
Json = dict[str, Any]
CREATABLE = ("page", "blogpost", "comment")


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
    found = _search(call)
    return listing(call, found) | {
        "totalSize": len(found),
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
    marked = extensions.get("inlineProperties") if inline else None
    selection = marked.get("originalSelection", "") if isinstance(marked, dict) else ""
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
        c = past_version(call.store, c, number(call, "version", c.version))
    return reply(call, c)


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
    extensions = body.get("extensions")
    resolution = (
        extensions.get("resolution") if isinstance(extensions, dict) and c.type == "comment" else None
    )
    if isinstance(resolution, dict) and resolution.get("status"):
        extra = {"resolution": str(resolution["status"])}
    elif isinstance(resolution, str):
        extra = {"resolution": resolution}
    if c.status == "trashed" and _status(body, c.status) == "current":
        return reply(call, contents.restore(call.store, call.person, c, version))
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
