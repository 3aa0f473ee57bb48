"""Who is who in Slack: a user's verified address, and everyone who reads a channel."""

from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient

from connectors.slack.web import translated

MAX_MEMBERS = 5_000


@dataclass(frozen=True, slots=True)
class SlackUser:
    """`email` only where Slack shows it and says it is confirmed; `is_external`: of another organization."""

    id: str
    name: str
    email: str | None
    is_bot: bool
    is_external: bool


def user(client: WebClient, user_id: str) -> SlackUser:
    """Raises NotFound when there is no such user (any more)."""
    with translated(f"user {user_id}"):
        found: dict[str, Any] = client.users_info(user=user_id)["user"]
    profile = found.get("profile") or {}
    is_verified = found.get("is_email_confirmed", True) and not found.get("deleted")
    return SlackUser(
        id=user_id,
        name=profile.get("real_name") or found.get("real_name") or found.get("name") or user_id,
        email=profile.get("email") if is_verified else None,
        is_bot=bool(found.get("is_bot")),
        is_external=bool(found.get("is_stranger")),
    )


def members(client: WebClient, channel: str) -> list[str] | None:
    """User ids of everyone in the channel; None when there are too many to look at one by one."""
    found: list[str] = []
    cursor = None
    while True:
        with translated(f"members of channel {channel}"):
            reply = client.conversations_members(channel=channel, cursor=cursor, limit=1000)
        found += reply["members"]
        cursor = (reply.get("response_metadata") or {}).get("next_cursor")
        if len(found) > MAX_MEMBERS:
            return None
        if not cursor:
            return found
