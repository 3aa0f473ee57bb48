"""Cloud's v2 API for spaces, who may do what in them, and people."""

from typing import Any

from fastapi import APIRouter, Response

from sandbox.confluence import shapes_v2 as shapes
from sandbox.confluence.access import (
    may_view_space,
    viewable_space,
)
from sandbox.confluence.calls import JsonObject, ThisCall, several
from sandbox.confluence.lists_v2 import many, single
from sandbox.confluence.problems import bad_request

router = APIRouter()
Json = dict[str, Any]


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


@router.post("/users-bulk")
def users_bulk(call: ThisCall, body: JsonObject) -> Response:
    ids = body.get("accountIds")
    if not isinstance(ids, list) or len(ids) > 250:
        raise bad_request("accountIds must be a list of at most 250")
    people = [call.store.person(str(one)) for one in ids]
    return many(call, [who for who in people if who], lambda who: shapes.person(call, who), default=250)
