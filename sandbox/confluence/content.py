"""What may happen to content: create, edit, move, archive, trash, restore, purge, comment, attach, restrict.

Every change writes a version where the real server does and announces the webhook event; permissions
have been checked by the caller.
"""

import json
import secrets
from dataclasses import replace
from typing import Any

from sandbox.confluence.problems import Refused, bad_request, no_content
from sandbox.confluence.store import Content, Event, Person, Space, Store, now

TREE_TYPES = ("page", "folder", "whiteboard", "database")
EVENT_NOUNS = {"page": "page", "blogpost": "blog", "comment": "comment", "attachment": "attachment"}
MAX_BODY_CHARS = 5_000_000
MAX_TITLE_CHARS = 255


def create(
    store: Store,
    actor: Person,
    *,
    type: str,
    space: Space,
    title: str,
    body: str = "",
    parent_id: str | None = None,
    container_id: str | None = None,
    status: str = "current",
    message: str = "",
    extra: dict[str, Any] | None = None,
    content_id: str | None = None,
    created: str | None = None,
    updated: str | None = None,
    quiet: bool = False,
) -> Content:
    """Add content; a page without a parent hangs below nothing, as a second root of its space.

    Raises: Refused 400 for an empty, overlong or taken title, an oversized body or a bad parent.
    """
    with store.transaction():
        _check_title(store, type, space.id, title, status, besides=None)
        _check_body(body)
        if parent_id is not None:
            _check_parent(store, parent_id, space.id)
        number = store.next_id() if content_id is None else 0
        content = Content(
            id=content_id or (f"att{number}" if type == "attachment" else str(number)),
            type=type, status=status, title=title, space_id=space.id, parent_id=parent_id,
            container_id=container_id, position=_next_position(store, space.id, parent_id),
            author=actor.account_id, created=created or now(), updated=updated or created or now(),
            updated_by=actor.account_id, version=1, message=message, minor=False, body=body,
            extra=extra or {},
        )  # fmt: skip
        if store.find(content.id):
            raise bad_request(f"content id {content.id} is taken")
        _save(store, content)
        _save_version(store, content)
        if not quiet and status != "draft":
            _announce(store, content, "created", actor)
        return content


def update(
    store: Store,
    actor: Person,
    content: Content,
    *,
    version: int | None,
    title: str | None = None,
    body: str | None = None,
    status: str | None = None,
    message: str = "",
    minor: bool = False,
    extra: dict[str, Any] | None = None,
    space: Space | None = None,
    parent_id: str | None = None,
) -> Content:
    """Write the next version. `version` is the new number as the caller sees it (None: whatever is next).

    Raises: Refused 409 when somebody else wrote first, 400 for bad values.
    """
    with store.transaction():
        content = store.content(content.id)  # under the lock: the version compared is the one replaced
        publishing = content.status == "draft" and status == "current"
        if status not in (None, "current", "draft", content.status):
            raise bad_request(f"an update cannot make content {status}")
        expected = content.version if publishing or content.status == "draft" else content.version + 1
        if version is not None and version not in {expected, content.version + 1}:
            raise Refused(
                409,
                f"Version must be incremented when updating an existing piece of content. Current Version: "
                f"[{content.version}]. Provided version: [{version}]",
            )
        new = replace(
            content,
            title=content.title if title is None else title,
            body=content.body if body is None else body,
            status=status or content.status,
            version=expected,
            updated=now(),
            updated_by=actor.account_id,
            message=message,
            minor=minor,
            extra={**content.extra, **(extra or {})},
        )
        if new.status == "current" or not isinstance(new.title, str):
            _check_title(store, new.type, new.space_id, new.title, new.status, besides=new.id)
        _check_body(new.body)
        _save(store, new)
        _save_version(store, new)
        if parent_id is not None and parent_id != content.parent_id:
            new = move(store, actor, new, "append", store.content(parent_id))
        elif space is not None and space.id != content.space_id:
            new = move_to_space_root(store, actor, new, space)
        if publishing:
            _announce(store, new, "created", actor)
        elif content.status == "trashed" and new.status == "current":
            _announce(store, new, "restored", actor)
        elif new.status != "draft":
            _announce(store, new, "updated", actor)
        return new


