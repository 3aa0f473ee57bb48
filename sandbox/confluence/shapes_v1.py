"""How the v1 API writes people, groups, spaces and content as JSON, with its `expand` trees."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

from sandbox.confluence import content as contents
from sandbox.confluence.access import may_edit, may_view, visible
from sandbox.confluence.calls import Call
from sandbox.confluence.problems import no_content
from sandbox.confluence.render import Rendering
from sandbox.confluence.store import Content, Person, Space

Tree = dict[str, Any]
Json = dict[str, Any]
INLINE_LIMIT = 200
EXPANDABLE = ("container", "metadata", "extensions", "operations", "children", "history", "ancestors", "body",
              "version", "descendants", "space", "restrictions")  # fmt: skip


def expansion(text: str | None) -> Tree:
    """`"body.storage,version"` becomes `{"body": {"storage": {}}, "version": {}}`."""
    tree: Tree = {}
    for path in (text or "").split(","):
        node = tree
        for part in filter(None, path.strip().split(".")):
            node = node.setdefault(part, {})
    return tree


def asked(call: Call) -> Tree:
    return expansion(call.query.get("expand"))


def person(call: Call, account_id: str) -> Json:
    """A Cloud user has an `accountId`, a Data Center user a `username` and a `userKey`."""
    found = call.store.person(account_id) if account_id else None
    if found is None:
        return {"type": "anonymous", "displayName": "Anonymous", "profilePicture": _picture(call, "anonymous"),
                "_links": {"base": call.base, "context": call.context}}  # fmt: skip
    return known_person(call, found)


def known_person(call: Call, who: Person) -> Json:
    shared = {"type": "known", "displayName": who.name, "profilePicture": _picture(call, who.account_id)}
    if call.is_cloud:
        return shared | {
            "accountId": who.account_id, "accountType": "atlassian", "email": who.email,
            "publicName": who.name, "isExternalCollaborator": False, "timeZone": who.time_zone,
            "_expandable": {"operations": "", "personalSpace": ""},
            "_links": {"self": f"{call.base}/rest/api/user?accountId={quote(who.account_id)}"},
        }  # fmt: skip
    return shared | {
        "username": who.username, "userKey": who.user_key, "_expandable": {"status": ""},
        "_links": {"self": f"{call.base}/rest/api/user?key={who.user_key}"},
    }  # fmt: skip


def _picture(call: Call, who: str) -> Json:
    return {"path": f"{call.context}/aa-avatar/{quote(who)}", "width": 48, "height": 48, "isDefault": True}


def group(call: Call, name: str, group_id: str) -> Json:
    links = {"self": f"{call.base}/rest/api/group/{quote(name)}"}
    if call.is_cloud:
        return {"type": "group", "name": name, "id": group_id, "managedBy": "ADMINS", "usageType": "USERBASE_GROUP",
                "_links": {"self": f"{call.base}/rest/api/group/by-id?id={group_id}"}}  # fmt: skip
    return {"type": "group", "name": name, "_links": links}


def space(call: Call, s: Space, tree: Tree) -> Json:
    reply: Json = {
        "id": s.id, "key": s.key, "name": s.name, "type": s.type, "status": s.status,
        "_expandable": {"settings": f"/rest/api/space/{s.key}/settings", "metadata": "", "operations": "",
                        "lookAndFeel": f"/rest/api/settings/lookandfeel?spaceKey={s.key}", "identifiers": "",
                        "permissions": "", "icon": "", "description": "", "theme": "", "history": "",
                        "homepage": f"/rest/api/content/{s.homepage_id}" if s.homepage_id else ""},
        "_links": {"webui": f"/spaces/{s.key}" if call.is_cloud else f"/display/{s.key}",
                   "self": f"{call.base}/rest/api/space/{s.key}"},
    }  # fmt: skip
    if call.is_cloud:
        reply["alias"] = s.key
    if "description" in tree:
        value = {"value": s.description, "representation": "plain", "embeddedContent": []}
        reply["description"] = {"plain": value, "_expandable": {"view": ""}}
    if "homepage" in tree and s.homepage_id:
        home = call.store.find(s.homepage_id)
        if home and may_view(call.store, call.person, home):
            reply["homepage"] = content(call, home, tree["homepage"])
    if "history" in tree:
        reply["history"] = {"createdDate": s.created, "createdBy": person(call, s.author)}
    if "permissions" in tree:
        reply["permissions"] = space_permissions(call, s)
    if "icon" in tree:
        reply["icon"] = _picture(call, s.key)
    for name in set(reply) & set(reply["_expandable"]):
        del reply["_expandable"][name]
    return reply


def space_permissions(call: Call, s: Space) -> list[Json]:
    """The Cloud `expand=permissions` list: one entry a principal and operation."""
    rows = call.store.rows("SELECT * FROM space_permissions WHERE space_id = ? ORDER BY id", s.id)
    return [
        {"id": row["id"], "operation": {"operation": row["operation"], "targetType": row["target"]},
         "subjects": _subjects(call, row["principal"]), "anonymousAccess": row["principal"] == "anonymous",
         "unlicensedAccess": False}
        for row in rows
    ]  # fmt: skip


def _subjects(call: Call, principal: str) -> Json:
    kind, _, who = principal.partition(":")
    if kind == "user":
        return {"user": collection([person(call, who)]), "_expandable": {"group": ""}}
    if kind == "group":
        row = call.store.group(who)
        return {
            "group": collection([group(call, who, row["id"] if row else "")]),
            "_expandable": {"user": ""},
        }
    return {}


def space_permissions_data_center(call: Call, s: Space) -> list[Json]:
    """Data Center's `/rest/api/space/KEY/permissions`: a flat list with one subject each."""
    found = []
    for entry in space_permissions(call, s):
        subject: Json = {"type": "anonymous", "displayName": "Anonymous"}
        for kind in ("user", "group"):
            if kind in entry["subjects"]:
                subject = entry["subjects"][kind]["results"][0]
        operation = {
            "targetType": entry["operation"]["targetType"],
            "operationKey": entry["operation"]["operation"],
        }
        found.append({"subject": subject, "operation": operation, "spaceKey": s.key, "spaceId": s.id})
    return found


