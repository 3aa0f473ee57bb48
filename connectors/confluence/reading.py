"""Reading a Confluence site: its spaces, pages, comments and attachments as facts, whole or since a moment.

Yields facts only: it converts nothing, writes no row, keeps no cursor.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.confluence.client import ConfluenceClient
from connectors.confluence.facts import (
    RECORDING_PROPERTY,
    AttachmentFacts,
    CommentFacts,
    Listing,
    PageFacts,
    Position,
    SpaceFacts,
)
from connectors.confluence.listings import Json, as_far_as_read, batches, items
from connectors.confluence.parse_facts import (
    attachment_facts,
    comment_facts,
    moment,
    page_facts,
    space_facts,
)
from core.errors import BadInput, Denied, NotConfigured, NotFound, Unavailable

SEARCH = "rest/api/content/search"
READERS = "restrictions.read.restrictions.user,restrictions.read.restrictions.group"
WITHOUT_ANCESTORS = (
    f"version,history,space,metadata.labels,metadata.properties.{RECORDING_PROPERTY},{READERS}"
)
ABOVE = f"ancestors,{','.join('ancestors.' + path for path in READERS.split(','))}"
FACTS = f"{WITHOUT_ANCESTORS},{ABOVE}"
COMMENT_FACTS = (
    "body.storage,version,history,container,ancestors,extensions.inlineProperties,extensions.resolution"
)
ATTACHMENT_FACTS = "version,history,container,metadata,extensions"
N_WITH_BODIES = 50
N_LIGHT = 200
N_IDS = 50
N_FILES = 100
KNOWN_ZONE_OVERLAP = timedelta(minutes=75)
"""CQL knows minutes and an account's wall clock, which repeats an hour in autumn."""
UNKNOWN_ZONE_OVERLAP = timedelta(hours=13)
"""The account's clock may be up to 12 hours behind UTC (and an hour for luck): nobody is earlier than that."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who the credentials belong to. `time_zone` None where the site does not tell."""

    id: str
    name: str
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class Changed:
    """Something changed since a moment: the page it is or belongs to."""

    id: str
    kind: str
    page_id: str
    version: int
    updated_at: datetime | None


def account(client: ConfluenceClient) -> Account:
    """Who we are; the first thing to ask a site.

    Raises:
        Denied: wrong credentials, or none were taken (the site sees an anonymous visitor).
        NotConfigured: there is no Confluence at this address.
    """
    try:
        found = client.get("rest/api/user/current", what="the service account")
    except NotFound as exc:
        raise NotConfigured(
            f"no Confluence answers at {client.base_url}: CONFLUENCE_URL must be the site's address "
            "(Cloud: https://<name>.atlassian.net/wiki)"
        ) from exc
    found = found if isinstance(found, dict) else {}
    user_id = found.get("accountId") or found.get("userKey") or found.get("username")
    if not user_id:
        raise Denied("Confluence sees an anonymous visitor: the token was not accepted; make a new one")
    zone = found.get("timeZone")
    return Account(
        str(user_id), str(found.get("displayName") or user_id), zone if isinstance(zone, str) else None
    )


def spaces(client: ConfluenceClient) -> tuple[SpaceFacts, ...]:
    """Every space the account sees, archived ones too, by key. Raises Unavailable when the listing broke off."""
    listed = items(client, "rest/api/space", {"expand": "metadata.labels"}, what="spaces", limit=100)
    found = [space_facts(one) for one in listed]
    return tuple(sorted((one for one in found if one.key), key=lambda one: one.key))


def pages(
    client: ConfluenceClient, space_key: str, *, has_body: bool, position: Position | None = None
) -> Iterator[Listing]:
    """The current pages and blog posts of a space, oldest first, one page of results at a time."""
    cql = f"space = {quoted(space_key)} and type in (page, blogpost) order by created"
    yield from _pages(client, cql, f"pages of space {space_key}", has_body=has_body, position=position)


def n_pages(client: ConfluenceClient, space_keys: Sequence[str]) -> int | None:
    """How many pages and blog posts there are to read in these spaces; None where the site does not count."""
    total = 0
    for at in range(0, len(space_keys), N_IDS):
        keys = ", ".join(map(quoted, space_keys[at : at + N_IDS]))
        params = {"cql": f"space in ({keys}) and type in (page, blogpost)", "limit": 1}
        try:
            found = client.get("rest/api/search", params, what="the number of pages", n_tries=2)
        except (BadInput, Denied, NotFound, Unavailable):
            return None
        counted = found.get("totalSize") if isinstance(found, dict) else None
        if not isinstance(counted, int):
            return None
        total += counted
    return total


