"""One Web API call as its handler sees it: typed access to arguments, scope checks, cursor pages."""

import base64
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.slack.errors import SlackError
from sandbox.slack.json_in import strict_json
from sandbox.slack.model import Channel, Token
from sandbox.slack.store import Store
from sandbox.slack.workspace import Sandbox

T = TypeVar("T")
READ = {"channel": "channels:read", "group": "groups:read", "im": "im:read", "mpim": "mpim:read"}
HISTORY = {
    "channel": "channels:history",
    "group": "groups:history",
    "im": "im:history",
    "mpim": "mpim:history",
}


@dataclass
class Call:
    """Arguments of one call, from query, form or JSON alike. Accessors raise SlackError on bad input."""

    sandbox: Sandbox
    method: str
    args: dict[str, Any]
    token: Token | None
    public_url: str

    @property
    def store(self) -> Store:
        return self.sandbox.store

    def text(self, name: str, default: str = "") -> str:
        value = self.args.get(name)
        return default if value is None else str(value)

    def required(self, name: str, error: str = "invalid_arguments") -> str:
        value = self.text(name)
        if not value:
            messages = [f"[ERROR] missing required field: {name}"]
            extra = {"response_metadata": {"messages": messages}} if error == "invalid_arguments" else {}
            raise SlackError(error, **extra)
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.args.get(name)
        return default if value is None else str(value).lower() in ("1", "true")

    def number(self, name: str, default: int, low: int, high: int, error: str = "invalid_limit") -> int:
        try:
            value = int(self.args.get(name) or default)
        except (TypeError, ValueError):
            raise SlackError(error) from None
        if not low <= value <= high:
            raise SlackError(error)
        return value

    def stamp(self, name: str, default: float) -> float:
        """A message timestamp as seconds."""
        try:
            return float(self.text(name) or default)
        except ValueError:
            raise SlackError(f"invalid_ts_{name}") from None

    def names(self, name: str) -> list[str]:
        """A list given as JSON array, list or comma-joined text."""
        value = self.args.get(name)
        if isinstance(value, str) and not value.startswith("["):
            return [part.strip() for part in value.split(",") if part.strip()]
        parts = self.json(name) or []
        if not isinstance(parts, list):
            raise SlackError("invalid_array_arg")
        return [str(part) for part in parts]

    def json(self, name: str, error: str = "invalid_arguments") -> Any:
        """A structured argument: already JSON in a JSON body, JSON text in a form. None when absent."""
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        try:
            return strict_json(value) if value else None
        except ValueError:
            raise SlackError(error) from None

    def need(self, scope: str) -> None:
        if self.token and scope not in self.token.scopes:
            raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(self.token.scopes)))

    def channel(self, name: str = "channel", member: bool = False) -> Channel:
        """The conversation the bot may see; others' private ones do not exist for it."""
        wanted = self.required(name, "channel_not_found")
        store = self.store
        channel = store.channels.get(wanted) or store.channel_named(wanted)
        if channel is None or (channel.kind != "channel" and store.bot.user_id not in channel.members):
            raise SlackError("channel_not_found")
        if member and store.bot.user_id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def page(self, items: list[T], default: int = 100, high: int = 1000) -> tuple[list[T], str]:
        """One page of `items` and the cursor of the next ("" at the end)."""
        limit = self.number("limit", default, 1, high)
        start = _read_cursor(self.text("cursor"))
        if start > len(items):
            raise SlackError("invalid_cursor")
        following = start + limit
        return items[start:following], _cursor(following) if following < len(items) else ""


def _cursor(offset: int) -> str:
    return base64.b64encode(f"offset:{offset}".encode()).decode()


def _read_cursor(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        label, _, offset = base64.b64decode(cursor, validate=True).decode().partition(":")
        if label != "offset" or int(offset) < 0:
            raise ValueError(cursor)
        return int(offset)
    except ValueError:
        raise SlackError("invalid_cursor") from None
