"""Fills a store from `company.yaml`, or with a small default workspace; checks what it reads, names what is wrong."""

from pathlib import Path
from typing import Any

import yaml

from sandbox.slack.methods import ALL_SCOPES
from sandbox.slack.model import Bot, Channel, Message, Team, Token, User, UserGroup
from sandbox.slack.rich_text import encode_typed
from sandbox.slack.store import Store

Json = dict[str, Any]
DEFAULT_BOT_TOKEN = "xoxb-sandbox"
DEFAULT_APP_TOKEN = "xapp-sandbox"
DEFAULT_PEOPLE: list[Json] = [
    {
        "username": "ada",
        "name": "Ada Weber",
        "email": "ada@example.com",
        "slack_id": "U0ADA00001",
        "groups": ["eng"],
    },
    {
        "username": "ben",
        "name": "Ben Ortiz",
        "email": "ben@example.com",
        "slack_id": "U0BEN00001",
        "groups": ["eng"],
    },
    {
        "username": "chi",
        "name": "Chi Okafor",
        "email": "chi@example.com",
        "slack_id": "U0CHI00001",
        "groups": [],
    },
    {
        "username": "gus",
        "name": "Gus Guest",
        "email": "gus@example.org",
        "slack_id": "U0GUS00001",
        "guest": True,
    },
    {
        "username": "eve",
        "name": "Eve Partner",
        "email": "eve@partner.example",
        "slack_id": "U0EVE00001",
        "external": True,
    },
]


class SeedError(ValueError):
    """The company file cannot be used; the message says where and why."""


def load_store(seed_dir: Path | None) -> Store:
    """A fresh store. Raises SeedError when the file is missing, is not YAML or contradicts itself."""
    company = _read(seed_dir) if seed_dir else {}
    slack: Json = company.get("slack") or {}
    team_spec = {"id": "T0SANDBOX1", "name": "Sandbox", "domain": "sandbox"} | (slack.get("team") or {})
    bot_spec: Json = {"user_id": "U0IMP00001", "name": "imp", "token": DEFAULT_BOT_TOKEN} | (
        slack.get("bot") or {}
    )
    team = Team(*(str(team_spec[k]) for k in ("id", "name", "domain")))
    bot = Bot(
        user_id=bot_spec["user_id"],
        name=bot_spec["name"],
        bot_id=bot_spec.get("bot_id", "B0IMP00001"),
        app_id=bot_spec.get("app_id", "A0IMP00001"),
    )
    store = Store(team, bot)
    scopes = frozenset(bot_spec.get("scopes") or ALL_SCOPES)
    store.tokens[bot_spec["token"]] = Token(bot_spec["token"], "bot", scopes)
    app_token = bot_spec.get("app_token", DEFAULT_APP_TOKEN)
    store.tokens[app_token] = Token(app_token, "app", frozenset({"connections:write"}))
    _add_people(store, company.get("people") or DEFAULT_PEOPLE)
    _add_channels(store, slack.get("channels") or _default_channels(store))
    return store


def _read(seed_dir: Path) -> Json:
    path = seed_dir / "company.yaml"
    try:
        company = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise SeedError(f"cannot read {path}: {exc.strerror}") from exc
    except yaml.YAMLError as exc:
        raise SeedError(f"{path} is not YAML: {exc}") from exc
    if not isinstance(company, dict):
        raise SeedError(f"{path} must hold a mapping at its top")
    return company


def _add_people(store: Store, people: list[Json]) -> None:
    bot = store.bot
    store.users[bot.user_id] = User(bot.user_id, bot.name, bot.name, "", is_bot=True, team_id=store.team.id)
    store.users["USLACKBOT"] = User("USLACKBOT", "slackbot", "Slackbot", "", team_id=store.team.id)
    members: dict[str, list[str]] = {}
    for person in people:
        slack_id = person.get("slack_id")
        if not slack_id:
            continue
        outside = bool(person.get("external"))
        try:
            store.users[slack_id] = User(
                id=slack_id,
                name=person["username"],
                real_name=person["name"],
                email=person.get("email", ""),
                groups=tuple(person.get("groups") or ()),
                is_guest=bool(person.get("guest")),
                is_external=outside,
                deleted=bool(person.get("deactivated")),
                team_id="T0EXTERNAL" if outside else store.team.id,
            )
        except KeyError as exc:
            raise SeedError(f"person {slack_id} has no {exc.args[0]}") from exc
        for group in person.get("groups") or ():
            members.setdefault(group, []).append(slack_id)
    for i, (name, ids) in enumerate(sorted(members.items())):
        group_id = f"S0GROUP{i:04d}"
        store.groups[group_id] = UserGroup(group_id, name.lower().replace(" ", "-"), name, ids)


def _add_channels(store: Store, channels: list[Json]) -> None:
    for spec in channels:
        members = list(spec.get("members") or [])
        if spec.get("bot", False) and store.bot.user_id not in members:
            members.append(store.bot.user_id)
        unknown = [m for m in members if m not in store.users]
        if unknown:
            raise SeedError(f"channel {spec.get('name')}: unknown members {', '.join(unknown)}")
        channel = store.add_channel(
            Channel(
                id=spec["id"],
                name=spec["name"],
                kind="group" if spec.get("private") else "channel",
                members=members,
                topic=spec.get("topic") or "",
                purpose=spec.get("purpose") or "",
                is_shared=bool(spec.get("shared")),
                is_general=spec["name"] == "general",
                creator=members[0] if members else store.bot.user_id,
                created=1700000000,
            )
        )
        for message in spec.get("messages") or []:
            _add_message(store, channel, message)


def _add_message(store: Store, channel: Channel, spec: Json) -> None:
    if spec["user"] not in store.users:
        raise SeedError(f"channel {channel.name}: a message by unknown user {spec['user']}")
    ts = spec.get("ts")
    store.add_message(
        Message(
            channel=channel.id,
            ts=store.new_ts() if ts is None else ts if isinstance(ts, str) else f"{float(ts):.6f}",
            user=spec["user"],
            text=encode_typed(store, spec["text"]),
            thread_ts=str(spec["thread_ts"]) if spec.get("thread_ts") else None,
            by_bot=spec["user"] == store.bot.user_id,
        )
    )


def _default_channels(store: Store) -> list[Json]:
    inside = [u.id for u in store.users.values() if _is_human(u) and not u.is_external]
    staff = [u for u in inside if not store.users[u].is_guest]
    everyone = [u.id for u in store.users.values() if _is_human(u)]
    return [
        {"id": "C0GENERAL1", "name": "general", "members": inside, "bot": True, "topic": "Company news"},
        {"id": "C0PROJECT1", "name": "project-x", "members": staff, "bot": True, "topic": "Project X"},
        {"id": "C0RANDOM01", "name": "random", "members": staff, "bot": False, "topic": "Anything goes"},
        {"id": "G0LEADS001", "name": "leads", "members": staff[:2], "private": True, "bot": True},
        {"id": "C0PARTNER1", "name": "ext-partner", "members": everyone, "shared": True, "bot": True},
    ]


def _is_human(user: User) -> bool:
    return not user.is_bot and user.id != "USLACKBOT"
