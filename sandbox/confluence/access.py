"""Who is asking and what that account may see and do; every other file asks here."""

import base64
import binascii
from collections.abc import Iterable

from sandbox.confluence.problems import Refused, forbidden, no_content, no_space
from sandbox.confluence.store import Content, Person, Space, Store

ANONYMOUS = Person(account_id="", username="", name="Anonymous", email="")


def identify(store: Store, authorization: str | None) -> Person:
    """The account behind an `Authorization` header; no header is the anonymous visitor.

    Basic takes email or username with the API token or the password; Bearer takes the token (a PAT).

    Raises: Refused 401 for wrong or unreadable credentials.
    """
    if not authorization:
        return ANONYMOUS
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        token = credentials.strip()
        row = store.row("SELECT account_id FROM people WHERE token = ? AND token <> ''", token)
        person = store.person(row["account_id"]) if row else None
    elif scheme.lower() == "basic":
        person = _basic(store, credentials)
    else:
        person = None
    if person is None:
        raise Refused(
            401,
            "Basic authentication with passwords is deprecated or the credentials are wrong",
            headers={"WWW-Authenticate": 'Basic realm="protected-area"'},
        )
    return person


def _basic(store: Store, credentials: str) -> Person | None:
    try:
        login, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    person = store.person(login)
    return person if person and secret and secret in (person.token, person.password) else None


def principals(store: Store, person: Person) -> set[str]:
    """Everything a permission may be granted to that covers this account."""
    if not person.account_id:
        return {"anonymous"}
    groups = {f"group:{name}" for name in store.groups_of(person.account_id)}
    return {"anonymous", f"user:{person.account_id}"} | groups


def may_in_space(store: Store, person: Person, space_id: int, operation: str, target: str) -> bool:
    if person.sees_all:
        return True
    rows = store.rows(
        "SELECT principal FROM space_permissions WHERE space_id = ? AND operation = ? AND target = ?",
        space_id, operation, target,
    )  # fmt: skip
    return not principals(store, person).isdisjoint(row["principal"] for row in rows)


def may_view_space(store: Store, person: Person, space: Space) -> bool:
    return may_in_space(store, person, space.id, "read", "space")


def may_view(store: Store, person: Person, content: Content) -> bool:
    """The space lets them in, and so does the read restriction of the page and of every ancestor.

    An account that `sees_all` passes every door, as Data Center's administrators do; Cloud has none such.
    """
    if person.sees_all:
        return True
    if not may_in_space(store, person, content.space_id, "read", "space"):
        return False
    if content.status == "draft" and content.author != person.account_id:
        return False
    mine = principals(store, person)
    return all(
        passes(store.restrictions(door.id, "read"), mine) for door in [*store.ancestors(content), content]
    )


def may_edit(store: Store, person: Person, content: Content) -> bool:
    target = (
        "page" if content.type in ("page", "blogpost", "folder", "whiteboard", "database") else content.type
    )
    if not may_view(store, person, content):
        return False
    if person.sees_all:
        return True
    mine = principals(store, person)
    doors = [*store.ancestors(content)[-1:], content] if content.type != "page" else [content]
    return may_in_space(store, person, content.space_id, "create", target) and all(
        passes(store.restrictions(door.id, "update"), mine) for door in doors
    )


def passes(restricted_to: Iterable[str], mine: set[str]) -> bool:
    allowed = set(restricted_to)
    return not allowed or not allowed.isdisjoint(mine)


def visible(store: Store, person: Person, contents: Iterable[Content]) -> list[Content]:
    return [content for content in contents if may_view(store, person, content)]


def viewable_space(store: Store, person: Person, key_or_id: str | int) -> Space:
    """Raises: Refused 404, the same whether the space is missing or closed."""
    space = store.space(key_or_id)
    if not may_view_space(store, person, space):
        raise no_space(str(key_or_id))
    return space


def viewable(store: Store, person: Person, content_id: str) -> Content:
    """Raises: Refused 404, the same whether the content is missing or closed."""
    content = store.find(content_id)
    if content is None or not may_view(store, person, content):
        raise no_content(content_id)
    return content


def editable(store: Store, person: Person, content_id: str) -> Content:
    """Raises: Refused 404 when it may not be viewed, 403 when it may be viewed but not changed."""
    content = viewable(store, person, content_id)
    if not may_edit(store, person, content):
        raise forbidden(f"edit content with id {content_id}")
    return content


def require_admin(person: Person, what: str) -> None:
    if not person.is_admin:
        raise forbidden(what)
