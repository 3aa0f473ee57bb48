"""The sandbox's own addresses under `/_sandbox`: faults, state, seeding, and a hand to edit things by.

They ask for no password: the server listens on this machine only and holds invented data.

    GET    /_sandbox/state                   counts, request log, webhook outcomes, faults
    DELETE /_sandbox/log                     forget the requests and outcomes so far
    GET | PUT | DELETE /_sandbox/faults      see `faults.py`
    POST   /_sandbox/reset                   back to the seed of the start; faults and log forgotten
    POST   /_sandbox/seed                    {"folder": "..."} or the mapping of `seed.py` itself; adds
    POST   /_sandbox/pages                   {space, title, body?, parent_id?, id?, labels?, status?, as?}
    PUT    /_sandbox/pages/{id}              {title?, body?, append?, as?}: edit as the next version
    POST   /_sandbox/pages/{id}/{action}     trash {keep_children?} | restore | purge | archive | unarchive |
                                             move {target_id, position?} | restrict {principals, operation?} |
                                             label {names} | unlabel {names} | touch {updated} |
                                             comment {body, inline?, resolved?, selection?} |
                                             attach {filename, media_type?, text? | base64?}
    POST   /_sandbox/people                  one person as in `company.yaml`
    PUT | DELETE /_sandbox/groups/{name}/members/{account_id}
    PUT    /_sandbox/spaces/{key}/permissions    ["group:x", ...]: replaces all
    GET | POST /_sandbox/webhooks            {url, events, dialect?, auth?}; DELETE /_sandbox/webhooks/{id}

`as` names who does it (account id, username or email); without it the first admin.
"""

import base64
import binascii
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter, ValidationError

from sandbox.confluence import content as contents
from sandbox.confluence import seed, webhooks
from sandbox.confluence.calls import JsonBody, JsonObject
from sandbox.confluence.faults import Faults, Rule
from sandbox.confluence.problems import bad_request
from sandbox.confluence.store import Content, Event, Person, Store, moment, stamp

router = APIRouter(prefix="/_sandbox", include_in_schema=False)
Json = dict[str, Any]
RULES = TypeAdapter(list[Rule])


def _store(request: Request) -> Store:
    found: Store = request.app.state.store
    return found


def _faults(request: Request) -> Faults:
    found: Faults = request.app.state.faults
    return found


@router.get("/state")
def state(request: Request) -> Json:
    faults, postman = _faults(request), request.app.state.postman
    return {
        "counts": _store(request).counts(), "n_requests": faults.n_requests, "requests": list(faults.log),
        "webhooks": list(postman.outcomes), "faults": faults.describe(),
    }  # fmt: skip


@router.delete("/log")
def forget_log(request: Request) -> Response:
    _faults(request).log.clear()
    request.app.state.postman.outcomes.clear()
    return Response(status_code=204)


@router.get("/faults")
def list_faults(request: Request) -> list[Json]:
    return _faults(request).describe()


@router.put("/faults")
def put_faults(request: Request, body: JsonBody) -> list[Json]:
    """Replaces all rules; an empty list ends them."""
    try:
        rules = RULES.validate_python(body)
    except ValidationError as exc:
        raise bad_request(str(exc)) from exc
    _faults(request).replace(rules)
    return _faults(request).describe()


@router.delete("/faults")
def clear_faults(request: Request) -> Response:
    _faults(request).replace([])
    return Response(status_code=204)


@router.post("/reset")
def reset(request: Request) -> Json:
    store = _store(request)
    with store.transaction():
        store.clear()
        if request.app.state.seed_folder:
            seed.load_folder(store, request.app.state.seed_folder)
    _faults(request).forget()
    request.app.state.postman.outcomes.clear()
    return store.counts()


@router.post("/seed")
def add_seed(request: Request, body: JsonObject) -> Json:
    store = _store(request)
    try:
        if set(body) == {"folder"}:
            seed.load_folder(store, Path(str(body["folder"])))
        else:
            seed.load_company(store, body)
    except seed.SeedError as exc:
        raise bad_request(str(exc)) from exc
    return store.counts()


@router.post("/people")
def add_person(request: Request, body: JsonObject) -> Json:
    return add_seed(request, {"people": [body]})


@router.put("/groups/{name}/members/{account_id}")
def add_member(request: Request, name: str, account_id: str) -> Response:
    _store(request).add_member(name, _actor(_store(request), account_id).account_id)
    return Response(status_code=204)


@router.delete("/groups/{name}/members/{account_id}")
def remove_member(request: Request, name: str, account_id: str) -> Response:
    _store(request).run("DELETE FROM memberships WHERE group_name = ? AND account_id = ?", name, account_id)
    return Response(status_code=204)


@router.put("/spaces/{key}/permissions")
def set_space_permissions(request: Request, key: str, body: JsonBody) -> Json:
    store = _store(request)
    if not isinstance(body, list):
        raise bad_request("expected a list of principals")
    with store.transaction():
        space = store.space(key)
        store.run("DELETE FROM space_permissions WHERE space_id = ?", space.id)
        try:
            for principal in body:
                seed.grant_space(store, key, str(principal))
        except seed.SeedError as exc:
            raise bad_request(str(exc)) from exc
        store.announce(Event("space_permissions_updated", _actor(store, None).account_id, space=space))
    return {"key": key, "permissions": body}


@router.get("/webhooks")
def list_webhooks(request: Request) -> list[Json]:
    return [
        webhooks.as_json(hook) | {"dialect": hook.dialect} for hook in webhooks.registered(_store(request))
    ]


