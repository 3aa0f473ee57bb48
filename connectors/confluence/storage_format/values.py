"""What a converted page gives back, and what the converter asks of the world around the page."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

LinkKind = Literal["page", "blog", "attachment", "anchor", "jira", "space", "external"]


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the page.

    `target` is what the page names: a title, a file name, an anchor, an issue key or JQL, a space key or a
    URL. `url` is where it leads when known. `space_key` and `anchor` only where the page says them.
    """

    kind: LinkKind
    target: str
    text: str
    url: str | None = None
    space_key: str | None = None
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the page. `assignee` is an account id or user key, `due` the first date in its text."""

    id: str
    text: str
    is_done: bool
    assignee: str | None = None
    due: date | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading, its level 1-6 and the fragment that leads to it on the page."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Include:
    """A page shown inside this one; `excerpt_name` is None for a whole page, "" for its unnamed excerpt."""

    title: str
    space_key: str | None
    excerpt_name: str | None
    is_resolved: bool


@dataclass(frozen=True, slots=True)
class PageRef:
    """Where a page that was named by its title lives."""

    id: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Converted:
    """A page as Markdown, with everything it points at in the order it first appears.

    `mentions` are account ids (or user keys, or user names on old servers). What an included page holds is in
    `markdown` only: its tasks, links and mentions are that page's own. `warnings` are sentences for people.
    """

    markdown: str
    links: tuple[Link, ...] = ()
    mentions: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    attachments: tuple[str, ...] = ()
    includes: tuple[Include, ...] = ()
    headings: tuple[Heading, ...] = ()
    warnings: tuple[str, ...] = ()


class Resolver(Protocol):
    """Answers what the page alone cannot say. None means "not known": the text on the page is kept instead.

    A resolver answers from what the reader of the result may see: what it includes ends up in this page.
    """

    def user_name(self, account_id: str) -> str | None:
        """The name of an account id, user key or user name."""

    def page(self, title: str, space_key: str | None) -> PageRef | None:
        """The page of that title; `space_key` None means the space of the page that is converted."""

    def include(self, title: str, space_key: str | None, excerpt_name: str | None) -> str | None:
        """Storage format of a page (`excerpt_name` None) or of one of its excerpts ("" is the unnamed one)."""

    def attachment_url(self, filename: str) -> str | None:
        """Where an attachment of the converted page can be opened."""


class NoResolver:
    """Knows nothing: everything keeps its readable text."""

    def user_name(self, account_id: str) -> str | None:
        return None

    def page(self, title: str, space_key: str | None) -> PageRef | None:
        return None

    def include(self, title: str, space_key: str | None, excerpt_name: str | None) -> str | None:
        return None

    def attachment_url(self, filename: str) -> str | None:
        return None