def collection(results: list[Any], *, links: Json | None = None) -> Json:
    reply: Json = {"results": results, "start": 0, "limit": INLINE_LIMIT, "size": len(results)}
    return reply | ({"_links": links} if links else {})


def webui(call: Call, c: Content) -> str:
    """The page's address below the context path."""
    if c.type in ("comment", "attachment") and c.container_id:
        owner = call.store.find(c.container_id)
        if c.type == "attachment":
            numeric = c.id.removeprefix("att")
            preview = quote(f"/{c.container_id}/{numeric}/{c.title}", safe="")
            return f"/pages/viewpageattachments.action?pageId={c.container_id}&preview={preview}"
        return f"{webui(call, owner) if owner else ''}?focusedCommentId={c.id}"
    if not call.is_cloud:
        return f"/pages/viewpage.action?pageId={c.id}"
    key = call.store.space(c.space_id).key
    if c.type == "page":
        return f"/spaces/{quote(key)}/pages/{c.id}/{quote_plus(c.title)}"
    if c.type == "blogpost":
        return f"/spaces/{quote(key)}/blog/{c.created[:10].replace('-', '/')}/{c.id}/{quote_plus(c.title)}"
    return f"/spaces/{quote(key)}/{c.type}/{c.id}"


def download_path(c: Content) -> str:
    """Below the context path; the same in both flavours."""
    return f"/download/attachments/{c.container_id}/{quote(c.title)}?version={c.version}&api=v2"


def content(call: Call, c: Content, tree: Tree) -> Json:
    """One piece of content; `tree` says which parts to write out (see `expansion`).

    Raises: Refused 404 when ancestors are asked for and one is a draft or trashed (as Cloud does).
    """
    path = f"/rest/api/content/{c.id}"
    reply: Json = {
        "id": c.id, "type": c.type, "status": c.status, "title": c.title,
        "macroRenderedOutput": {}, "childTypes": {},
        "_expandable": dict.fromkeys(EXPANDABLE, "")
        | {"history": f"{path}/history", "children": f"{path}/child", "descendants": f"{path}/descendant",
           "restrictions": f"{path}/restriction/byOperation",
           "space": f"/rest/api/space/{call.store.space(c.space_id).key}"},
        "_links": {"webui": webui(call, c), "self": f"{call.base}{path}"},
    }  # fmt: skip
    if c.type == "page":
        reply["position"] = c.position
        reply["_links"]["tinyui"] = f"/x/{c.id}"
        reply["_links"]["edit"] = f"/pages/resumedraft.action?draftId={c.id}"
    if c.type == "attachment":
        reply["_links"]["download"] = download_path(c)
        tree = {"metadata": {}, "extensions": {}} | tree
    if c.type == "comment":
        tree = {"extensions": {}} | tree
    for name, write in PARTS.items():
        if name in tree:
            reply[name] = write(call, c, tree[name])
            reply["_expandable"].pop(name, None)
    return reply


