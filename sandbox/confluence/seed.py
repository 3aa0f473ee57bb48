"""Fill the stand-in from a folder, so that a demo or a test starts from a believable company.

The folder holds `company.yaml` and the files it names, paths relative to the folder:

    people:   [{account_id, username, name, email, token, password?, groups: [..], admin: bool?, time_zone?,
                sees_all: bool?}]
    groups:   [name, ...]
    spaces:   [{key, name, description?, type?: global|personal,
                permissions: ["anonymous" | "user:<account_id>" | "group:<name>", ...]}]
    pages:    [{id: "<digits>", space: KEY, title, parent: <title or null>, file: pages/x.xml,
                type?: page|blogpost|folder|whiteboard|database, labels: [..]?,
                status?: current|archived|trashed|draft,
                restrict?: ["user:<account_id>", "group:<name>"]   (absent: unrestricted),
                restrict_edit?: [...], author: <account_id>, created: ISO, updated: ISO,
                comments?: [{author, body, created, inline?: bool, resolved?: bool, selection?}],
                attachments?: [{file: attachments/x.pdf, media_type, author?, created?}]}]
    webhooks: [{url, events: [..], dialect?: cloud|datacenter, auth?: {kind, ...}}]?

`token` is both the API token (Basic) and the personal access token (Bearer). A principal of a space may
view it and, unless anonymous, write in it. The first page of a space without a parent becomes its
homepage. An account that `sees_all` (default: every admin) passes every door, as
Data Center's administrators do. Other top-level keys (`slack:` and whatever comes) and unknown fields are ignored, so one file
serves several sandboxes. `{{id:Title}}` inside a page body becomes the id of the page with that title.
"""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sandbox.confluence import content as contents
from sandbox.confluence.access import ANONYMOUS
from sandbox.confluence.store import Content, Person, Store, moment, now, stamp

MAX_FILE_BYTES = 50_000_000
WRITE_TARGETS = ("page", "blogpost", "comment", "attachment")