def pages_by_id(client: ConfluenceClient, ids: Sequence[str]) -> Iterator[Listing]:
    """These pages with their bodies, as far as they are current and may be seen."""
    for at in range(0, len(ids), N_IDS):
        chosen = [one for one in ids[at : at + N_IDS] if one.isdigit()]
        if chosen:
            cql = f"id in ({','.join(chosen)}) and type in (page, blogpost)"
            yield from _pages(client, cql, "chosen pages", has_body=True, position=None)


def page(client: ConfluenceClient, page_id: str) -> PageFacts:
    """One page in whatever status, with its body.

    `body.view` is read where `body.storage` fails (CONFCLOUD-76433). Where an ancestor is a draft or in the trash
    (CONFCLOUD-77618) the page is read without its ancestors: its doors are unknown then, and it stays closed.

    Raises:
        NotFound: it is gone or not to be seen.
    """
    return page_facts(_page(client, page_id), client.base_url)


def changed_since(
    client: ConfluenceClient,
    since: datetime,
    *,
    time_zone: str | None,
    space_keys: Sequence[str] = (),
    cql: str = "",
) -> Iterator[Changed]:
    """What changed since a moment, and some of what changed before: compare versions.

    Args:
        since: aware; the window is opened wider by what CQL's minutes and the account's clock may hide.
        cql: an admin's own filter; put in parentheses, so that an OR in it stays in it.
    """
    where = f"type in (page, blogpost, comment, attachment) and lastmodified >= {cql_time(since, time_zone)}"
    if space_keys:
        where = f"space in ({', '.join(map(quoted, space_keys))}) and {where}"
    if cql.strip():
        where = f"({cql.strip()}) and {where}"
    params = {"cql": f"{where} order by lastmodified", "expand": "version,container"}
    for batch in batches(client, SEARCH, params, what="changed pages", limit=N_LIGHT, light=params):
        for one in batch.items:
            if (change := _changed(dict(one))) is not None:
                yield change
        if not batch.is_whole:
            raise Unavailable("the listing of changed pages broke off before its end")


def comments(client: ConfluenceClient, page_id: str) -> tuple[CommentFacts, ...]:
    """Footer and inline comments of a page with their replies, oldest first."""
    params = {"expand": COMMENT_FACTS.replace("container,", ""), "depth": "all"}
    path = f"rest/api/content/{page_id}/child/comment"
    found = [
        comment_facts(one, page_id)
        for one in items(client, path, params, what=f"comments of {page_id}", limit=100)
    ]
    return in_order(found)


def comments_of_space(client: ConfluenceClient, space_key: str) -> dict[str, tuple[CommentFacts, ...]]:
    """All comments of a space by page id. Raises Unavailable when the listing broke off."""
    params = {
        "cql": f"space = {quoted(space_key)} and type = comment order by created",
        "expand": COMMENT_FACTS,
    }
    found: dict[str, list[CommentFacts]] = {}
    for one in items(client, SEARCH, params, what=f"comments of space {space_key}", limit=N_WITH_BODIES):
        try:
            comment = comment_facts(one)
        except BadInput:
            continue
        found.setdefault(comment.page_id, []).append(comment)
    return {page_id: in_order(some) for page_id, some in found.items()}


def attachments(client: ConfluenceClient, page_id: str) -> tuple[tuple[AttachmentFacts, ...], str | None]:
    """Files of a page, and why there may be more of them; None: these are all (Data Center's paging may fail)."""
    params = {"expand": ATTACHMENT_FACTS.replace("container,", "")}
    path = f"rest/api/content/{page_id}/child/attachment"
    found, problem = as_far_as_read(client, path, params, what=f"attachments of {page_id}", limit=N_FILES)
    return tuple(attachment_facts(one, client.base_url, page_id) for one in found), problem


