"""The workspace in memory: finds, adds and changes things and wakes whoever waits; knows no HTTP and no JSON shapes.

Everything runs on one event loop, so no method here locks.
"""

import asyncio
import secrets
import string
import time
from collections.abc import Iterator

from sandbox.slack.errors import SlackError
from sandbox.slack.model import (
    AssistantThread,
    Bot,
    Channel,
    File,
    Message,
    Team,
    Token,
    User,
    UserGroup,
    View,
)

ALPHABET = string.ascii_uppercase + string.digits


def new_id(prefix: str, n_chars: int = 10) -> str:
    """A Slack-looking identifier, e.g. `F0A1B2C3D4E`."""
    return prefix + "0" + "".join(secrets.choice(ALPHABET) for _ in range(n_chars - 1))


class Store:
    """All state of one workspace. `seq` counts changes; `wait_change` sleeps until it grows."""

    def __init__(self, team: Team, bot: Bot) -> None:
        self.team = team
        self.bot = bot
        self.tokens: dict[str, Token] = {}
        self.users: dict[str, User] = {}
        self.groups: dict[str, UserGroup] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, dict[str, Message]] = {}
        self.files: dict[str, File] = {}
        self.views: dict[str, View] = {}
        self.open_modals: dict[str, list[str]] = {}
        self.homes: dict[str, str] = {}
        self.threads: dict[tuple[str, str], AssistantThread] = {}
        self.oauth_codes: set[str] = set()
        self.seq = 0
        self._last_us = 0
        self._sleepers: set[asyncio.Future[None]] = set()

    def touch(self) -> int:
        """Count one change and wake all sleepers."""
        self.seq += 1
        for sleeper in self._sleepers:
            if not sleeper.done():
                sleeper.set_result(None)
        self._sleepers.clear()
        return self.seq

    async def wait_change(self, timeout_s: float) -> bool:
        """True when something changed within `timeout_s`."""
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.add(sleeper)
        try:
            await asyncio.wait_for(sleeper, timeout_s)
        except TimeoutError:
            return False
        finally:
            self._sleepers.discard(sleeper)
        return True

    def new_ts(self) -> str:
        """A message timestamp, unique and rising."""
        self._last_us = max(time.time_ns() // 1000, self._last_us + 1)
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"

    def user(self, user_id: str) -> User:
        if user_id not in self.users:
            raise SlackError("user_not_found")
        return self.users[user_id]

    def channel(self, channel_id: str) -> Channel:
        if channel_id not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel_id]

    def channel_named(self, name: str) -> Channel | None:
        wanted = name.lstrip("#")
        return next((c for c in self.channels.values() if c.name and c.name == wanted), None)

    def add_channel(self, channel: Channel) -> Channel:
        channel.created = channel.created or int(time.time())
        self.channels[channel.id] = channel
        self.messages.setdefault(channel.id, {})
        return channel

    def direct_channel(self, user_ids: list[str]) -> tuple[Channel, bool]:
        """The DM (two people) or group DM of exactly these people, and whether it was there already."""
        members = sorted(set(user_ids))
        for channel in self.channels.values():
            if channel.kind in ("im", "mpim") and sorted(channel.members) == members:
                return channel, True
        kind = "im" if len(members) <= 2 else "mpim"
        name = "" if kind == "im" else "mpdm-" + "--".join(self.users[u].name for u in members) + "-1"
        channel_id = new_id("D" if kind == "im" else "G")
        return self.add_channel(Channel(channel_id, name, kind, list(members))), False  # type: ignore[arg-type]

    def add_message(self, message: Message) -> Message:
        message.seq = self.touch()
        self.messages[message.channel][message.ts] = message
        return message

    def changed(self, message: Message) -> Message:
        message.seq = self.touch()
        return message

    def message(self, channel_id: str, ts: str, error: str = "message_not_found") -> Message:
        found = self.messages.get(channel_id, {}).get(ts)
        if found is None:
            raise SlackError(error)
        return found

    def remove_message(self, message: Message) -> None:
        self.messages[message.channel].pop(message.ts, None)
        self.touch()

    def replies(self, channel_id: str, thread_ts: str) -> list[Message]:
        """Public replies of a thread, oldest first, without its root."""
        return [
            m
            for m in self.messages[channel_id].values()
            if m.thread_ts == thread_ts and m.ts != thread_ts and m.visible_to is None
        ]

    def all_messages(self) -> Iterator[Message]:
        for per_channel in self.messages.values():
            yield from per_channel.values()

    def may_read(self, user_id: str, channel: Channel) -> bool:
        """Members read; everyone but guests and outsiders reads public channels."""
        if user_id in channel.members:
            return True
        user = self.users[user_id]
        return channel.kind == "channel" and not (user.is_guest or user.is_external)