class SeedError(Exception):
    """The seed folder cannot be used; says which file and what is wrong with it."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


def _as_stamp(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return stamp(value if value.tzinfo else moment(value.isoformat()))
    if isinstance(value, date):
        return stamp(moment(value.isoformat()))
    return stamp(moment(str(value)))


class _Dated(_Part):
    created: str | None = None

    _read_created = field_validator("created", mode="before")(_as_stamp)


class SeedPerson(_Part):
    account_id: str
    username: str
    name: str
    email: str = ""
    token: str = ""
    password: str = ""
    groups: list[str] = []
    admin: bool = False
    sees_all: bool | None = None
    time_zone: str = "UTC"


class SeedSpace(_Dated):
    key: str
    name: str
    description: str = ""
    type: str = "global"
    permissions: list[str] = []


class SeedComment(_Dated):
    author: str
    body: str
    inline: bool = False
    resolved: bool = False
    selection: str = ""


class SeedAttachment(_Dated):
    file: str
    media_type: str = "application/octet-stream"
    author: str | None = None


class SeedPage(_Dated):
    id: str = Field(pattern=r"^\d+$")
    space: str
    title: str
    parent: str | None = None
    file: str | None = None
    body: str = ""
    type: str = Field(default="page", pattern="^(page|blogpost|folder|whiteboard|database)$")
    labels: list[str] = []
    status: str = Field(default="current", pattern="^(current|archived|trashed|draft)$")
    restrict: list[str] = []
    restrict_edit: list[str] = []
    author: str
    updated: str | None = None
    comments: list[SeedComment] = []
    attachments: list[SeedAttachment] = []

    _read_updated = field_validator("updated", mode="before")(_as_stamp)


class SeedWebhook(_Part):
    url: str
    events: list[str]
    name: str = "seed"
    dialect: str = "cloud"
    auth: dict[str, str] = {}


class Company(_Part):
    people: list[SeedPerson] = []
    groups: list[str] = []
    spaces: list[SeedSpace] = []
    pages: list[SeedPage] = []
    webhooks: list[SeedWebhook] = []


def load_folder(store: Store, folder: Path) -> None:
    """Add everything the folder describes; webhooks stay silent about it.

    Raises: SeedError naming the file and the entry that is wrong.
    """
    path = folder / "company.yaml"
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as exc:
        raise SeedError(f"{path}: {exc}") from exc
    load_company(store, data, folder)


def load_company(store: Store, data: Any, folder: Path | None = None) -> None:
    """The same from an already parsed mapping; pages may carry `body` instead of `file`."""
    try:
        company = Company.model_validate(data)
    except ValidationError as exc:
        raise SeedError(f"company.yaml: {exc}") from exc
    with store.transaction():
        _add_people(store, company)
        for space in company.spaces:
            _add_space(store, space)
        _add_pages(store, company, folder)
        for hook in company.webhooks:
            _add_webhook(store, hook)


def _add_people(store: Store, company: Company) -> None:
    for name in company.groups:
        store.add_group(name)
    for who in company.people:
        person = Person(
            account_id=who.account_id, username=who.username, name=who.name, email=who.email,
            token=who.token, password=who.password, is_admin=who.admin, sees_all=who.admin if who.sees_all is None else who.sees_all, time_zone=who.time_zone,
        )  # fmt: skip
        store.add_person(person, tuple(who.groups))


def _add_space(store: Store, space: SeedSpace) -> None:
    author = store.people()[0].account_id if store.people() else ""
    store.run(
        "INSERT INTO spaces (id, key, name, type, status, description, homepage_id, author, created) "
        "VALUES (?, ?, ?, ?, 'current', ?, NULL, ?, ?)",
        store.next_id(), space.key, space.name, space.type, space.description, author,
        space.created or now(),
    )  # fmt: skip
    for principal in space.permissions:
        grant_space(store, space.key, principal)


def grant_space(store: Store, key: str, principal: str, *, write: bool = True) -> None:
    """Let `user:…`, `group:…` or `anonymous` view a space and, unless anonymous, write in it.

    Raises: SeedError for a principal that is nobody.
    """
    space = store.space(key)
    check_principal(store, principal, f"space {key}")
    operations = [("read", "space")]
    if write and principal != "anonymous":
        operations += [("create", target) for target in WRITE_TARGETS]
        operations += [("delete", target) for target in WRITE_TARGETS]
    for operation, target in operations:
        store.run(
            "INSERT OR IGNORE INTO space_permissions (space_id, principal, operation, target) "
            "VALUES (?, ?, ?, ?)", space.id, principal, operation, target,
        )  # fmt: skip


def check_principal(store: Store, principal: str, where: str) -> None:
    kind, _, who = principal.partition(":")
    known = (
        principal == "anonymous"
        or (kind == "user" and store.person(who) is not None)
        or (kind == "group" and store.group(who) is not None)
    )
    if not known:
        raise SeedError(f"{where}: unknown principal {principal!r}")


def _add_pages(store: Store, company: Company, folder: Path | None) -> None:
    ids = {(page.space, page.title): page.id for page in company.pages}
    by_title = {page.title: page.id for page in company.pages}
    waiting = list(company.pages)
    while waiting:
        ready = [p for p in waiting if p.parent is None or store.find(ids.get((p.space, p.parent), ""))]
        if not ready:
            stuck = waiting[0]
            raise SeedError(f"page {stuck.id}: no parent titled {stuck.parent!r} in space {stuck.space}")
        for page in ready:
            _add_page(store, page, ids.get((page.space, page.parent or "")), by_title, folder)
        waiting = [page for page in waiting if page not in ready]


def _add_page(
    store: Store, page: SeedPage, parent_id: str | None, by_title: dict[str, str], folder: Path | None
) -> None:
    where = f"page {page.id}"
    author = _author(store, page.author, where)
    body = _read(folder, page.file, where).decode("utf-8") if page.file else page.body
    body = re.sub(r"\{\{id:([^}]+)\}\}", lambda found: by_title.get(found[1], "0"), body)
    space = store.space(page.space)
    added = contents.create(
        store, author, type=page.type, space=space, title=page.title, body=body,
        parent_id=parent_id if page.type != "blogpost" else None, content_id=page.id,
        created=page.created or now(), updated=page.updated or page.created or now(), quiet=True,
        status=page.status,
    )  # fmt: skip
    if page.type == "page" and page.status == "current" and not parent_id and not space.homepage_id:
        store.run("UPDATE spaces SET homepage_id = ? WHERE id = ?", page.id, space.id)
    for name in page.labels:
        store.run("INSERT OR IGNORE INTO label_ids (prefix, name) VALUES ('global', ?)", name.lower())
        store.run("INSERT OR IGNORE INTO labels VALUES (?, 'global', ?)", page.id, name.lower())
    for operation, principals in (("read", page.restrict), ("update", page.restrict_edit)):
        for principal in principals:
            check_principal(store, principal, where)
            store.run("INSERT OR IGNORE INTO restrictions VALUES (?, ?, ?)", page.id, operation, principal)
    _add_belongings(store, page, added, author, folder)


def _add_belongings(
    store: Store, page: SeedPage, added: Content, author: Person, folder: Path | None
) -> None:
    where = f"page {page.id}"
    for note in page.comments:
        contents.comment(
            store, _author(store, note.author, where), added, note.body, inline=note.inline,
            resolved=note.resolved, selection=note.selection, created=note.created, quiet=True,
        )  # fmt: skip
    for file in page.attachments:
        data = _read(folder, file.file, where)
        who = _author(store, file.author, where) if file.author else author
        contents.attach(
            store, who, added, Path(file.file).name, data, file.media_type,
            created=file.created or added.updated, quiet=True,
        )  # fmt: skip


def _add_webhook(store: Store, hook: SeedWebhook) -> None:
    from sandbox.confluence.webhooks import register

    register(store, name=hook.name, url=hook.url, events=hook.events, dialect=hook.dialect, auth=hook.auth)


def _author(store: Store, account_id: str, where: str) -> Person:
    if account_id == "":
        return ANONYMOUS
    person = store.person(account_id)
    if person is None:
        raise SeedError(f"{where}: unknown author {account_id!r}")
    return person


def _read(folder: Path | None, name: str, where: str) -> bytes:
    if folder is None:
        raise SeedError(f"{where}: names the file {name!r} but there is no seed folder")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SeedError(f"{where}: {name!r} lies outside the seed folder")
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SeedError(f"{where}: {name} is larger than {MAX_FILE_BYTES} bytes")
        return path.read_bytes()
    except OSError as exc:
        raise SeedError(f"{where}: {exc}") from exc
