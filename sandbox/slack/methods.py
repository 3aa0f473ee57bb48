"""The table of Web API methods and the scopes they ask for; each `web_api_*` module adds its own rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.slack.call import Call

Handler = Callable[["Call"], dict[str, Any]]

# What a bot is given by default. `chat:write.public` is left out so that `not_in_channel` shows up.
ALL_SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "mpim:write",
    "reactions:read",
    "reactions:write",
    "team:read",
    "usergroups:read",
    "users:read",
    "users:read.email",
)


@dataclass(frozen=True)
class Method:
    """`scopes`: any one of them will do. `token`: the kind of token wanted, None for no token at all."""

    name: str
    handler: Handler
    scopes: tuple[str, ...]
    tier: int
    token: str | None


METHODS: dict[str, Method] = {}


def method(name: str, *scopes: str, tier: int = 3, token: str | None = "bot") -> Callable[[Handler], Handler]:
    """Register a handler under Slack's method name."""

    def register(handler: Handler) -> Handler:
        METHODS[name] = Method(name, handler, scopes, tier, token)
        return handler

    return register
