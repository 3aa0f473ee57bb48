"""Response URLs: thirty minutes, five uses; remembers to whom and to which message each belongs."""

import asyncio
import secrets
import time
from dataclasses import dataclass, field

from sandbox.slack.config import Config
from sandbox.slack.errors import SlackError


@dataclass
class Ticket:
    """Where a reply goes: `ts` is the message a button was in (None for a command)."""

    channel: str
    user: str
    ts: str | None
    thread_ts: str | None
    expires_at: float
    n_used: int = 0
    answered: asyncio.Event = field(default_factory=asyncio.Event)


class ResponseUrls:
    def __init__(self, config: Config) -> None:
        self._config = config
        self._tickets: dict[str, Ticket] = {}

    def issue(
        self,
        kind: str,
        team_id: str,
        channel: str,
        user: str,
        ts: str | None = None,
        thread_ts: str | None = None,
    ) -> str:
        """A fresh URL; `kind` is `commands` or `actions`."""
        key = f"{kind}/{team_id}/{secrets.randbelow(10**12)}/{secrets.token_urlsafe(18)}"
        expires_at = time.monotonic() + self._config.response_url_ttl_s
        self._tickets[key] = Ticket(channel, user, ts, thread_ts, expires_at)
        return f"{self._config.public_url}/{key}"

    def find(self, url: str) -> Ticket | None:
        """The ticket behind a whole URL or its key."""
        return self._tickets.get(url.removeprefix(f"{self._config.public_url}/"))

    def take(self, key: str) -> Ticket:
        """Count one use. Raises SlackError when unknown, expired or used up."""
        ticket = self._tickets.get(key)
        if ticket is None:
            raise SlackError("invalid_url")
        if time.monotonic() > ticket.expires_at:
            raise SlackError("expired_url")
        if ticket.n_used >= self._config.response_url_uses:
            raise SlackError("used_url")
        ticket.n_used += 1
        return ticket
