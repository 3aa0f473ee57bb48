"""The JSON of Confluence's v1 API as facts; tolerant of what is missing, since every version leaves out something.

Knows neither how the JSON was fetched nor what becomes of the facts.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.confluence.facts import (
    RECORDING_PROPERTY,
    Ancestor,
    AttachmentFacts,
    CommentFacts,
    PageDoor,
    PageFacts,
    SpaceFacts,
    UserFacts,
)
from core.errors import BadInput

Json = Mapping[str, Any]


def page_facts(found: Json, base_url: str, *, has_ancestors: bool = True) -> PageFacts:
    """A page or blog post, expanded as `reading` asks for it.

    Args:
        has_ancestors: False when they were not asked for: the doors are unknown then.

    Raises:
        BadInput: it has no id or no type.
    """
    content_id, kind = _identity(found)
    ancestors = _dicts(found.get("ancestors"))
    body_format, storage = _body(found)
    users: dict[str, UserFacts] = {}
    doors = _doors([*ancestors, found], users) if has_ancestors and "ancestors" in found else None
    properties = _map(_map(found.get("metadata")).get("properties"))
    return PageFacts(
        id=content_id,
        kind=kind,
        title=_text(found.get("title")) or "(untitled)",
        space_key=_text(_map(found.get("space")).get("key")),
        version=_number(_map(found.get("version")).get("number")),
        status=_text(found.get("status")) or "current",
        url=web_url(found, base_url),
        ancestors=tuple(Ancestor(_text(one.get("id")), _text(one.get("title"))) for one in ancestors),
        labels=_labels(found),
        author=_name(_map(found.get("history")).get("createdBy")),
        editor=_name(_map(found.get("version")).get("by")),
        created_at=moment(_map(found.get("history")).get("createdDate")),
        updated_at=moment(_map(found.get("version")).get("when")),
        storage=storage,
        body_format=body_format,
        doors=doors,
        people=tuple(users.values()),
        is_by_imp=RECORDING_PROPERTY in properties,
    )


def attachment_facts(found: Json, base_url: str, page_id: str | None = None) -> AttachmentFacts:
    """A file of a page. Raises BadInput as `page_facts`, also when it is not said whose it is."""
    content_id, _ = _identity(found)
    owner = page_id or _text(_map(found.get("container")).get("id"))
    if not owner:
        raise BadInput(f"attachment {content_id} does not say which page it belongs to")
    extensions = _map(found.get("extensions"))
    media_type = extensions.get("mediaType") or _map(found.get("metadata")).get("mediaType")
    return AttachmentFacts(
        id=content_id,
        page_id=owner,
        file_name=_text(found.get("title")) or content_id,
        media_type=_text(media_type),
        size_bytes=_number(extensions.get("fileSize")),
        version=_number(_map(found.get("version")).get("number")),
        status=_text(found.get("status")) or "current",
        url=web_url(found, base_url),
        download_path=_text(_map(found.get("_links")).get("download")),
        author=_name(_map(found.get("history")).get("createdBy"))
        or _name(_map(found.get("version")).get("by")),
        created_at=moment(_map(found.get("history")).get("createdDate")),
        updated_at=moment(_map(found.get("version")).get("when")),
    )


def comment_facts(found: Json, page_id: str | None = None) -> CommentFacts:
    """A comment. Raises BadInput as `attachment_facts`."""
    content_id, _ = _identity(found)
    owner = page_id or _text(_map(found.get("container")).get("id"))
    if not owner:
        raise BadInput(f"comment {content_id} does not say which page it belongs to")
    extensions = _map(found.get("extensions"))
    resolution = extensions.get("resolution")
    state = resolution if isinstance(resolution, str) else _map(resolution).get("status")
    above = _dicts(found.get("ancestors"))
    return CommentFacts(
        id=content_id,
        page_id=owner,
        version=_number(_map(found.get("version")).get("number")),
        status=_text(found.get("status")) or "current",
        storage=_body(found)[1] or "",
        author=_name(_map(found.get("history")).get("createdBy")),
        created_at=moment(_map(found.get("history")).get("createdDate")),
        updated_at=moment(_map(found.get("version")).get("when")),
        is_inline=extensions.get("location") == "inline",
        is_resolved=_text(state) in ("resolved", "dangling"),
        quote=_text(_map(extensions.get("inlineProperties")).get("originalSelection")),
        parent_id=_text(above[-1].get("id")) if above else None,
    )


def space_facts(found: Json) -> SpaceFacts:
    return SpaceFacts(
        id=_text(found.get("id")),
        key=_text(found.get("key")),
        name=_text(found.get("name")),
        kind=_text(found.get("type")) or "global",
        status=_text(found.get("status")) or "current",
        labels=_labels(found),
    )


def user_facts(found: Json) -> UserFacts | None:
    """A user; None for the anonymous one. Data Center users are known by their key, older ones by name only."""
    user_id = found.get("accountId") or found.get("userKey") or found.get("username")
    if not user_id:
        return None
    email = _text(found.get("email")).strip().lower()
    return UserFacts(
        id=_text(user_id),
        name=_text(found.get("displayName") or found.get("publicName")) or _text(user_id),
        email=email if "@" in email else None,
        username=_text(found.get("username")) or None,
    )


def readers(found: Json, users: dict[str, UserFacts]) -> tuple[str, ...] | None:
    """Who may read one restricted content; None when it is not restricted. Adds to `users` whom it names.

    Raises:
        KeyError: the restrictions were not expanded, so that nothing is known.
    """
    restrictions = found["restrictions"]["read"]["restrictions"]
    principals: list[str] = []
    is_restricted = False
    for kind in ("user", "group"):
        members = restrictions[kind]
        named = _dicts(members.get("results"))
        is_restricted = is_restricted or bool(named) or _number(members.get("size")) > 0
        if kind == "group":
            principals += [f"group:{one['name']}" for one in named if one.get("name")]
            continue
        for user in filter(None, map(user_facts, named)):
            users[user.id] = user
            principals.append(f"user:{user.id}")
    return tuple(sorted(principals)) if is_restricted else None


def moment(value: object) -> datetime | None:
    """A time as Confluence writes it, in UTC; None when it cannot be read."""
    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def web_url(found: Json, base_url: str) -> str:
    """Where people open it."""
    path = _text(_map(found.get("_links")).get("webui"))
    return (
        f"{base_url}/{path.lstrip('/')}"
        if path
        else f"{base_url}/pages/viewpage.action?pageId={found.get('id')}"
    )


def _doors(chain: Iterable[Json], users: dict[str, UserFacts]) -> tuple[PageDoor, ...] | None:
    """Every restricted page of the chain; None (unknown) as soon as one of them does not say."""
    found = []
    for one in chain:
        try:
            principals = readers(one, users)
        except (KeyError, TypeError, AttributeError):
            return None
        if principals is not None:
            found.append(PageDoor(_text(one.get("id")), principals))
    return tuple(found)


def _identity(found: Json) -> tuple[str, str]:
    content_id, kind = found.get("id"), found.get("type")
    if not content_id or not kind:
        raise BadInput("Confluence listed something without an id or a type")
    return str(content_id), str(kind)


def _body(found: Json) -> tuple[str, str | None]:
    body = _map(found.get("body"))
    for name in ("storage", "view"):
        value = _map(body.get(name)).get("value")
        if isinstance(value, str):
            return name, value
    return "storage", None


def _labels(found: Json) -> tuple[str, ...]:
    listed = _dicts(_map(_map(found.get("metadata")).get("labels")).get("results"))
    return tuple(sorted(_text(one.get("name")) for one in listed if one.get("name")))


def _name(user: object) -> str | None:
    found = _map(user)
    name = found.get("displayName") or found.get("publicName") or found.get("username")
    return _text(name) or None


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _dicts(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return "" if value is None else str(value).replace("\x00", "")


def _number(value: object) -> int:
    try:
        return int(value)  # type: ignore[call-overload,no-any-return]
    except (TypeError, ValueError):
        return 0