def body(call: Call, c: Content, tree: Tree) -> Json:
    """Storage, and view or one of its kin where asked; Cloud's `atlas_doc_format` is not written here."""
    reply: Json = {"_expandable": dict.fromkeys(("editor", "atlas_doc_format", "view", "export_view", "styled_view",
                                                 "dynamic", "storage", "editor2", "anonymous_export_view"), "")}  # fmt: skip
    for name in set(tree) & {"storage", "view", "export_view", "styled_view", "anonymous_export_view"}:
        value = c.body if name == "storage" else view(call, c)
        reply[name] = {"value": value, "representation": name, "embeddedContent": [],
                       "_expandable": {"content": f"/rest/api/content/{c.id}"}}  # fmt: skip
        reply["_expandable"].pop(name)
    return reply


def view(call: Call, c: Content) -> str:
    shown = Rendering(
        call.store, c, base=call.context, may_view=lambda p: may_view(call.store, call.person, p)
    )
    return shown.html(c.body)


def version(call: Call, c: Content, tree: Tree) -> Json:
    return {
        "by": person(call, c.updated_by), "when": c.updated, "friendlyWhen": c.updated[:10], "message": c.message,
        "number": c.version, "minorEdit": c.minor, "confRev": f"confluence$content${c.id}.{c.version}",
        "contentTypeModified": False, "_expandable": {"collaborators": "", "content": ""},
        "_links": {"self": f"{call.base}/rest/api/content/{c.id}/version/{c.version}"},
    }  # fmt: skip


def ancestors(call: Call, c: Content, tree: Tree) -> list[Json]:
    if c.type in ("comment", "attachment", "blogpost"):
        return []
    chain = call.store.ancestors(c)
    if any(above.status in ("draft", "trashed") for above in chain) and c.status == "current":
        raise no_content(c.id)
    return [content(call, above, tree) for above in chain]


def metadata(call: Call, c: Content, tree: Tree) -> Json:
    reply: Json = {
        "_expandable": {"currentuser": "", "properties": "", "frontend": "", "editorHtml": "", "labels": ""}
    }
    if c.type == "attachment":
        reply |= {"mediaType": c.extra.get("media_type", ""), "comment": c.extra.get("comment", "")}
    if "labels" in tree or c.type == "attachment":
        reply["labels"] = collection(
            labels(call, c), links={"self": f"{call.base}/rest/api/content/{c.id}/label"}
        )
        reply["_expandable"].pop("labels")
    if "properties" in tree:
        rows = call.store.rows("SELECT * FROM properties WHERE content_id = ?", c.id)
        wanted = {
            row["key"]: content_property(call, row)
            for row in rows
            if not tree["properties"] or row["key"] in tree["properties"]
        }
        reply["properties"] = wanted | {"_links": {"self": f"{call.base}/rest/api/content/{c.id}/property"}}
        reply["_expandable"].pop("properties")
    return reply


def labels(call: Call, c: Content) -> list[Json]:
    return [
        {"prefix": row["prefix"], "name": row["name"], "id": str(row["id"]), "label": row["name"]}
        for row in call.store.labels(c.id)
    ]


def content_property(call: Call, row: Any) -> Json:
    return {
        "id": row["id"], "key": row["key"], "value": json.loads(row["value"]),
        "version": {"by": person(call, row["author"]), "when": row["updated"], "message": "",
                    "number": row["version"], "minorEdit": False, "contentTypeModified": False},
        "_expandable": {"content": f"/rest/api/content/{row['content_id']}"},
        "_links": {"self": f"{call.base}/rest/api/content/{row['content_id']}/property/{quote(row['key'])}"},
    }  # fmt: skip


def restrictions(call: Call, c: Content, tree: Tree) -> Json:
    reply: Json = {
        "_expandable": {},
        "_links": {"self": f"{call.base}/rest/api/content/{c.id}/restriction/byOperation"},
    }
    for operation in ("read", "update"):
        if operation in tree or not tree:
            reply[operation] = restriction(
                call, c, operation, tree.get(operation, {}).get("restrictions", {})
            )
        else:
            reply["_expandable"][operation] = f"/rest/api/content/{c.id}/restriction/byOperation/{operation}"
    return reply


def restriction(call: Call, c: Content, operation: str, tree: Tree) -> Json:
    """One operation; users and groups are written out when asked for (or when nothing particular is)."""
    held: dict[str, list[Json]] = {"user": [], "group": []}
    for principal in call.store.restrictions(c.id, operation):
        kind, _, who = principal.partition(":")
        row = call.store.group(who) if kind == "group" else None
        held[kind].append(group(call, who, row["id"]) if row else person(call, who))
    shown: Json = {kind: collection(held[kind]) for kind in held if kind in tree or not tree}
    shown["_expandable"] = {kind: "" for kind in held if kind not in shown}
    return {
        "operation": operation, "restrictions": shown,
        "_expandable": {"content": f"/rest/api/content/{c.id}"},
        "_links": {"self": f"{call.base}/rest/api/content/{c.id}/restriction/byOperation/{operation}"},
    }  # fmt: skip


