"""Who is who in Slack: a user's verified address, and everyone who reads a channel."""

from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Any

from slack_sdk import WebClient

from connectors.slack.web import translated

MAX_MEMBERS = 5_000
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SlackUser:
    """`email` only where Slack shows it and says it is confirmed; `is_external`: of another organization."""

    id: str
    name: str
    email: str | None
    is_bot: bool
    is_external: bool


@dataclass(frozen=True, slots=True)
class Workspace:
    """The workspace the bot is installed in."""

    team_id: str
    enterprise_id: str | None


_known: dict[tuple[str, str | None], Workspace] = {}
_lock = Lock()


def workspace(client: WebClient) -> Workspace:
    """Asked of Slack once a process and token."""
    key = (client.base_url, client.token)
    with _lock:
        if key not in _known:
            with translated("the bot's own account"):
                reply = client.auth_test()
            _known[key] = Workspace(reply["team_id"], reply.get("enterprise_id"))
        return _known[key]


def user(client: WebClient, user_id: str) -> SlackUser:
    """Raises NotFound when there is no such user (any more)."""
    with translated(f"user {user_id}"):
        found: Json = client.users_info(user=user_id)["user"]
    return _user(found, workspace(client))


def everyone(client: WebClient) -> Iterator[SlackUser]:
    """All users Slack lists, page by page; people of other organizations may be missing."""
    ours, cursor = workspace(client), None
    while True:
        with translated("the list of users"):
            reply = client.users_list(cursor=cursor, limit=500)
        yield from (_user(found, ours) for found in reply["members"])
        cursor = (reply.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return


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


def _user(found: Json, ours: Workspace) -> SlackUser:
    profile = found.get("profile") or {}
    is_verified = found.get("is_email_confirmed", True) and not found.get("deleted")
    return SlackUser(
        id=found["id"],
        name=profile.get("real_name") or found.get("real_name") or found.get("name") or found["id"],
        email=profile.get("email") if is_verified else None,
        is_bot=bool(found.get("is_bot")) or found["id"] == "USLACKBOT",
        is_external=_is_external(found, ours),
    )


def _is_external(found: Json, ours: Workspace) -> bool:
    """Another organization vouches for this person's address, so we do not believe it.

    `is_stranger` is only said of people who share no channel with us; the home workspace tells the rest.
    """
    if found.get("is_stranger"):
        return True
    home = found.get("team_id")
    if not home or home == ours.team_id:
        return False
    enterprise = (found.get("enterprise_user") or {}).get("enterprise_id")
    return enterprise is None or enterprise != ours.enterprise_id
