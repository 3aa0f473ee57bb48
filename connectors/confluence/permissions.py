"""Who may read what on a Confluence site: spaces' permissions, pages' restrictions, groups and their members.

Principals are written `user:<id>`, `group:<name>` and `anyone`. What cannot be known raises; nothing is guessed open.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from connectors.confluence.client import ConfluenceClient
from connectors.confluence.facts import SpaceFacts, UserFacts
from connectors.confluence.listings import items
from connectors.confluence.parse_facts import readers, user_facts
from core.access import ANYONE
from core.errors import BadInput, Denied, NotFound

Json = dict[str, Any]
READ_KEYS = frozenset({"read", "view", "viewspace"})
N_LISTED = 200


@dataclass(frozen=True, slots=True)
class Readers:
    """Who passes a door, and the users it names."""

    principals: tuple[str, ...]
    people: tuple[UserFacts, ...] = ()


def space_readers(client: ConfluenceClient, space: SpaceFacts) -> Readers:
    """Who may view a space.

    Raises:
        Denied: the account may not see the permissions: it must administer the space (or the site).
    """
    what = f"permissions of space {space.key}"
    if client.is_cloud:
        try:
            return _expanded(client, space.key, what)
        except (NotFound, BadInput, Denied):
            return _by_v2(client, space.id, what)
    try:
        found = client.get(f"rest/api/space/{quote(space.key)}/permissions", what=what)
    except (NotFound, BadInput):
        return _expanded(client, space.key, what)
    entries = found.get("results") if isinstance(found, dict) else found
    if not isinstance(entries, list):
        raise Denied(f"Confluence does not show the {what}: make the service account a space admin")
    return _flat(entries)


def page_readers(client: ConfluenceClient, page_id: str) -> Readers | None:
    """Who may view one page by its own restriction; None when it has none. Raises NotFound when it is gone."""
    path = f"rest/api/content/{page_id}/restriction/byOperation/read"
    found = client.get(
        path, {"expand": "restrictions.user,restrictions.group"}, what=f"restrictions of page {page_id}"
    )
    users: dict[str, UserFacts] = {}
    try:
        principals = readers({"restrictions": {"read": found}}, users)
    except (KeyError, TypeError, AttributeError) as exc:
        raise Denied(f"Confluence does not show the restrictions of page {page_id}") from exc
    return None if principals is None else Readers(principals, tuple(users.values()))


def group_ids(client: ConfluenceClient) -> dict[str, str]:
    """Ids of the groups by name; on Data Center a group's name is its id."""
    found = items(client, "rest/api/group", what="groups", limit=N_LISTED, to_the_end=True)
    return {str(one["name"]): str(one.get("id") or one["name"]) for one in found if one.get("name")}


def group_members(client: ConfluenceClient, name: str, group_id: str) -> tuple[UserFacts, ...]:
    """All members of a group. Raises NotFound when there is no such group, Unavailable when the listing broke off."""
    path = (
        f"rest/api/group/{quote(group_id, safe='')}/membersByGroupId"
        if client.is_cloud
        else f"rest/api/group/{quote(name, safe='')}/member"
    )
    found = items(client, path, what=f"members of group {name}", limit=N_LISTED, to_the_end=True)
    return tuple(user for user in map(user_facts, found) if user is not None)


def _expanded(client: ConfluenceClient, key: str, what: str) -> Readers:
    """By `expand=permissions`, which also tells about anonymous visitors."""
    found = client.get(f"rest/api/space/{quote(key)}", {"expand": "permissions"}, what=what)
    entries = found.get("permissions") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise Denied(f"Confluence does not show the {what}: make the service account a space admin")
    principals: set[str] = set()
    people: dict[str, UserFacts] = {}
    for entry in filter(_reads_space, _dicts(entries)):
        if entry.get("anonymousAccess") is True:
            principals.add(ANYONE)
        subjects = entry.get("subjects")
        subjects = subjects if isinstance(subjects, dict) else {}
        for kind in ("user", "group"):
            listed = subjects.get(kind)
            for one in _dicts(listed.get("results") if isinstance(listed, dict) else None):
                _add(kind, one, principals, people)
    return Readers(tuple(sorted(principals)), tuple(people.values()))


def _flat(entries: Iterable[object]) -> Readers:
    """Data Center's own list: one subject an entry."""
    principals: set[str] = set()
    people: dict[str, UserFacts] = {}
    for entry in filter(_reads_space, _dicts(list(entries))):
        subject = entry.get("subject")
        if not isinstance(subject, dict):
            continue
        if subject.get("type") == "anonymous":
            principals.add(ANYONE)
        else:
            _add("group" if subject.get("type") == "group" else "user", subject, principals, people)
    return Readers(tuple(sorted(principals)), tuple(people.values()))


def _by_v2(client: ConfluenceClient, space_id: str, what: str) -> Readers:
    """By Cloud's v2 call, which names groups by id and does not tell about anonymous visitors: closed to them."""
    found = items(client, f"api/v2/spaces/{quote(space_id)}/permissions", what=what, limit=N_LISTED)
    names = {group_id: name for name, group_id in group_ids(client).items()}
    principals: set[str] = set()
    for entry in filter(_reads_space, found):
        principal = entry.get("principal")
        principal = principal if isinstance(principal, dict) else {}
        who = str(principal.get("id") or "")
        if principal.get("type") == "group" and who in names:
            principals.add(f"group:{names[who]}")
        elif principal.get("type") == "user" and who:
            principals.add(f"user:{who}")
    return Readers(tuple(sorted(principals)))


def _add(kind: str, one: Json, principals: set[str], people: dict[str, UserFacts]) -> None:
    if kind == "group":
        if one.get("name"):
            principals.add(f"group:{one['name']}")
        return
    user = user_facts(one)
    if user is not None:
        principals.add(f"user:{user.id}")
        people[user.id] = user


def _reads_space(entry: Json) -> bool:
    operation = entry.get("operation")
    operation = operation if isinstance(operation, dict) else {}
    key = operation.get("operation") or operation.get("operationKey") or operation.get("key")
    return str(key).lower() in READ_KEYS and operation.get("targetType") == "space"


def _dicts(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