def restore(store: Store, actor: Person, content: Content, version: int | None = None) -> Content:
    """Bring trashed content back under the parent it had, or to the root if that is gone."""
    if content.status != "trashed":
        raise bad_request(f"content {content.id} is not in the trash")
    parent = store.find(content.parent_id) if content.parent_id else None
    if content.parent_id and (parent is None or parent.status != "current"):
        store.run("UPDATE content SET parent_id = NULL WHERE id = ?", content.id)
    return update(store, actor, content, version=version, status="current")


def trash(store: Store, actor: Person, content: Content, *, keep_children: bool = False) -> Content:
    """Move to the trash; children go up to the grandparent, as on the real server.

    `keep_children=True` leaves them below the trashed page: the state that makes real sites answer 404
    for a page with a trashed ancestor.
    """
    if content.status == "trashed":
        raise no_content(content.id)
    with store.transaction():
        if not keep_children:
            store.run(
                "UPDATE content SET parent_id = ? WHERE parent_id = ? AND status <> 'trashed'",
                content.parent_id, content.id,
            )  # fmt: skip
        new = replace(content, status="trashed")
        _save(store, new)
        _announce(store, new, "trashed", actor)
        return new


def purge(store: Store, actor: Person, content: Content) -> None:
    """Remove for good, with versions, labels, properties, restrictions, comments and attachments.

    Raises: Refused 409 unless it lies in the trash or is a draft.
    """
    if content.status not in ("trashed", "draft"):
        raise Refused(409, f"content {content.id} must be trashed before it can be purged")
    with store.transaction():
        for below in store.contents("container_id = ?", content.id):
            _remove_rows(store, below.id)
        store.run("UPDATE content SET parent_id = ? WHERE parent_id = ?", content.parent_id, content.id)
        _remove_rows(store, content.id)
        _announce(store, content, "removed", actor)


def remove_now(store: Store, actor: Person, content: Content) -> None:
    """Comments and attachments on Data Center skip the trash."""
    with store.transaction():
        for below in store.contents("container_id = ? OR parent_id = ?", content.id, content.id):
            _remove_rows(store, below.id)
        _remove_rows(store, content.id)
        _announce(store, content, "removed", actor)


def archive(store: Store, actor: Person, content: Content, *, archived: bool = True) -> Content:
    """Archive one page (its children stay where they are) or bring it back."""
    with store.transaction():
        new = replace(content, status="archived" if archived else "current")
        _save(store, new)
        _announce(store, new, "archived" if archived else "unarchived", actor)
        return new


def move(store: Store, actor: Person, content: Content, position: str, target: Content) -> Content:
    """Put a page `append` (below), `before`/`above` or `after`/`below` the target, with its subtree.

    Raises: Refused 400 for an unknown position or a move below itself.
    """
    if position not in ("append", "before", "above", "after", "below"):
        raise bad_request(f"unknown position {position!r}; use append, before or after")
    if content.id in [page.id for page in [*store.ancestors(target), target]]:
        raise bad_request("a page cannot be moved below itself")
    with store.transaction():
        parent_id = target.id if position == "append" else target.parent_id
        if position == "append":
            place = _next_position(store, target.space_id, parent_id)
        else:
            place = target.position + (0 if position in ("before", "above") else 1)
            store.run(
                "UPDATE content SET position = position + 1 WHERE parent_id IS ? AND space_id = ? "
                "AND position >= ? AND id <> ?", parent_id, target.space_id, place, content.id,
            )  # fmt: skip
        return _place(store, actor, content, target.space_id, parent_id, place)


def move_to_space_root(store: Store, actor: Person, content: Content, space: Space) -> Content:
    with store.transaction():
        place = _next_position(store, space.id, None)
        return _place(store, actor, content, space.id, None, place)


def _place(
    store: Store, actor: Person, content: Content, space_id: int, parent_id: str | None, place: int
) -> Content:
    old_parent, old_space = content.parent_id, content.space_id
    new = replace(content, space_id=space_id, parent_id=parent_id, position=place)
    _save(store, new)
    if old_space != space_id:
        for below in descendants(store, content.id):
            store.run("UPDATE content SET space_id = ? WHERE id = ?", space_id, below.id)
    old_key = store.space(old_space).key
    _announce(store, new, "moved", actor, old_parent_id=old_parent, old_space_key=old_key)
    return new


