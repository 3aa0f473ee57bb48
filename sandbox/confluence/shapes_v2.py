"""How Cloud's v2 API writes pages, spaces, comments, attachments and what belongs to them as JSON."""

import json
from typing import Any
from urllib.parse import quote_plus

from sandbox.confluence import shapes_v1
from sandbox.confluence.calls import Call
from sandbox.confluence.problems import bad_request
from sandbox.confluence.store import Content, Person, Space

Json = dict[str, Any]
BODY_FORMATS = (
    "storage",
    "view",
    "export_view",
    "styled_view",
    "anonymous_export_view",
    "editor",
    "atlas_doc_format",
)
ROLE_NAMES = {"viewer": ["read/space"], "collaborator": ["read/space", "create/page", "create/comment"]}


def body_format(call: Call, *, bulk: bool) -> str | None:
    """The wanted `body-format`; lists only know storage and atlas_doc_format.

    Raises: Refused 400 for an unknown one.
    """
    wanted = call.query.get("body-format")
    allowed = ("storage", "atlas_doc_format") if bulk else BODY_FORMATS
    if wanted in (None, "", "none"):
        return None
    if wanted not in allowed:
        raise bad_request(f"Invalid body-format {wanted!r}; use one of {', '.join(allowed)}")
    return wanted


def body(call: Call, c: Content, wanted: str | None) -> Json:
    if wanted is None:
        return {}
    if wanted == "atlas_doc_format":
        return {wanted: {"representation": wanted, "value": json.dumps(_adf(c))}}
    value = c.body if wanted in ("storage", "editor") else shapes_v1.view(call, c)
    return {wanted: {"representation": wanted, "value": value}}


def _adf(c: Content) -> Json:
    """A rough document: one paragraph a text run. Real ADF keeps the structure; do not test against this."""
    from sandbox.confluence.storage import plain

    words = plain(c.body)
    inner = [{"type": "paragraph", "content": [{"type": "text", "text": words}]}] if words else []
    return {"type": "doc", "version": 1, "content": inner}


def version(c: Content) -> Json:
    return {"number": c.version, "message": c.message, "minorEdit": c.minor, "authorId": c.updated_by,
            "createdAt": c.updated}  # fmt: skip


def page(call: Call, c: Content, wanted: str | None) -> Json:
    """A page or blog post; the same fields in lists and alone."""
    space = call.store.space(c.space_id)
    found: Json = {
        "id": c.id, "status": c.status, "title": c.title, "spaceId": str(c.space_id), "authorId": c.author,
        "createdAt": c.created, "version": version(c), "body": body(call, c, wanted),
        "_links": {"webui": shapes_v1.webui(call, c), "editui": f"/pages/resumedraft.action?draftId={c.id}",
                   "edituiv2": f"/spaces/{space.key}/pages/edit-v2/{c.id}", "tinyui": f"/x/{c.id}"},
    }  # fmt: skip
    if c.type == "page":
        parent = call.store.find(c.parent_id) if c.parent_id else None
        found |= {"parentId": parent.id if parent else None, "parentType": parent.type if parent else None,
                  "position": c.position, "ownerId": c.author, "lastOwnerId": None}  # fmt: skip
    return found


def tree_object(call: Call, c: Content) -> Json:
    """A folder, whiteboard or database: its title and place, no body."""
    parent = call.store.find(c.parent_id) if c.parent_id else None
    return {
        "id": c.id, "type": c.type, "status": c.status, "title": c.title, "spaceId": str(c.space_id),
        "parentId": parent.id if parent else None, "parentType": parent.type if parent else None,
        "position": c.position, "authorId": c.author, "ownerId": c.author, "createdAt": c.created,
        "version": version(c), "_links": {"webui": shapes_v1.webui(call, c), "base": call.base},
    }  # fmt: skip


def child_page(call: Call, c: Content) -> Json:
    return {
        "id": c.id,
        "status": c.status,
        "title": c.title,
        "spaceId": str(c.space_id),
        "childPosition": c.position,
    }


def direct_child(call: Call, c: Content) -> Json:
    return child_page(call, c) | {"type": c.type}


def space(call: Call, s: Space, description_format: str | None = None) -> Json:
    described: Json | None = {}
    if description_format in ("plain", "view"):
        described = {description_format: {"representation": description_format, "value": s.description}}
    return {
        "id": str(s.id), "key": s.key, "name": s.name, "type": s.type, "status": s.status, "authorId": s.author,
        "spaceOwnerId": s.author, "createdAt": s.created, "homepageId": s.homepage_id, "description": described,
        "currentActiveAlias": s.key, "_links": {"webui": f"/spaces/{s.key}"},
    }  # fmt: skip


