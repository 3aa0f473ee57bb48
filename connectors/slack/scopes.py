"""The scopes the bot needs, each with what is lost without it."""

NEEDED = {
    "app_mentions:read": "mentions",
    "assistant:write": "the assistant's side panel",
    "channels:history": "threads in channels",
    "channels:read": "who reads a channel",
    "chat:write": "answers",
    "commands": "the slash commands",
    "files:read": "minutes of recordings shared in a channel",
    "groups:history": "threads in private channels",
    "groups:read": "who reads a private channel",
    "im:history": "direct messages",
    "im:write": "direct messages",
    "users:read": "who is who",
    "users:read.email": "linking people by their address",
}


def missing_scopes(header: str | None) -> list[str]:
    """What is not in Slack's `x-oauth-scopes`; nothing when Slack did not say."""
    if not header:
        return []
    given = {scope.strip() for scope in header.split(",")}
    return sorted(set(NEEDED) - given)