@router.post("/webhooks")
def add_webhook(request: Request, body: JsonObject) -> Json:
    fields = {key: body[key] for key in ("url", "events", "dialect", "auth", "active") if key in body}
    if set(body) - {*fields, "name"}:
        raise bad_request(f"unknown fields {sorted(set(body) - {*fields, 'name'})}")
    fields.setdefault("url", None)
    fields.setdefault("events", None)
    return webhooks.as_json(webhooks.register(_store(request), name=str(body.get("name", "")), **fields))


@router.delete("/webhooks/{hook_id}")
def remove_webhook(request: Request, hook_id: int) -> Response:
    webhooks.remove(_store(request), hook_id)
    return Response(status_code=204)


@router.post("/pages")
def add_page(request: Request, body: JsonObject) -> Json:
    store = _store(request)
    actor = _actor(store, body.get("as"))
    parent = body.get("parent_id")
    made = contents.create(
        store, actor, type=str(body.get("type", "page")), space=store.space(str(body.get("space"))),
        title=str(body.get("title", "")), body=str(body.get("body", "")), status=str(body.get("status", "current")),
        parent_id=str(parent) if parent else None, content_id=str(body["id"]) if body.get("id") else None,
    )  # fmt: skip
    contents.add_labels(store, actor, made, [("global", str(name)) for name in body.get("labels", [])])
    return _brief(made)


@router.put("/pages/{content_id}")
def edit_page(request: Request, content_id: str, body: JsonObject) -> Json:
    store = _store(request)
    page = store.content(content_id)
    text = body.get("body")
    if body.get("append"):
        text = page.body + str(body["append"])
    actor = _actor(store, body.get("as"))
    return _brief(contents.update(store, actor, page, version=None, title=body.get("title"), body=text))


@router.post("/pages/{content_id}/{action}")
def act(request: Request, content_id: str, action: str, body: JsonObject) -> Json:
    if action not in ACTIONS:
        raise bad_request(f"unknown action {action!r}; use one of {', '.join(ACTIONS)}")
    store = _store(request)
    actor = _actor(store, body.get("as"))
    changed = ACTIONS[action](store, actor, store.content(content_id), body)
    return _brief(changed or store.find(content_id))


def _purge(store: Store, actor: Person, page: Content, body: Json) -> None:
    if page.status not in ("trashed", "draft"):
        page = contents.trash(store, actor, page)
    contents.purge(store, actor, page)


def _restrict(store: Store, actor: Person, page: Content, body: Json) -> None:
    for principal in body.get("principals", []):
        try:
            seed.check_principal(store, str(principal), f"page {page.id}")
        except seed.SeedError as exc:
            raise bad_request(str(exc)) from exc
    contents.set_restrictions(store, actor, page, body.get("operation", "read"), body.get("principals", []))


def _unlabel(store: Store, actor: Person, page: Content, body: Json) -> None:
    for name in body.get("names", []):
        contents.remove_label(store, actor, page, str(name))


def _touch(store: Store, actor: Person, page: Content, body: Json) -> None:
    """Backdate the last change, for tests of time comparisons; writes no version, tells nobody."""
    store.run("UPDATE content SET updated = ? WHERE id = ?", stamp(moment(str(body.get("updated")))), page.id)


def _comment(store: Store, actor: Person, page: Content, body: Json) -> Content:
    return contents.comment(
        store, actor, page, str(body.get("body", "")), inline=bool(body.get("inline")),
        resolved=bool(body.get("resolved")), selection=str(body.get("selection", "")),
    )  # fmt: skip


def _attach(store: Store, actor: Person, page: Content, body: Json) -> Content:
    try:
        data = (
            base64.b64decode(body["base64"], validate=True)
            if "base64" in body
            else str(body.get("text", "")).encode()
        )
    except (binascii.Error, TypeError) as exc:
        raise bad_request("base64 cannot be read") from exc
    media_type = str(body.get("media_type", "text/plain"))
    return contents.attach(store, actor, page, str(body.get("filename", "file.txt")), data, media_type)


ACTIONS: dict[str, Any] = {
    "trash": lambda s, a, p, b: contents.trash(s, a, p, keep_children=bool(b.get("keep_children"))),
    "restore": lambda s, a, p, b: contents.restore(s, a, p),
    "purge": _purge,
    "archive": lambda s, a, p, b: contents.archive(s, a, p),
    "unarchive": lambda s, a, p, b: contents.archive(s, a, p, archived=False),
    "move": lambda s, a, p, b: contents.move(
        s, a, p, b.get("position", "append"), s.content(str(b.get("target_id")))
    ),
    "restrict": _restrict,
    "label": lambda s, a, p, b: contents.add_labels(
        s, a, p, [("global", str(n)) for n in b.get("names", [])]
    ),
    "unlabel": _unlabel,
    "touch": _touch,
    "comment": _comment,
    "attach": _attach,
}


def _actor(store: Store, who: Any) -> Person:
    """Raises: Refused 400 for nobody known."""
    people = store.people()
    person = store.person(str(who)) if who else next((one for one in people if one.is_admin), None)
    if person is None:
        raise bad_request(
            f"there is nobody called {who!r}" if who else "there is no admin; say who with `as`"
        )
    return person


def _brief(content: Content | None) -> Json:
    if content is None:
        return {}
    return {"id": content.id, "title": content.title, "status": content.status, "version": content.version,
            "parent_id": content.parent_id, "type": content.type}  # fmt: skip
