"""Exactly one page per recording: found again before anything is created, updated in place.

A page is ours when its content property holds the recording's id. It is created with that property in one
call, so a crash leaves no page that could not be recognized. Knows no minutes and no table.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.confluence.client import ConfluenceClient
from connectors.confluence.facts import RECORDING_PROPERTY
from connectors.confluence.reading import quoted
from core.errors import BadInput, Conflict, NotFound

logger = logging.getLogger(__name__)

CONTENT = "rest/api/content"
EXPAND = f"body.storage,version,space,ancestors,metadata.properties.{RECORDING_PROPERTY}"
LABEL = "imp-minutes"
TRANSCRIPT_LABEL = "imp-transcript"
MAX_TITLE_CHARS = 255
N_TITLES = 20

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PublishedPage:
    """A page as the site has it now."""

    id: str
    version: int
    title: str
    storage: str
    url: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where new pages go; `parent_id` None means the top of the space."""

    space_key: str
    parent_id: str | None = None


def transcript_key(recording_key: str) -> str:
    """What the property of the transcript's own page holds."""
    return f"{recording_key}:transcript"


def find_page(
    client: ConfluenceClient, recording_key: str, place: Place, title: str, *, known_id: str | None
) -> PublishedPage | None:
    """The page of this recording, wherever it was moved and whatever it is called now.

    Looks at the page known from last time, then at labelled pages, then at pages with titles that `create`
    would have chosen (a page just created may not be in the search index yet).

    Raises:
        Conflict: people trashed or archived the page. It is theirs: nothing is written beside it or over it.
    """
    if known_id is not None:
        found = _get(client, known_id, status="any")
        if found is not None and _is_marked(found, recording_key):
            _refuse_put_away(found)
            return _page(client, found)
    cql = f"type = page and label = {quoted(_label(recording_key))}"
    listed = client.get(
        f"{CONTENT}/search", {"cql": cql, "expand": EXPAND, "limit": 25}, what="pages of minutes"
    )
    for found in listed.get("results", []):
        if _is_of(found, recording_key):
            return _page(client, found)
    for candidate in _titles(title):
        found = _by_title(client, place.space_key, candidate)
        if found is None:
            return None
        if _is_of(found, recording_key):
            return _page(client, found)
    return None


def create(
    client: ConfluenceClient,
    recording_key: str,
    place: Place,
    title: str,
    storage: str,
    labels: Sequence[str] = (LABEL,),
) -> PublishedPage:
    """A new page with these labels; a title taken by somebody else's page gets a number.

    Raises:
        Denied: the account may not create pages there.
        Conflict: another worker created the page of this recording meanwhile (find it again), or all numbered
            titles are taken.
    """
    marks = [{"prefix": "global", "name": name} for name in (*labels, _label(recording_key))]
    for candidate in _titles(title):
        if _is_taken(client, place.space_key, candidate, recording_key):
            continue
        body: Json = {
            "type": "page",
            "title": candidate,
            "space": {"key": place.space_key},
            "body": {"storage": {"value": storage, "representation": "storage"}},
            "metadata": {
                "labels": marks,
                "properties": {RECORDING_PROPERTY: {"value": {"recording": recording_key}}},
            },
        }
        if place.parent_id is not None:
            body["ancestors"] = [{"id": place.parent_id}]
        try:
            made = client.send("POST", CONTENT, body, {"expand": EXPAND}, what=f"the page {candidate!r}")
        except (BadInput, Conflict):
            if _is_taken(client, place.space_key, candidate, recording_key):
                continue  # somebody took the title since we looked
            raise
        _ensure_marks(client, str(made["id"]), recording_key, marks)
        return _page(client, {**made, "body": {"storage": {"value": storage}}})
    raise Conflict(
        f"the title {title!r} and its numbers up to ({N_TITLES}) are all taken in {place.space_key}"
    )


def update(client: ConfluenceClient, page: PublishedPage, storage: str) -> PublishedPage:
    """A new version of the page's body; its title and place stay as people have them.

    Raises:
        Conflict: somebody saved the page since it was read; read it again and merge.
    """
    body = {
        "id": page.id,
        "type": "page",
        "title": page.title,
        "version": {"number": page.version + 1, "minorEdit": True},
        "body": {"storage": {"value": storage, "representation": "storage"}},
    }
    made = client.send("PUT", f"{CONTENT}/{page.id}", body, {"expand": EXPAND}, what=f"page {page.id}")
    return _page(client, {**made, "body": {"storage": {"value": storage}}})


def comment(client: ConfluenceClient, page_id: str, storage: str) -> None:
    """A footer comment on the page, unless the same one stands there already (a run that died wrote it)."""
    path = f"{CONTENT}/{page_id}/child/comment"
    listed = client.get(path, {"expand": "body.storage", "limit": 100}, what=f"comments on page {page_id}")
    if storage in {_storage(found) for found in listed.get("results", [])}:
        return
    body = {
        "type": "comment",
        "container": {"id": page_id, "type": "page"},
        "body": {"storage": {"value": storage, "representation": "storage"}},
    }
    client.send("POST", CONTENT, body, what=f"a comment on page {page_id}")


def free_title(client: ConfluenceClient, space_key: str, title: str) -> str:
    """The title `create` would give a new page now. Raises Conflict when all numbered ones are taken."""
    for candidate in _titles(title):
        if _by_title(client, space_key, candidate) is None:
            return candidate
    raise Conflict(f"the title {title!r} and its numbers up to ({N_TITLES}) are all taken in {space_key}")