def descendants(store: Store, content_id: str) -> list[Content]:
    """All below, pages with their comments and attachments, any depth."""
    found: list[Content] = []
    level = [content_id]
    while level:
        marks = ",".join("?" * len(level))
        below = store.contents(f"parent_id IN ({marks}) OR container_id IN ({marks})", *level, *level)
        below = [content for content in below if content.id not in {known.id for known in found}]
        found += below
        level = [content.id for content in below]
    return found


def comment(
    store: Store,
    actor: Person,
    page: Content,
    body: str,
    *,
    inline: bool = False,
    resolved: bool = False,
    selection: str = "",
    reply_to: str | None = None,
    created: str | None = None,
    quiet: bool = False,
) -> Content:
    """Add a footer or inline comment, or a reply to one (`reply_to` is the parent comment's id)."""
    if reply_to is not None and store.content(reply_to).type != "comment":
        raise bad_request(f"{reply_to} is not a comment")
    extra = {
        "inline": inline,
        "resolution": "resolved" if resolved else "open",
        "selection": selection,
        "marker": secrets.token_hex(8) if inline else "",
        "reply_to": reply_to,
    }
    return create(
        store, actor, type="comment", space=store.space(page.space_id), title=f"Re: {page.title}",
        body=body, container_id=page.id, extra=extra, created=created, quiet=quiet,
    )  # fmt: skip


def attach(
    store: Store,
    actor: Person,
    page: Content,
    filename: str,
    data: bytes,
    media_type: str,
    *,
    note: str = "",
    created: str | None = None,
    content_id: str | None = None,
    quiet: bool = False,
) -> Content:
    """Add a file to a page, or a new version of the attachment with that id.

    Raises: Refused 400 when a file of that name is there already.
    """
    extra = {"media_type": media_type, "file_size": len(data), "comment": note}
    with store.transaction():
        if content_id is not None:
            old = store.content(content_id)
            new = update(store, actor, old, version=None, title=filename or None, extra=extra, message=note)
        else:
            taken = "container_id = ? AND type = 'attachment' AND title = ? AND status = 'current'"
            if store.contents(taken, page.id, filename):
                raise bad_request(
                    "Cannot add a new attachment with same file name as an existing attachment: " + filename
                )
            new = create(
                store, actor, type="attachment", space=store.space(page.space_id), title=filename,
                container_id=page.id, extra=extra, created=created, message=note, quiet=quiet,
            )  # fmt: skip
        store.run(
            "UPDATE versions SET data = ? WHERE content_id = ? AND number = ?", data, new.id, new.version
        )
        return new


def attachment_bytes(store: Store, attachment: Content, version: int | None = None) -> bytes:
    """Raises: Refused 404 for a version that is not there."""
    row = store.row(
        "SELECT data FROM versions WHERE content_id = ? AND number = ?",
        attachment.id, version or attachment.version,
    )  # fmt: skip
    if row is None or row["data"] is None:
        raise no_content(attachment.id)
    return bytes(row["data"])


def past_version(store: Store, c: Content, wanted: int) -> Content:
    """The content as it was; raises Refused 404 for a version that never was."""
    row = store.row("SELECT * FROM versions WHERE content_id = ? AND number = ?", c.id, wanted)
    if row is None:
        raise no_content(c.id)
    return replace(
        c, version=row["number"], title=row["title"], body=row["body"], updated=row["created"],
        updated_by=row["author"], message=row["message"] or "", minor=bool(row["minor"]),
        status=c.status if row["number"] == c.version else "historical",
    )  # fmt: skip


def set_restrictions(
    store: Store, actor: Person, content: Content, operation: str, principals: list[str]
) -> None:
    """Replace who may `read` or `update` the page; an empty list lifts the restriction."""
    if operation not in ("read", "update"):
        raise bad_request(f"unknown operation {operation!r}; use read or update")
    with store.transaction():
        store.run("DELETE FROM restrictions WHERE content_id = ? AND operation = ?", content.id, operation)
        for principal in sorted(set(principals)):
            store.run("INSERT INTO restrictions VALUES (?, ?, ?)", content.id, operation, principal)
        store.announce(Event("content_permissions_updated", actor.account_id, content))


