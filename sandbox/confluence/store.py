"""The stand-in's memory: one SQLite file (or RAM) with people, groups, spaces and content.

It knows tables and rows only; who may see what is `access.py`, what an edit means is `content.py`.
"""

import json
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.confluence.problems import no_content, no_space

SCHEMA = """
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS people (
  account_id TEXT PRIMARY KEY, username TEXT UNIQUE, name TEXT, email TEXT, token TEXT, password TEXT,
  is_admin INTEGER, time_zone TEXT, sees_all INTEGER);
CREATE TABLE IF NOT EXISTS groups (name TEXT PRIMARY KEY, id TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS memberships (
  group_name TEXT, account_id TEXT, PRIMARY KEY (group_name, account_id));
CREATE TABLE IF NOT EXISTS spaces (
  id INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, type TEXT, status TEXT, description TEXT,
  homepage_id TEXT, author TEXT, created TEXT);
CREATE TABLE IF NOT EXISTS space_permissions (
  id INTEGER PRIMARY KEY, space_id INTEGER, principal TEXT, operation TEXT, target TEXT,
  UNIQUE (space_id, principal, operation, target));
CREATE TABLE IF NOT EXISTS content (
  id TEXT PRIMARY KEY, type TEXT, status TEXT, title TEXT, space_id INTEGER, parent_id TEXT,
  container_id TEXT, position INTEGER, author TEXT, created TEXT, updated TEXT, updated_by TEXT,
  version INTEGER, message TEXT, minor INTEGER, body TEXT, extra TEXT);
CREATE INDEX IF NOT EXISTS content_parent ON content (parent_id);
CREATE INDEX IF NOT EXISTS content_container ON content (container_id);
CREATE INDEX IF NOT EXISTS content_space ON content (space_id, type, status);
CREATE TABLE IF NOT EXISTS versions (
  content_id TEXT, number INTEGER, title TEXT, body TEXT, author TEXT, created TEXT, message TEXT,
  minor INTEGER, data BLOB, PRIMARY KEY (content_id, number));
CREATE TABLE IF NOT EXISTS labels (
  content_id TEXT, prefix TEXT, name TEXT, PRIMARY KEY (content_id, prefix, name));
CREATE TABLE IF NOT EXISTS label_ids (id INTEGER PRIMARY KEY, prefix TEXT, name TEXT, UNIQUE (prefix, name));
CREATE TABLE IF NOT EXISTS properties (
  id TEXT PRIMARY KEY, content_id TEXT, key TEXT, value TEXT, version INTEGER, author TEXT, updated TEXT,
  UNIQUE (content_id, key));
CREATE TABLE IF NOT EXISTS restrictions (
  content_id TEXT, operation TEXT, principal TEXT, PRIMARY KEY (content_id, operation, principal));
CREATE TABLE IF NOT EXISTS webhooks (
  id INTEGER PRIMARY KEY, name TEXT, url TEXT, events TEXT, active INTEGER, dialect TEXT, auth TEXT,
  created TEXT);
"""
TABLES = [
    "counters",
    "people",
    "groups",
    "memberships",
    "spaces",
    "space_permissions",
    "content",
    "versions",
    "labels",
    "label_ids",
    "properties",
    "restrictions",
    "webhooks",
]
FIRST_ID = 98304  # real sites start in this range; ids stay numeric strings


