"""Says what happened in the workspace as Events API events; posts nothing itself and asks nobody for an answer."""

from typing import Any

from sandbox.slack.model import Channel, File, Message
from sandbox.slack.shapes import Json, message_json, view_json
from sandbox.slack.workspace import Sandbox

CHANNEL_TYPES = {"channel": "channel", "group": "group", "im": "im", "mpim": "mpim"}


def hears(sandbox: Sandbox, channel: Channel) -> bool:
    """Events reach the bot only from conversations it belongs to."""
    return sandbox.store.bot.user_id in channel.members


def message_posted(sandbox: Sandbox, message: Message) -> list[str]:
    """`message`, and `app_mention` too where a person names the bot outside a DM; returns event ids."""
    channel = sandbox.store.channel(message.channel)
    if message.visible_to or not hears(sandbox, channel):
        return []
    body = message_json(sandbox.store, message, sandbox.config.public_url)
    common = {"channel": channel.id, "event_ts": message.ts}
    event_ids = []
    mentioned = f"<@{sandbox.store.bot.user_id}" in message.text
    if mentioned and not message.by_bot and channel.kind != "im":
        event_ids.append(sandbox.deliveries.event({**body, "type": "app_mention", **common}, channel))
    event = {**body, **common, "channel_type": CHANNEL_TYPES[channel.kind]}
    event_ids.append(sandbox.deliveries.event(event, channel))
    return event_ids


def message_changed(sandbox: Sandbox, message: Message, before: Json) -> None:
    channel = sandbox.store.channel(message.channel)
    if not hears(sandbox, channel):
        return
    after = message_json(sandbox.store, message, sandbox.config.public_url)
    _hidden(sandbox, channel, "message_changed", {"message": after, "previous_message": before})


def message_deleted(sandbox: Sandbox, message: Message, before: Json) -> None:
    channel = sandbox.store.channel(message.channel)
    if hears(sandbox, channel):
        _hidden(sandbox, channel, "message_deleted", {"deleted_ts": message.ts, "previous_message": before})


def _hidden(sandbox: Sandbox, channel: Channel, subtype: str, extra: Json) -> None:
    ts = sandbox.store.new_ts()
    event = {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "channel": channel.id,
        "channel_type": CHANNEL_TYPES[channel.kind],
        "ts": ts,
        "event_ts": ts,
        **extra,
    }
    sandbox.deliveries.event(event, channel)


def reaction(sandbox: Sandbox, kind: str, user: str, name: str, message: Message) -> None:
    """`kind` is `reaction_added` or `reaction_removed`."""
    channel = sandbox.store.channel(message.channel)
    if hears(sandbox, channel):
        event = {
            "type": kind,
            "user": user,
            "reaction": name,
            "item_user": message.user,
            "item": {"type": "message", "channel": channel.id, "ts": message.ts},
            "event_ts": sandbox.store.new_ts(),
        }
        sandbox.deliveries.event(event, channel)


def member_joined(sandbox: Sandbox, channel: Channel, user: str, inviter: str | None = None) -> None:
    if hears(sandbox, channel):
        event = {
            "type": "member_joined_channel",
            "user": user,
            "channel": channel.id,
            "channel_type": "C" if channel.kind == "channel" else "G",
            "team": sandbox.store.team.id,
            "event_ts": sandbox.store.new_ts(),
            **({"inviter": inviter} if inviter else {}),
        }
        sandbox.deliveries.event(event, channel)


def member_left(sandbox: Sandbox, channel: Channel, user: str) -> None:
    event = {
        "type": "member_left_channel",
        "user": user,
        "channel": channel.id,
        "channel_type": "C" if channel.kind == "channel" else "G",
        "team": sandbox.store.team.id,
        "event_ts": sandbox.store.new_ts(),
    }
    sandbox.deliveries.event(event, channel)


def file_shared(sandbox: Sandbox, file: File, channel: Channel) -> None:
    if hears(sandbox, channel):
        event = {
            "type": "file_shared",
            "file_id": file.id,
            "user_id": file.user,
            "file": {"id": file.id},
            "channel_id": channel.id,
            "event_ts": sandbox.store.new_ts(),
        }
        sandbox.deliveries.event(event, channel)


def file_deleted(sandbox: Sandbox, file: File) -> None:
    event = {"type": "file_deleted", "file_id": file.id, "event_ts": sandbox.store.new_ts()}
    sandbox.deliveries.event(event)


def home_opened(sandbox: Sandbox, user: str, channel: Channel, tab: str) -> None:
    store = sandbox.store
    view = store.views.get(store.homes.get(user, ""))
    event: dict[str, Any] = {
        "type": "app_home_opened",
        "user": user,
        "channel": channel.id,
        "tab": tab,
        "event_ts": store.new_ts(),
    }
    if view and tab == "home":
        event["view"] = view_json(store, view)
    sandbox.deliveries.event(event, channel)


def assistant(
    sandbox: Sandbox, kind: str, channel: Channel, user: str, thread_ts: str, context: Json
) -> None:
    """`kind` is `assistant_thread_started` or `assistant_thread_context_changed`."""
    thread = {"user_id": user, "context": context, "channel_id": channel.id, "thread_ts": thread_ts}
    event = {"type": kind, "assistant_thread": thread, "event_ts": sandbox.store.new_ts()}
    sandbox.deliveries.event(event, channel)


def uninstalled(sandbox: Sandbox) -> None:
    """`tokens_revoked`, then `app_uninstalled`."""
    store = sandbox.store
    tokens = {"oauth": [], "bot": [store.bot.user_id]}
    sandbox.deliveries.event({"type": "tokens_revoked", "tokens": tokens, "event_ts": store.new_ts()})
    sandbox.deliveries.event({"type": "app_uninstalled", "event_ts": store.new_ts()})
