"""Web API: reactions.add, remove and get."""

from typing import Any

from sandbox.slack import events
from sandbox.slack.call import Call
from sandbox.slack.errors import SlackError
from sandbox.slack.methods import method
from sandbox.slack.model import Message
from sandbox.slack.shapes import message_json
from sandbox.slack.workspace import Sandbox


def react(sandbox: Sandbox, user: str, message: Message, name: str) -> None:
    """Add one reaction of a user. Raises SlackError `already_reacted`."""
    users = message.reactions.setdefault(name, [])
    if user in users:
        raise SlackError("already_reacted")
    users.append(user)
    sandbox.store.changed(message)
    events.reaction(sandbox, "reaction_added", user, name, message)


def unreact(sandbox: Sandbox, user: str, message: Message, name: str) -> None:
    users = message.reactions.get(name, [])
    if user not in users:
        raise SlackError("no_reaction")
    users.remove(user)
    if not users:
        del message.reactions[name]
    sandbox.store.changed(message)
    events.reaction(sandbox, "reaction_removed", user, name, message)


def _message(call: Call) -> Message:
    channel = call.channel(member=True)
    message = call.store.message(channel.id, call.required("timestamp", "no_item_specified"))
    if message.visible_to:
        raise SlackError("message_not_found")
    return message


def _name(call: Call) -> str:
    name = call.text("name").strip(":")
    if not name or not name.replace("_", "").replace("-", "").replace("+", "").replace(":", "").isalnum():
        raise SlackError("invalid_name")
    return name


@method("reactions.add", "reactions:write")
def reactions_add(call: Call) -> dict[str, Any]:
    react(call.sandbox, call.store.bot.user_id, _message(call), _name(call))
    return {}


@method("reactions.remove", "reactions:write", tier=2)
def reactions_remove(call: Call) -> dict[str, Any]:
    unreact(call.sandbox, call.store.bot.user_id, _message(call), _name(call))
    return {}


@method("reactions.get", "reactions:read")
def reactions_get(call: Call) -> dict[str, Any]:
    message = _message(call)
    shown = message_json(call.store, message, call.public_url)
    return {"type": "message", "channel": message.channel, "message": shown}
