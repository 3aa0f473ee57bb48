"""The v1 API for spaces, groups, users and Data Center's webhook registrations."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from sandbox.confluence import shapes_v1 as shapes
from sandbox.confluence import webhooks
from sandbox.confluence.access import may_view_space, require_admin, viewable_space, visible
from sandbox.confluence.calls import Call, JsonObject, ThisCall, page_v1, several
from sandbox.confluence.problems import Refused, bad_request
from sandbox.confluence.replies_v1 import listing
from sandbox.confluence.store import Person, Space, now

router = APIRouter()
Json = dict[str, Any]


def visible_spaces(call: Call) -> list[Space]:
    return [space for space in call.store.spaces() if may_view_space(call.store, call.person, space)]


@router.get("/space")
def list_spaces(call: ThisCall) -> Json:
    found = visible_spaces(call)
    keys = several(call, "spaceKey")
    found = [space for space in found if not keys or space.key in keys]
    for name in ("type", "status"):
        if call.query.get(name):
            found = [space for space in found if getattr(space, name) == call.query[name]]
    window, envelope = page_v1(call, found, most=1000)
    return {"results": [shapes.space(call, space, shapes.asked(call)) for space in window]} | envelope


@router.post("/space")
def create_space(call: ThisCall, body: JsonObject) -> Json:
    require_admin(call.person, "create spaces")
    key, name = str(body.get("key") or ""), str(body.get("name") or "")
    if not key.lstrip("~").isalnum() or not name:
        raise bad_request("a space needs an alphanumeric key and a name")
    if call.store.row("SELECT 1 FROM spaces WHERE key = ?", key):
        raise bad_request(f"A space already exists with key {key}")
    with call.store.transaction():
        call.store.run(
            "INSERT INTO spaces VALUES (?, ?, ?, 'global', 'current', '', NULL, ?, ?)",
            call.store.next_id(), key, name, call.person.account_id, now(),
        )  # fmt: skip
    return shapes.space(call, call.store.space(key), {})


@router.get("/space/{key}")
def get_space(call: ThisCall, key: str) -> Json:
    return shapes.space(call, viewable_space(call.store, call.person, key), shapes.asked(call))


@router.get("/space/{key}/content")
def list_space_content(call: ThisCall, key: str) -> Json:
    return {kind: list_space_content_of(call, key, kind) for kind in ("page", "blogpost")}


@router.get("/space/{key}/content/{kind}")
def list_space_content_of(call: ThisCall, key: str, kind: str) -> Json:
    space = viewable_space(call.store, call.person, key)
    if kind == "trash":
        found = call.store.contents("space_id = ? AND status = 'trashed'", space.id)
    else:
        found = call.store.contents("space_id = ? AND type = ? AND status = 'current'", space.id, kind)
        if call.query.get("depth") == "root":
            found = [c for c in found if c.parent_id is None]
    return listing(call, visible(call.store, call.person, found))


@router.get("/space/{key}/permission")
@router.get("/space/{key}/permissions")
def list_space_permissions(call: ThisCall, key: str) -> Any:
    """Data Center answers a bare list; Cloud has this only as `expand=permissions` and in v2."""
    space = viewable_space(call.store, call.person, key)
    if call.is_cloud:
        raise Refused(
            405, "method not allowed; use expand=permissions or /wiki/api/v2/spaces/{id}/permissions"
        )
    require_admin(call.person, "view space permissions")
    return shapes.space_permissions_data_center(call, space)


@router.get("/group")
def list_groups(call: ThisCall) -> Json:
    window, envelope = page_v1(call, call.store.groups(), default=200, most=1000)
    return {"results": [shapes.group(call, row["name"], row["id"]) for row in window]} | envelope


@router.get("/group/by-id")
@router.get("/group/by-name")
@router.get("/group/member")
def group_by_query(call: ThisCall) -> Json:
    wanted = call.query.get("id") or call.query.get("name", "")
    if call.path.endswith("/member"):
        return list_members(call, wanted)
    return get_group(call, wanted)


@router.get("/group/{name}")
def get_group(call: ThisCall, name: str) -> Json:
    row = call.store.group(name)
    if row is None:
        raise Refused(404, f"No group with name {name}")
    return shapes.group(call, row["name"], row["id"])


@router.get("/group/{name}/member")
@router.get("/group/{name}/membersByGroupId")
def list_members(call: ThisCall, name: str) -> Json:
    row = call.store.group(name)
    if row is None or (call.path.endswith("ByGroupId") and row["id"] != name):
        raise Refused(404, f"No group {name}")
    window, envelope = page_v1(call, call.store.members(row["name"]), default=200, most=200)
    return {"results": [shapes.known_person(call, who) for who in window]} | envelope


@router.get("/user")
def get_user(call: ThisCall) -> Json:
    """By `accountId` on Cloud, by `username` or `key` on Data Center."""
    keys = ("accountId",) if call.is_cloud else ("username", "key", "accountId")
    wanted = next((call.query[key] for key in keys if call.query.get(key)), None)
    if wanted is None:
        raise bad_request(f"{' or '.join(keys)} is required")
    return shapes.known_person(call, _somebody(call, wanted))


@router.get("/user/current")
def current_user(call: ThisCall) -> Json:
    return shapes.person(call, call.person.account_id)


@router.get("/user/anonymous")
def anonymous_user(call: ThisCall) -> Json:
    return shapes.person(call, "")


@router.get("/user/memberof")
def groups_of_user(call: ThisCall) -> Json:
    keys = ("accountId",) if call.is_cloud else ("username", "key")
    wanted = next((call.query[key] for key in keys if call.query.get(key)), "")
    rows = [call.store.group(name) for name in call.store.groups_of(_somebody(call, wanted).account_id)]
    window, envelope = page_v1(call, rows, default=200)
    return {"results": [shapes.group(call, row["name"], row["id"]) for row in window if row]} | envelope


@router.get("/user/bulk")
def users_by_id(call: ThisCall) -> Json:
    people = [call.store.person(one) for one in several(call, "accountId")]
    window, envelope = page_v1(call, [who for who in people if who])
    return {"results": [shapes.known_person(call, who) for who in window]} | envelope


@router.get("/search/user")
def search_users(call: ThisCall) -> Json:
    """The one CQL form it knows is `user.fullname ~ "name"` (or `user = "id"`)."""
    import re

    found = re.fullmatch(
        r'\s*user(\.fullname|\.accountid)?\s*[~=]\s*"?([^"]*)"?\s*', call.query.get("cql", "")
    )
    if not found:
        raise bad_request("Could not parse cql")
    words = found[2].lower()
    people = [
        who for who in call.store.people() if words in who.name.lower() or words == who.account_id.lower()
    ]
    window, envelope = page_v1(call, people)
    hits = [
        {"user": shapes.known_person(call, who), "title": who.name, "entityType": "user"} for who in window
    ]
    return {
        "results": hits,
        "totalSize": len(people),
        "cqlQuery": call.query["cql"],
        "searchDuration": 1,
    } | envelope


def _somebody(call: Call, who: str) -> Person:
    person = call.store.person(who) if who else None
    if person is None:
        raise Refused(404, f"No user found with id: {who}")
    return person


@router.get("/longtask/{task_id}")
def get_task(call: ThisCall, task_id: str) -> Json:
    """Every long task of this server has ended by the time it is asked about."""
    return {"id": task_id, "name": {"key": "done", "args": []}, "elapsedTime": 1, "percentageComplete": 100,
            "successful": True, "finished": True, "messages": [], "status": "SUCCESSFUL",
            "_links": {"self": f"{call.origin}{call.path}"}}  # fmt: skip


@router.get("/webhooks")
def list_webhooks(call: ThisCall) -> Json:
    _data_center_admin(call)
    hooks = [
        webhooks.as_json(hook) for hook in webhooks.registered(call.store) if hook.dialect == "datacenter"
    ]
    window, envelope = page_v1(call, hooks)
    return {"results": window} | envelope


@router.post("/webhooks")
def create_webhook(call: ThisCall, body: JsonObject) -> Response:
    _data_center_admin(call)
    hook = webhooks.register(call.store, **_webhook_fields(body))
    return JSONResponse(webhooks.as_json(hook), status_code=201)


@router.get("/webhooks/{hook_id}")
def get_webhook(call: ThisCall, hook_id: int) -> Json:
    _data_center_admin(call)
    return webhooks.as_json(webhooks.one(call.store, hook_id))


@router.put("/webhooks/{hook_id}")
def update_webhook(call: ThisCall, hook_id: int, body: JsonObject) -> Json:
    _data_center_admin(call)
    webhooks.one(call.store, hook_id)
    return webhooks.as_json(webhooks.register(call.store, hook_id=hook_id, **_webhook_fields(body)))


@router.delete("/webhooks/{hook_id}")
def delete_webhook(call: ThisCall, hook_id: int) -> Response:
    _data_center_admin(call)
    webhooks.remove(call.store, hook_id)
    return Response(status_code=204)


def _data_center_admin(call: Call) -> None:
    if call.is_cloud:
        raise Refused(
            404, "Cloud has no webhook registration for people; apps and automation rules send them"
        )
    require_admin(call.person, "manage webhooks")


def _webhook_fields(body: Json) -> dict[str, Any]:
    configuration = body.get("configuration") or {}
    secret = configuration.get("secret") if isinstance(configuration, dict) else None
    return {
        "name": str(body.get("name") or ""), "url": body.get("url"), "events": body.get("events"),
        "active": body.get("active", True) is not False, "dialect": "datacenter",
        "auth": {"kind": "hmac", "secret": str(secret)} if secret else {},
    }  # fmt: skip