def add_labels(store: Store, actor: Person, content: Content, labels: list[tuple[str, str]]) -> None:
    """Add `(prefix, name)` pairs; those already there stay as they are."""
    with store.transaction():
        for prefix, name in labels:
            if not name or len(name) > 255 or any(mark in name for mark in ":;,. ?&[]()#^*@!"):
                raise bad_request(f"invalid label {name!r}")
            store.run("INSERT OR IGNORE INTO label_ids (prefix, name) VALUES (?, ?)", prefix, name.lower())
            added = store.run(
                "INSERT OR IGNORE INTO labels VALUES (?, ?, ?)", content.id, prefix, name.lower()
            )
            if added:
                store.announce(
                    Event("label_added", actor.account_id, content, details={"label": name.lower()})
                )


def remove_label(store: Store, actor: Person, content: Content, name: str) -> None:
    with store.transaction():
        if store.run("DELETE FROM labels WHERE content_id = ? AND name = ?", content.id, name):
            store.announce(Event("label_removed", actor.account_id, content, details={"label": name}))


def _check_title(
    store: Store, type: str, space_id: int, title: str, status: str, *, besides: str | None
) -> None:
    if not isinstance(title, str):
        raise bad_request("title must be a string")
    if type not in (*TREE_TYPES, "blogpost"):
        return
    if not title.strip() and status != "draft":
        raise bad_request("Title is required and may not be empty")
    if len(title) > MAX_TITLE_CHARS:
        raise bad_request(f"Title cannot be longer than {MAX_TITLE_CHARS} characters")
    taken = store.row(
        "SELECT id FROM content WHERE type = ? AND space_id = ? AND lower(title) = lower(?) "
        "AND status IN ('current', 'archived') AND id IS NOT ?", type, space_id, title, besides,
    )  # fmt: skip
    if taken and status == "current" and type in ("page", "blogpost"):
        raise bad_request(
            f"A page with this title already exists: A page already exists with the same TITLE in this "
            f"space: {title}"
        )


def _check_body(body: str) -> None:
    if not isinstance(body, str):
        raise bad_request("body must be a string")
    if len(body) > MAX_BODY_CHARS:
        raise Refused(413, f"the body is longer than {MAX_BODY_CHARS} characters")


def _check_parent(store: Store, parent_id: str, space_id: int) -> None:
    parent = store.find(parent_id)
    if parent is None or parent.type not in TREE_TYPES or parent.space_id != space_id:
        raise bad_request(f"The parent with id {parent_id} does not exist in this space")


def _next_position(store: Store, space_id: int, parent_id: str | None) -> int:
    row = store.row(
        "SELECT max(position) AS top FROM content WHERE parent_id IS ? AND space_id = ?", parent_id, space_id
    )
    return (row["top"] if row and row["top"] is not None else -1) + 1


def _save(store: Store, c: Content) -> None:
    store.run(
        "INSERT OR REPLACE INTO content VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        c.id, c.type, c.status, c.title, c.space_id, c.parent_id, c.container_id, c.position, c.author,
        c.created, c.updated, c.updated_by, c.version, c.message, int(c.minor), c.body,
        json.dumps(dict(c.extra)),
    )  # fmt: skip


def _save_version(store: Store, c: Content) -> None:
    store.run(
        "INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        c.id, c.version, c.title, c.body, c.updated_by, c.updated, c.message, int(c.minor),
    )  # fmt: skip


def _remove_rows(store: Store, content_id: str) -> None:
    store.run("DELETE FROM content WHERE id = ?", content_id)
    for table in ("versions", "labels", "properties", "restrictions"):
        store.run(f"DELETE FROM {table} WHERE content_id = ?", content_id)


def _announce(store: Store, content: Content, what: str, actor: Person, **details: Any) -> None:
    noun = EVENT_NOUNS.get(content.type)
    if noun:
        store.announce(Event(f"{noun}_{what}", actor.account_id, content, details=details))