def attach(client: ConfluenceClient, page_id: str, path: Path, *, name: str) -> bool:
    """Put a file on a page under a name only its content has; False when it is there already.

    Raises:
        Denied, BadInput: the account may not, or the site takes no such file or none that large.
    """
    where, params = f"{CONTENT}/{page_id}/child/attachment", {"filename": name, "limit": 5}
    listed = client.get(where, params, what=f"files of page {page_id}")
    if any(found.get("title") == name for found in listed.get("results", [])):
        return False
    try:
        client.upload(where, path, name=name, what=f"the file {name!r} of page {page_id}")
    except BadInput:
        listed = client.get(where, params, what=f"files of page {page_id}")
        if any(found.get("title") == name for found in listed.get("results", [])):
            return False  # another worker was quicker
        raise
    return True


def resolve_parent(
    client: ConfluenceClient,
    space_key: str,
    parent: str | None,
    *,
    said_in: str = "CONFLUENCE_MINUTES_PARENT",
) -> str | None:
    """The id of the page minutes go under, given its id or its title.

    Raises:
        NotFound: no such page in the space.
    """
    if parent is None:
        return None
    found = _get(client, parent) if parent.isdecimal() else _by_title(client, space_key, parent)
    if found is None:
        raise NotFound(f"{said_in} {parent!r} is no page of space {space_key}")
    return str(found["id"])


def parent_by_label(client: ConfluenceClient, space_key: str, label: str) -> str:
    """The id of the one page of a space that carries a label.

    Raises:
        NotFound: none does.
        Conflict: several do; names them.
    """
    cql = f"space = {quoted(space_key)} and type = page and label = {quoted(label)}"
    listed = client.get(f"{CONTENT}/search", {"cql": cql, "limit": 5}, what=f"pages labelled {label!r}")
    found = [one for one in listed.get("results", []) if one.get("status", "current") == "current"]
    if not found:
        raise NotFound(f"no page of space {space_key} carries the label {label!r}")
    if len(found) > 1:
        named = ", ".join(f"{one.get('title', '')!r} ({one['id']})" for one in found)
        raise Conflict(f"several pages of space {space_key} carry the label {label!r}: {named}")
    return str(found[0]["id"])


def _ensure_marks(
    client: ConfluenceClient, page_id: str, recording_key: str, labels: list[dict[str, str]]
) -> None:
    """Servers that ignore labels and properties at creation get them now."""
    found = _get(client, page_id) or {}
    if not _is_of(found, recording_key):
        value = {"key": RECORDING_PROPERTY, "value": {"recording": recording_key}}
        client.send("POST", f"{CONTENT}/{page_id}/property", value, what=f"the property of page {page_id}")
    client.send("POST", f"{CONTENT}/{page_id}/label", labels, what=f"the labels of page {page_id}")


def _get(client: ConfluenceClient, page_id: str, *, status: str = "current") -> Json | None:
    try:
        found: Json = client.get(
            f"{CONTENT}/{page_id}", {"expand": EXPAND, "status": status}, what=f"page {page_id}"
        )
    except NotFound:
        return None
    return found


def _by_title(client: ConfluenceClient, space_key: str, title: str) -> Json | None:
    params = {"spaceKey": space_key, "title": title, "type": "page", "expand": EXPAND, "limit": 1}
    listed = client.get(CONTENT, params, what=f"pages called {title!r}")
    results = listed.get("results", [])
    return results[0] if results else None


def _is_taken(client: ConfluenceClient, space_key: str, title: str, recording_key: str) -> bool:
    """True when somebody else's page has the title; Conflict when the page of this recording has it."""
    found = _by_title(client, space_key, title)
    if found is not None and _is_of(found, recording_key):
        raise Conflict(f"the page {title!r} was created by another worker meanwhile")
    return found is not None


def _refuse_put_away(found: Json) -> None:
    status = found.get("status", "current")
    if status in ("trashed", "archived"):
        place = "put into the trash" if status == "trashed" else "archived"
        raise Conflict(
            f"people have {place} the page {str(found.get('title', ''))!r} ({found['id']}): restore it in "
            "Confluence and publish again, or delete it for good to get a new one"
        )


def _titles(title: str) -> Iterator[str]:
    clean = " ".join(title.split())[: MAX_TITLE_CHARS - 6] or "Minutes"
    yield clean
    for number in range(2, N_TITLES + 1):
        yield f"{clean} ({number})"


def _is_of(found: Json, recording_key: str) -> bool:
    return found.get("status", "current") == "current" and _is_marked(found, recording_key)


def _is_marked(found: Json, recording_key: str) -> bool:
    properties = (found.get("metadata") or {}).get("properties") or {}
    value = (properties.get(RECORDING_PROPERTY) or {}).get("value")
    return isinstance(value, dict) and value.get("recording") == recording_key


def _label(recording_key: str) -> str:
    return f"imp-recording-{recording_key[:16]}"


def _storage(found: Json) -> str:
    return str((((found.get("body") or {}).get("storage")) or {}).get("value") or "")


def _page(client: ConfluenceClient, found: Json) -> PublishedPage:
    webui = (found.get("_links") or {}).get("webui") or f"/pages/viewpage.action?pageId={found['id']}"
    return PublishedPage(
        id=str(found["id"]),
        version=int((found.get("version") or {}).get("number", 1)),
        title=str(found.get("title", "")),
        storage=_storage(found),
        url=client.page_url(webui),
    )
