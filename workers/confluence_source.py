"""A Confluence source ready to be read: its row, a client with the credentials of the settings, names of users.

Credentials come from the settings each time; the table never holds them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

from sqlalchemy import select, text

from connectors.confluence import reading
from connectors.confluence.client import ConfluenceClient, nothing
from connectors.confluence.facts import SpaceFacts, UserFacts
from connectors.confluence.parse_facts import user_facts
from connectors.confluence.storage_format.values import PageRef
from core.errors import ImpError, NotConfigured, NotFound, TryAgain
from core.tables.documents import Source
from workers.confluence_site import connect
from workers.context import Context
from workers.space_choice import SpaceChoice, choice_of

NAMES = text("SELECT external_id, name FROM identities WHERE provider = 'confluence' AND name <> external_id")


@dataclass
class Site:
    """One source for as long as a job runs. `names` are display names by account id, filled as they are needed."""

    source_id: int
    client: ConfluenceClient
    settings: dict[str, Any]
    cursor: dict[str, Any]
    is_full_synced: bool
    choice: SpaceChoice = SpaceChoice()
    names: dict[str, str | None] = field(default_factory=dict)
    _wanted: frozenset[str] | None = None

    def wants(self, space: SpaceFacts) -> bool:
        """Is this one of the spaces to sync?"""
        return self.choice.wants(space)

    def learn_names(self, users: Iterable[UserFacts]) -> None:
        """Whoever came without a name (it is their id then) keeps the one that is known."""
        self.names.update({user.id: user.name for user in users if user.name != user.id})

    def wants_key(self, key: str) -> bool:
        """The same by key; asks the site once where labels decide. Raises what that raises."""
        if not self.choice.wants_key(key) or not self.choice.is_by_label:
            return self.choice.wants_key(key)
        if self._wanted is None:
            self._wanted = frozenset(one.key for one in reading.spaces(self.client) if self.wants(one))
        return key in self._wanted


def open_site(context: Context, source_id: int, *, check: Callable[[], None] = nothing) -> Site:
    """The source of a job.

    Raises:
        NotFound: no such source, or it was removed.
        NotConfigured: the settings name another site than the source, or none.
    """
    with context.factory.begin() as session:
        source = session.scalar(select(Source).where(Source.id == source_id))
        if source is None or source.state == "removed" or source.kind != "confluence":
            raise NotFound(f"there is no Confluence source {source_id} (any more)")
        names: dict[str, str | None] = {row.external_id: row.name for row in session.execute(NAMES)}
        stored, cursor, full = dict(source.settings), dict(source.cursor), source.full_synced_at
    client = connect(context.settings, check=check)
    known_url = str(stored.get("url") or client.base_url).rstrip("/")
    if known_url != client.base_url:
        raise NotConfigured(f"source {source_id} is {known_url}, but CONFLUENCE_URL names {client.base_url}")
    choice = choice_of(stored, context.settings)
    return Site(source_id, client, stored, cursor, full is not None, choice, names)


class PageResolver:
    """Answers for one page what its storage format only hints at. Same page, same answers: nothing depends on the
    order in which pages were synced, so that text only changes when someone changed it.

    Included pages are not resolved here: what they hold may stand behind doors that this page has not.
    """

    def __init__(self, site: Site, page_id: str, space_key: str) -> None:
        self._site, self._page_id, self._space_key = site, page_id, space_key
        self.is_unsure = False
        """A name could not be had for a passing reason: the page is to be read again."""

    def user_name(self, account_id: str) -> str | None:
        names = self._site.names
        if account_id not in names:
            try:
                names[account_id] = _ask_name(self._site, account_id)
            except TryAgain:
                self.is_unsure = True
                return None
        return names[account_id]

    def page(self, title: str, space_key: str | None) -> PageRef | None:
        space, base = space_key or self._space_key, self._site.client.base_url
        return PageRef("", title, f"{base}/display/{quote(space)}/{quote_plus(title)}")

    def include(self, title: str, space_key: str | None, excerpt_name: str | None) -> str | None:
        return None

    def attachment_url(self, filename: str) -> str | None:
        return f"{self._site.client.base_url}/download/attachments/{self._page_id}/{quote(filename)}"


def _ask_name(site: Site, account_id: str) -> str | None:
    """Raises TryAgain when the site does not say now."""
    parameter = "accountId" if site.client.is_cloud else "key"
    try:
        found = site.client.get("rest/api/user", {parameter: account_id}, what="a mentioned user", n_tries=2)
    except TryAgain:
        raise
    except ImpError:
        return None
    user = user_facts(found) if isinstance(found, dict) else None
    if user is None or user.name != user.id:
        return user.name if user else None
    return site.names.get(user.id)