def attachments_of_space(
    client: ConfluenceClient, space_key: str
) -> tuple[dict[str, tuple[AttachmentFacts, ...]], str | None]:
    """The files of a space by page id, and why there may be more of them; None: these are all."""
    params = {
        "cql": f"space = {quoted(space_key)} and type = attachment order by created",
        "expand": ATTACHMENT_FACTS,
    }
    found: dict[str, list[AttachmentFacts]] = {}
    what = f"attachments of space {space_key}"
    listed, problem = as_far_as_read(client, SEARCH, params, what=what, limit=N_LIGHT)
    for one in listed:
        try:
            file = attachment_facts(one, client.base_url)
        except BadInput:
            continue
        found.setdefault(file.page_id, []).append(file)
    return {page_id: tuple(some) for page_id, some in found.items()}, problem


def open_attachment(
    client: ConfluenceClient, file: AttachmentFacts, *, max_bytes: int
) -> AbstractContextManager[Iterator[bytes]]:
    """The file's bytes in pieces. Raises BadInput when larger than `max_bytes` or without a download link."""
    if not file.download_path:
        raise BadInput(f"{file.file_name}: Confluence gives no download link for it")
    return client.download(file.download_path, what=f"attachment {file.id}", max_bytes=max_bytes)


def cql_time(since: datetime, time_zone: str | None) -> str:
    """A moment as CQL reads it, early enough for the account's clock whatever it shows."""
    if time_zone is not None:
        try:
            local = (since - KNOWN_ZONE_OVERLAP).astimezone(ZoneInfo(time_zone))
            return f'"{local:%Y-%m-%d %H:%M}"'
        except (KeyError, ValueError, OSError):
            pass
    return f'"{(since - UNKNOWN_ZONE_OVERLAP).astimezone(UTC):%Y-%m-%d %H:%M}"'


def quoted(value: str) -> str:
    """A string of CQL."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def in_order(found: Sequence[CommentFacts]) -> tuple[CommentFacts, ...]:
    oldest = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(found, key=lambda one: (one.created_at or oldest, one.id)))


def _pages(
    client: ConfluenceClient, cql: str, what: str, *, has_body: bool, position: Position | None
) -> Iterator[Listing]:
    params = {"cql": cql, "expand": f"{FACTS},body.storage" if has_body else FACTS}
    light = {"cql": cql, "expand": "version"}
    limit = N_WITH_BODIES if has_body else N_LIGHT

    def fetch_one(found: Json) -> Json:
        return _page(client, str(found.get("id")))

    for batch in batches(
        client, SEARCH, params, what=what, limit=limit, light=light, fetch_one=fetch_one, position=position
    ):
        facts = tuple(_parsed(batch.items, lambda one: page_facts(one, client.base_url)))
        yield Listing(facts, batch.failed, batch.following, batch.total, batch.is_whole)


def _parsed(found: Sequence[Any], parse: Callable[[Any], PageFacts]) -> Iterator[PageFacts]:
    for one in found:
        try:
            yield parse(one)
        except BadInput:
            continue  # listed without an id: nothing can be kept of it


def _page(client: ConfluenceClient, page_id: str) -> Json:
    path, what = f"rest/api/content/{page_id}", f"page {page_id}"
    tries = (f"{FACTS},body.storage", f"{FACTS},body.view", f"{WITHOUT_ANCESTORS},body.storage")
    error: Exception | None = None
    for expand in tries:
        if isinstance(error, NotFound) and "ancestors" in expand:
            continue  # rendering it another way brings no hidden ancestor back
        if isinstance(error, Unavailable) and "ancestors" not in expand:
            break
        try:
            found = client.get(path, {"expand": expand, "status": "any"}, what=what, n_tries=3)
        except (Unavailable, NotFound) as exc:
            error = error or exc
            continue
        if not isinstance(found, dict):
            raise Unavailable(f"Confluence's answer for {what} is no page")
        return found
    assert error is not None
    raise error


def _changed(found: Json) -> Changed | None:
    content_id, kind = str(found.get("id") or ""), str(found.get("type") or "")
    container = found.get("container")
    holder = str(container.get("id") or "") if isinstance(container, dict) else ""
    page_id = content_id if kind in ("page", "blogpost") else holder
    if not content_id or not page_id:
        return None
    version = found.get("version")
    version = version if isinstance(version, dict) else {}
    number = version.get("number")
    return Changed(
        content_id, kind, page_id, number if isinstance(number, int) else 0, moment(version.get("when"))
    )
