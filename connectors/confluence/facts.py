"""What is known of a Confluence site's content, people and doors, as plain values; knows neither HTTP nor tables."""

from dataclasses import dataclass, field
from datetime import datetime

RECORDING_PROPERTY = "imp-recording"
"""Content property on pages this product wrote: the publisher sets it, the reader leaves such pages out."""


@dataclass(frozen=True, slots=True)
class UserFacts:
    """A user. `id` is the account id (Cloud) or user key (Data Center); `email` only where the site shows it."""

    id: str
    name: str
    email: str | None = None
    username: str | None = None


@dataclass(frozen=True, slots=True)
class SpaceFacts:
    """A space as its listing shows it."""

    id: str
    key: str
    name: str
    kind: str
    status: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A page above another, root first."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class PageDoor:
    """A page whose reading is restricted, and to whom (`user:<id>`, `group:<name>`)."""

    page_id: str
    principals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageFacts:
    """A page or blog post.

    `doors` are its own and its ancestors' restrictions, None where they could not be read (closed then).
    `storage` is None when the body was not asked for; `body_format` says `storage`, or `view` (rendered HTML,
    where the site could not give the stored form). `is_by_imp`: this product wrote the page.
    """

    id: str
    kind: str
    title: str
    space_key: str
    version: int
    status: str
    url: str
    ancestors: tuple[Ancestor, ...] = ()
    labels: tuple[str, ...] = ()
    author: str | None = None
    editor: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    storage: str | None = None
    body_format: str = "storage"
    doors: tuple[PageDoor, ...] | None = None
    people: tuple[UserFacts, ...] = ()
    is_by_imp: bool = False


@dataclass(frozen=True, slots=True)
class AttachmentFacts:
    """A file of a page. `download_path` is below the site's address."""

    id: str
    page_id: str
    file_name: str
    media_type: str
    size_bytes: int
    version: int
    status: str
    url: str
    download_path: str
    author: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CommentFacts:
    """A comment of a page; `quote` is the text an inline comment is about."""

    id: str
    page_id: str
    version: int
    status: str
    storage: str
    author: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    is_inline: bool = False
    is_resolved: bool = False
    quote: str = ""
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class FailedItem:
    """Content that is there but could not be read; the rest of the listing was."""

    id: str
    title: str
    error: str


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next page of a listing starts: an offset, or the cursor Cloud's search hands out."""

    start: int = 0
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """One page of a listing. `following` is None at the end; `is_whole` False when the end looks false."""

    items: tuple[dict[str, object], ...]
    failed: tuple[FailedItem, ...]
    following: Position | None
    total: int | None = None
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """Members of one page of a listing, parsed."""

    pages: tuple[PageFacts, ...]
    failed: tuple[FailedItem, ...] = field(default=())
    following: Position | None = None
    total: int | None = None
    is_whole: bool = True