def history(call: Call, c: Content, tree: Tree) -> Json:
    path = f"{call.base}/rest/api/content/{c.id}"
    reply: Json = {
        "latest": True, "createdBy": person(call, c.author), "createdDate": c.created,
        "_expandable": {"lastUpdated": "", "previousVersion": "", "contributors": "", "nextVersion": ""},
        "_links": {"self": f"{path}/history"},
    }  # fmt: skip
    if "lastUpdated" in tree:
        reply["lastUpdated"] = version(call, c, {})
        reply["_expandable"].pop("lastUpdated")
    if "contributors" in tree:
        rows = call.store.rows("SELECT DISTINCT author FROM versions WHERE content_id = ?", c.id)
        people = [person(call, row["author"]) for row in rows if row["author"]]
        keys = [who.get("accountId") or who.get("userKey") for who in people]
        reply["contributors"] = {"publishers": {"users": people, "userKeys": keys, "_links": {"self": path}}}
        reply["_expandable"].pop("contributors")
    return reply


def extensions(call: Call, c: Content, tree: Tree) -> Json:
    if c.type == "attachment":
        return {"mediaType": c.extra.get("media_type", ""), "fileSize": c.extra.get("file_size", 0),
                "comment": c.extra.get("comment", ""), "mediaTypeDescription": c.extra.get("media_type", ""),
                "fileId": f"file-{c.id}", "collectionName": f"contentId-{c.container_id}"}  # fmt: skip
    if c.type == "comment":
        place: Json = {"location": "inline" if c.extra.get("inline") else "footer",
                       "_expandable": {"resolution": ""}}  # fmt: skip
        if c.extra.get("inline"):
            place["inlineProperties"] = {"originalSelection": c.extra.get("selection", ""),
                                         "markerRef": c.extra.get("marker", "")}  # fmt: skip
            place["resolution"] = {"status": c.extra.get("resolution", "open"), "lastModifiedDate": c.updated}
            place["_expandable"] = {}
        return place
    return {"position": c.position}


def children(call: Call, c: Content, tree: Tree) -> Json:
    reply: Json = {"_expandable": {}, "_links": {"self": f"{call.base}/rest/api/content/{c.id}/child"}}
    for kind in ("page", "comment", "attachment", "folder"):
        if kind in tree:
            below = [content(call, one, tree[kind]) for one in child_contents(call, c, kind)]
            reply[kind] = collection(
                below, links={"self": f"{call.base}/rest/api/content/{c.id}/child/{kind}"}
            )
        else:
            reply["_expandable"][kind] = f"/rest/api/content/{c.id}/child/{kind}"
    return reply


def child_contents(call: Call, c: Content, kind: str) -> list[Content]:
    """Direct children the caller may see, in the order the page tree shows them."""
    if kind == "comment":
        rows = call.store.contents(
            "container_id = ? AND type = 'comment' AND status = 'current'", c.container_id or c.id
        )
        parent = c.id if c.type == "comment" else None
        return [one for one in rows if one.extra.get("reply_to") == parent]
    if kind == "attachment":
        return call.store.contents("container_id = ? AND type = 'attachment' AND status = 'current'", c.id)
    rows = call.store.contents("parent_id = ? AND type = ? AND status = 'current'", c.id, kind)
    return sorted(visible(call.store, call.person, rows), key=lambda one: one.position)


def descendants(call: Call, c: Content, tree: Tree) -> Json:
    below = visible(call.store, call.person, contents.descendants(call.store, c.id))
    reply: Json = {}
    for kind in ("page", "comment", "attachment"):
        if kind in tree:
            reply[kind] = collection([content(call, one, tree[kind]) for one in below if one.type == kind])
    return reply


def container(call: Call, c: Content, tree: Tree) -> Json:
    if c.container_id:
        return content(call, call.store.content(c.container_id), tree)
    return space(call, call.store.space(c.space_id), tree)


def operations(call: Call, c: Content, tree: Tree) -> list[Json]:
    names = ["read"] + (["update", "delete"] if may_edit(call.store, call.person, c) else [])
    return [{"operation": name, "targetType": c.type} for name in names]


PARTS: dict[str, Callable[[Call, Content, Tree], Any]] = {
    "body": body, "version": version, "ancestors": ancestors, "metadata": metadata,
    "restrictions": restrictions, "history": history, "extensions": extensions, "children": children,
    "descendants": descendants, "container": container, "operations": operations,
    "space": lambda call, c, tree: space(call, call.store.space(c.space_id), tree),
}  # fmt: skip
