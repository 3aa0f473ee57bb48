"""Acting as a person in the stand-in Slack, and reading what that person then sees."""

import re
import time
from dataclasses import dataclass
from typing import Any

import httpx

from core.errors import Unavailable

LOOKING = "🔎"
LINK = re.compile(r"<(https?://[^|>]+)\|([^>]*)>")


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as a person reads it; `wait_s` is the time from asking."""

    text: str
    wait_s: float


class StandInSlack:
    """One stand-in Slack server."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=70)

    def ask(self, user: str, channel: str, via: str, text: str, *, timeout_s: float = 60.0) -> Seen:
        """Ask as `user` and return the bot's answer once it is there.

        Args:
            via: `command` (/ask), `mention` or `dm`.

        Raises:
            Unavailable: no answer in time.
        """
        place = "@imp" if via == "dm" else f"#{channel}"
        seq = int(self._get("wait", user=user, timeout_s=0.01)["seq"])
        started = time.monotonic()
        if via == "command":
            self._act("command", user=user, channel=place, command="/ask", text=text)
        else:
            words = f"@imp {text}" if via == "mention" else text
            self._act("message", user=user, channel=place, text=words)
        deadline = started + timeout_s
        while time.monotonic() < deadline:
            found = self._get(
                "wait",
                user=user,
                after=seq,
                timeout_s=max(0.1, min(20.0, deadline - time.monotonic())),
                **{"from": "bot"},
            )
            seq = int(found["seq"])
            message = found.get("message")
            if message and not str(message.get("text", "")).startswith(LOOKING):
                return Seen(_readable(message), time.monotonic() - started)
        raise Unavailable(f"no answer in Slack within {timeout_s:.0f} s: {text!r}")

    def announcements(self, channel: str) -> list[str]:
        """What the bot posted in a channel."""
        state = self._get("state")
        return [
            _readable(one) for one in state["messages"] if one.get("channel") == channel and one.get("bot_id")
        ]

    def _act(self, name: str, **body: Any) -> None:
        reply = self._client.post(f"/_sandbox/{name}", json=body)
        if reply.status_code >= 400 or not reply.json().get("ok"):
            raise Unavailable(f"the stand-in Slack refused {name}: {reply.text[:300]}")

    def _get(self, name: str, **params: Any) -> dict[str, Any]:
        reply = self._client.get(f"/_sandbox/{name}", params=params)
        if reply.status_code >= 400:
            raise Unavailable(f"the stand-in Slack refused {name}: {reply.text[:300]}")
        found: dict[str, Any] = reply.json()
        return found


def _readable(message: dict[str, Any]) -> str:
    """The text of all blocks, links as `label (url)`."""
    lines = []
    for block in message.get("blocks") or []:
        if block["type"] == "section" and "text" in block:
            lines.append(block["text"]["text"])
        elif block["type"] == "context":
            lines += [element["text"] for element in block["elements"] if element.get("type") == "mrkdwn"]
    text = "\n".join(lines) or str(message.get("text", ""))
    plain = LINK.sub(lambda match: f"{match[2]} ({match[1]})", text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