def now() -> str:
    """This moment as Confluence Cloud writes it: `2026-03-19T14:23:47.640Z`."""
    return stamp(datetime.now(UTC))


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def moment(text: str) -> datetime:
    """Inverse of `stamp`; a date or time without a zone is read as UTC."""
    parsed = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    account_id: str
    username: str
    name: str
    email: str
    token: str = field(repr=False, default="")
    password: str = field(repr=False, default="")
    is_admin: bool = False
    time_zone: str = "UTC"
    sees_all: bool = False

    @property
    def user_key(self) -> str:
        """The opaque 32-digit key Data Center uses instead of an account id."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"userkey:{self.account_id}").hex


@dataclass(frozen=True)
class Space:
    id: int
    key: str
    name: str
    type: str
    status: str
    description: str
    homepage_id: str | None
    author: str
    created: str


@dataclass(frozen=True)
class Content:
    """A page, blog post, comment, attachment, folder, whiteboard or database, as it is now."""

    id: str
    type: str
    status: str
    title: str
    space_id: int
    parent_id: str | None
    container_id: str | None
    position: int
    author: str
    created: str
    updated: str
    updated_by: str
    version: int
    message: str
    minor: bool
    body: str
    extra: Mapping[str, Any]


@dataclass(frozen=True)
class Event:
    """Something happened that a webhook may want to hear about."""

    name: str
    actor: str
    content: Content | None = None
    space: Space | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Store:
    """One connection behind one lock; every method may be called from any thread."""

    def __init__(self, path: str = ":memory:") -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._listeners: list[Callable[[Event], None]] = []
        self._pending: list[Event] = []
        self._depth = 0
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def clear(self) -> None:
        with self.transaction():
            for table in TABLES:
                self._db.execute(f"DELETE FROM {table}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; events raised inside are announced after the outermost commit."""
        with self._lock:
            outermost = self._depth == 0
            self._depth += 1
            if outermost:
                self._db.execute("BEGIN")
            try:
                yield
            except BaseException:
                if outermost:
                    self._db.execute("ROLLBACK")
                    self._pending.clear()
                raise
            else:
                if outermost:
                    self._db.execute("COMMIT")
            finally:
                self._depth -= 1
            if not outermost:
                return
            announced, self._pending = self._pending, []
        for event in announced:
            for listener in self._listeners:
                listener(event)

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        self._listeners.append(listener)

    def announce(self, event: Event) -> None:
        """Call inside a transaction."""
        self._pending.append(event)

    def rows(self, sql: str, *args: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, args).fetchall()

    def row(self, sql: str, *args: Any) -> sqlite3.Row | None:
        found = self.rows(sql, *args)
        return found[0] if found else None

    def run(self, sql: str, *args: Any) -> int:
        """Execute one statement; returns the number of rows it touched."""
        with self._lock:
            return self._db.execute(sql, args).rowcount

    def next_id(self, name: str = "content") -> int:
        with self.transaction():
            row = self.row("SELECT value FROM counters WHERE name = ?", name)
            value = (row["value"] if row else FIRST_ID) + 1
            while self.row("SELECT 1 FROM content WHERE id IN (?, ?)", str(value), f"att{value}"):
                value += 1
            self.run("INSERT OR REPLACE INTO counters VALUES (?, ?)", name, value)
            return value

    # people and groups

    def people(self) -> list[Person]:
        return [_person(row) for row in self.rows("SELECT * FROM people ORDER BY rowid")]

    def person(self, who: str) -> Person | None:
        """By account id, username, user key or email address."""
        row = self.row("SELECT * FROM people WHERE ? IN (account_id, username, email)", who)
        if row:
            return _person(row)
        return next((person for person in self.people() if person.user_key == who), None)

    def add_person(self, person: Person, groups: tuple[str, ...] = ()) -> None:
        with self.transaction():
            self.run(
                "INSERT OR REPLACE INTO people VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                person.account_id, person.username, person.name, person.email, person.token,
                person.password, int(person.is_admin), person.time_zone, int(person.sees_all),
            )  # fmt: skip
            for name in groups:
                self.add_member(name, person.account_id)

    def groups(self) -> list[sqlite3.Row]:
        return self.rows("SELECT * FROM groups ORDER BY name")

    def group(self, name_or_id: str) -> sqlite3.Row | None:
        return self.row("SELECT * FROM groups WHERE ? IN (name, id)", name_or_id)

    def add_group(self, name: str) -> None:
        group_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"group:{name}"))
        self.run("INSERT OR IGNORE INTO groups VALUES (?, ?)", name, group_id)

    def add_member(self, group: str, account_id: str) -> None:
        self.add_group(group)
        self.run("INSERT OR IGNORE INTO memberships VALUES (?, ?)", group, account_id)

    def members(self, group: str) -> list[Person]:
        sql = "SELECT people.* FROM people JOIN memberships USING (account_id) WHERE group_name = ? ORDER BY name"
        return [_person(row) for row in self.rows(sql, group)]

    def groups_of(self, account_id: str) -> list[str]:
        rows = self.rows("SELECT group_name FROM memberships WHERE account_id = ? ORDER BY 1", account_id)
        return [row["group_name"] for row in rows]

    # spaces and content

    def spaces(self) -> list[Space]:
        return [Space(**dict(row)) for row in self.rows("SELECT * FROM spaces ORDER BY key")]

    def space(self, key_or_id: str | int) -> Space:
        """Raises: Refused 404."""
        row = self.row(
            "SELECT * FROM spaces WHERE key = ? OR CAST(id AS TEXT) = ?", key_or_id, str(key_or_id)
        )
        if row is None:
            raise no_space(str(key_or_id))
        return Space(**dict(row))

    def find(self, content_id: str) -> Content | None:
        row = self.row("SELECT * FROM content WHERE id = ?", content_id)
        return _content(row) if row else None

    def content(self, content_id: str) -> Content:
        """Raises: Refused 404. Permissions are not looked at here."""
        found = self.find(content_id)
        if found is None:
            raise no_content(content_id)
        return found

    def contents(self, where: str = "1", *args: Any) -> list[Content]:
        sql = f"SELECT * FROM content WHERE {where} ORDER BY CAST(REPLACE(id, 'att', '') AS INTEGER)"
        return [_content(row) for row in self.rows(sql, *args)]

    def ancestors(self, content: Content) -> list[Content]:
        """Root first, the direct parent last; for comments and attachments those of the page, then it."""
        chain: list[Content] = []
        above = content.parent_id or content.container_id
        while above and len(chain) < 100:
            parent = self.find(above)
            if parent is None:
                break
            chain.append(parent)
            above = parent.parent_id or parent.container_id
        return chain[::-1]

    def labels(self, content_id: str) -> list[sqlite3.Row]:
        sql = "SELECT * FROM labels JOIN label_ids USING (prefix, name) WHERE content_id = ? ORDER BY name"
        return self.rows(sql, content_id)

    def restrictions(self, content_id: str, operation: str) -> list[str]:
        sql = "SELECT principal FROM restrictions WHERE content_id = ? AND operation = ? ORDER BY 1"
        return [row["principal"] for row in self.rows(sql, content_id, operation)]

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for table in ("people", "groups", "spaces", "labels", "properties", "webhooks", "versions"):
            row = self.row(f"SELECT count(*) AS n FROM {table}")
            found[table] = row["n"] if row else 0
        for row in self.rows("SELECT type, status, count(*) AS n FROM content GROUP BY 1, 2"):
            found[f"{row['type']}.{row['status']}"] = row["n"]
        return found


def _person(row: sqlite3.Row) -> Person:
    return Person(**{**dict(row), "is_admin": bool(row["is_admin"]), "sees_all": bool(row["sees_all"])})


def _content(row: sqlite3.Row) -> Content:
    return Content(**{**dict(row), "minor": bool(row["minor"]), "extra": json.loads(row["extra"])})
