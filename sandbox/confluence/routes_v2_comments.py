"""Cloud's v2 API for footer and inline comments and their replies."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from sandbox.confluence import content as contents
from sandbox.confluence import shapes_v2 as shapes
from sandbox.confluence.access import (
    editable,
    may_in_space,
    viewable,
    visible,
)
from sandbox.confluence.calls import Call, JsonObject, ThisCall, storage_value
from sandbox.confluence.lists_v2 import many, of_kind, single, sort
from sandbox.confluence.problems import bad_request, forbidden
from sandbox.confluence.store import Content

router = APIRouter()
Json = dict[str, Any]
COMMENT_KINDS = {"footer-comments": False, "inline-comments": True}


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
