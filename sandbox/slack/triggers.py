"""Trigger ids: each opens one modal for one user within three seconds, as in Slack."""

import secrets
import time
from dataclasses import dataclass

from sandbox.slack.errors import SlackError


@dataclass
class Trigger:
    user: str
    expires_at: float
    used: bool = False


class Triggers:
    def __init__(self, ttl_s: float) -> None:
        self._ttl_s = ttl_s
        self._known: dict[str, Trigger] = {}

    def issue(self, user: str) -> str:
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**11)}.{secrets.token_hex(16)}"
        self._known[trigger_id] = Trigger(user, time.monotonic() + self._ttl_s)
        return trigger_id

    def take(self, trigger_id: str) -> str:
        """The user behind it. Raises SlackError when unknown, used or too old."""
        trigger = self._known.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if time.monotonic() > trigger.expires_at:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger.user