def space_permissions(call: Call, s: Space) -> list[Json]:
    """Anonymous access is no principal here: v2 tells only of users, groups and roles."""
    found = []
    for row in call.store.rows("SELECT * FROM space_permissions WHERE space_id = ? ORDER BY id", s.id):
        kind, _, who = row["principal"].partition(":")
        if kind not in ("user", "group"):
            continue
        group = call.store.group(who) if kind == "group" else None
        found.append({"id": str(row["id"]), "principal": {"type": kind, "id": group["id"] if group else who},
                      "operation": {"key": row["operation"], "targetType": row["target"]}})  # fmt: skip
    return found


def role_assignments(call: Call, s: Space) -> list[Json]:
    """Who holds which of the two roles this server knows: `collaborator` may write, `viewer` may not."""
    writers = {
        (p["principal"]["type"], p["principal"]["id"])
        for p in space_permissions(call, s)
        if p["operation"]["key"] == "create"
    }
    holders = dict.fromkeys(
        (p["principal"]["type"], p["principal"]["id"]) for p in space_permissions(call, s)
    )
    found = [
        {"principal": {"principalType": kind.upper(), "principalId": who},
         "roleId": "collaborator" if (kind, who) in writers else "viewer"}
        for kind, who in holders
    ]  # fmt: skip
    rows = call.store.rows(
        "SELECT 1 FROM space_permissions WHERE space_id = ? AND principal = 'anonymous'", s.id
    )
    if rows:
        found.append(
            {
                "principal": {"principalType": "ACCESS_CLASS", "principalId": "anonymous-users"},
                "roleId": "viewer",
            }
        )
    return found


def space_roles() -> list[Json]:
    return [{"id": name, "type": "SYSTEM", "name": name.title(), "displayName": name.title(),
             "description": f"May {', '.join(permissions)}", "spacePermissions": permissions}
            for name, permissions in ROLE_NAMES.items()]  # fmt: skip


def comment(call: Call, c: Content, wanted: str | None) -> Json:
    holder = call.store.content(c.container_id or "")
    found: Json = {
        "id": c.id, "status": c.status, "title": c.title, "version": version(c), "body": body(call, c, wanted),
        "_links": {"webui": shapes_v1.webui(call, c)},
    }  # fmt: skip
    found["blogPostId" if holder.type == "blogpost" else "pageId"] = holder.id
    if c.extra.get("reply_to"):
        found["parentCommentId"] = c.extra["reply_to"]
    if c.extra.get("inline"):
        marker = c.extra.get("marker", "")
        found["resolutionStatus"] = c.extra.get("resolution", "open")
        found["properties"] = {"inlineMarkerRef": marker, "inlineOriginalSelection": c.extra.get("selection", ""),
                               "inline-marker-ref": marker,
                               "inline-original-selection": c.extra.get("selection", "")}  # fmt: skip
    return found


def attachment(call: Call, c: Content) -> Json:
    holder = call.store.content(c.container_id or "")
    download = shapes_v1.download_path(c)
    return {
        "id": c.id, "status": c.status, "title": c.title, "createdAt": c.created,
        "blogPostId" if holder.type == "blogpost" else "pageId": holder.id,
        "mediaType": c.extra.get("media_type", ""), "mediaTypeDescription": None, "comment": c.extra.get("comment", ""),
        "fileId": f"file-{c.id}", "fileSize": c.extra.get("file_size", 0), "webuiLink": shapes_v1.webui(call, c),
        "downloadLink": download, "version": version(c),
        "_links": {"webui": shapes_v1.webui(call, c), "download": download},
    }  # fmt: skip


def content_property(row: Any) -> Json:
    return {"id": row["id"], "key": row["key"], "value": json.loads(row["value"]),
            "version": {"number": row["version"], "message": "", "minorEdit": False, "authorId": row["author"],
                        "createdAt": row["updated"]}}  # fmt: skip


def label(row: Any) -> Json:
    return {"id": str(row["id"]), "name": row["name"], "prefix": row["prefix"]}


def person(call: Call, who: Person) -> Json:
    return {
        "displayName": who.name, "timeZone": who.time_zone, "personalSpaceId": None, "isExternalCollaborator": False,
        "accountStatus": "active", "accountId": who.account_id, "email": who.email, "accountType": "atlassian",
        "publicName": who.name,
        "profilePicture": {"path": f"/wiki/aa-avatar/{quote_plus(who.account_id)}", "isDefault": True},
    }  # fmt: skip
