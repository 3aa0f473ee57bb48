"""Going through a listing of Confluence to its true end: own offsets, smaller pages after failures, one bad item alone.

Knows what a listing looks like, not what it lists.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.confluence.client import N_TRIES, ConfluenceClient
from connectors.confluence.facts import Batch, FailedItem, Position
from core.errors import BadInput, ImpError, NotFound, TryAgain, Unavailable

logger = logging.getLogger(__name__)

Json = dict[str, Any]
FetchOne = Callable[[Json], Json]
N_TRIES_OF_MANY = 2
MOST_PAGES = 100_000
"""A listing that never ends ends here; 100,000 requests are more than any site has."""


def batches(
    client: ConfluenceClient,
    path: str,
    params: Json,
    *,
    what: str,
    limit: int,
    light: Json | None = None,
    fetch_one: FetchOne | None = None,
    position: Position | None = None,
    to_the_end: bool = False,
) -> Iterator[Batch]:
    """The pages of a listing, from `position` on.

    After a failure (5xx, cut, 404 for the whole page) the limit is halved, down to one by one. An item that fails
    alone is looked up by the `light` parameters, read by `fetch_one`, and reported as failed if that fails too.

    Args:
        light: parameters of a request that cannot fail for one item's sake; None: failures are raised.
        fetch_one: the full item for its light form.
        to_the_end: ask on until nothing new comes, for listings whose short page need not be their last.

    Raises:
        Unavailable: the site itself fails. RateLimited, Denied, BadInput as the client does.
    """
    at, size, seen = position or Position(), limit, set[str]()
    for _ in range(MOST_PAGES):
        try:
            n_tries = N_TRIES if size == 1 and light is None else N_TRIES_OF_MANY
            answer = _ask(client, path, params, at, size, what, n_tries)
        except (Unavailable, NotFound) as exc:
            if light is None and isinstance(exc, NotFound):
                raise
            if size > 1:
                size = max(1, size // 2)
                logger.info("listing_halved", extra={"limit": size, "why": str(exc)[:120]})
                continue
            if light is None:
                raise
            batch = _one_by_one(client, path, light, at, what, fetch_one, exc)
        else:
            batch = _batch(answer, at, size, seen, to_the_end=to_the_end)
            size = min(limit, size * 2)
        yield batch
        if batch.following is None:
            return
        at = batch.following


def items(
    client: ConfluenceClient,
    path: str,
    params: Json | None = None,
    *,
    what: str,
    limit: int = 200,
    to_the_end: bool = False,
) -> list[Json]:
    """The whole of a short listing at once; `to_the_end` as `batches` has it.

    Raises:
        Unavailable: also when the listing broke off (no results, but more announced).
    """
    found: list[Json] = []
    for batch in batches(client, path, dict(params or {}), what=what, limit=limit, to_the_end=to_the_end):
        if not batch.is_whole:
            raise Unavailable(f"the listing of {what} broke off before its end")
        found += batch.items
    return found


def as_far_as_read(
    client: ConfluenceClient, path: str, params: Json, *, what: str, limit: int
) -> tuple[list[Json], str | None]:
    """A listing up to where it fails, and why it failed; None: it is whole.

    Raises:
        Denied, NotFound: not to be seen at all. RateLimited: later.
    """
    found: list[Json] = []
    try:
        for batch in batches(client, path, params, what=what, limit=limit):
            found += batch.items
            if not batch.is_whole:
                return found, f"the listing of {what} broke off before its end"
    except (BadInput, Unavailable) as exc:
        logger.warning("listing_broke_off", extra={"n_read": len(found), "why": str(exc)[:200]})
        return found, str(exc)
    return found, None


def _ask(
    client: ConfluenceClient,
    path: str,
    params: Json,
    at: Position,
    size: int,
    what: str,
    n_tries: int = N_TRIES,
) -> Json:
    asked = {**params, "limit": size}
    asked |= {"cursor": at.cursor} if at.cursor else {"start": at.start}
    answer = client.get(path, asked, what=what, n_tries=n_tries)
    if not isinstance(answer, dict) or not isinstance(answer.get("results"), list):
        raise Unavailable(f"Confluence's answer for {what} is no listing")
    return answer


def _batch(answer: Json, at: Position, size: int, seen: set[str], *, to_the_end: bool = False) -> Batch:
    results = [one for one in answer["results"] if isinstance(one, dict)]
    fresh = [one for one in results if _key(one) not in seen]
    seen.update(map(_key, results))
    following = _following(answer, at, len(results), size)
    if to_the_end and following is None and fresh:
        following = Position(at.start + len(results))
    total = answer.get("totalSize")
    is_whole = True
    if following is not None and not fresh:
        # More was announced but nothing new came: going on might never end, so this end is not to be trusted.
        following, is_whole = None, False
    return Batch(tuple(fresh), (), following, total if isinstance(total, int) else None, is_whole)


def _following(answer: Json, at: Position, n_results: int, size: int) -> Position | None:
    """The next position: Cloud's search by its cursor, everything else by an offset of our own.

    Servers return fewer than asked, either since they cap `limit` (their answer says so) or since they filter
    afterwards. Their own next offset may count by the limit that was asked for, so it is believed only as far as
    the limit they granted reaches.
    """
    link = (answer.get("_links") or {}).get("next")
    query = parse_qs(urlsplit(str(link)).query) if link else {}
    if link and query.get("cursor"):
        return Position(at.start + n_results, query["cursor"][0])
    own, granted = at.start + n_results, answer.get("limit")
    if link:
        theirs = query.get("start", ["0"])[0]
        reach = at.start + granted if isinstance(granted, int) else 0
        return Position(max(own, min(int(theirs), reach)) if theirs.isdigit() else own)
    # Cloud's user and group listings end without `next` although more is there; one more look tells.
    full = n_results >= (min(size, granted) if isinstance(granted, int) and granted > 0 else size)
    return Position(own) if full and n_results and at.cursor is None else None


def _one_by_one(
    client: ConfluenceClient,
    path: str,
    light: Json,
    at: Position,
    what: str,
    fetch_one: FetchOne | None,
    why: ImpError,
) -> Batch:
    """The one item at `at`, read by itself. Raises when not even its id can be had: then it is the site that fails."""
    answer = _ask(client, path, light, at, 1, what)
    batch = _batch(answer, at, 1, set())
    found: list[Json] = []
    failed: list[FailedItem] = []
    for one in batch.items:
        title = str(one.get("title") or "")
        try:
            if fetch_one is None:
                raise why
            found.append(fetch_one(dict(one)))
        except ImpError as exc:
            if isinstance(exc, TryAgain) and exc.retry_after_s:
                raise
            logger.warning("item_failed", extra={"content_id": str(one.get("id")), "why": str(exc)[:200]})
            failed.append(FailedItem(str(one.get("id")), title, str(exc)))
    return Batch(tuple(found), tuple(failed), batch.following, batch.total, batch.is_whole)


def _key(item: Json) -> str:
    """What tells one entry of a listing from another: its id; groups, users and spaces may have others."""
    for name in ("id", "accountId", "userKey", "name", "key", "username"):
        if item.get(name):
            return f"{name}:{item[name]}"
    return repr(sorted(item))
