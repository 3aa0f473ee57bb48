"""Web API: conversations.* as the bot sees them."""

from typing import Any

from sandbox.slack import events
from sandbox.slack.call import HISTORY, READ, Call
from sandbox.slack.errors import SlackError
from sandbox.slack.methods import method
from sandbox.slack.model import Channel, Message
from sandbox.slack.shapes import channel_json, message_json

TYPES = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
ANY_READ = tuple(READ.values())
ANY_HISTORY = tuple(HISTORY.values())


def channels_of(call: Call, user: str | None) -> list[Channel]:
    """Conversations of the wanted `types` the bot may list, only those of `user` when given."""
    types = call.names("types") or ["public_channel"]
    if any(t not in TYPES for t in types):
        raise SlackError("invalid_types")
    kinds = {TYPES[t] for t in types}
    for kind in sorted(kinds):
        call.need(READ[kind])
    bot = call.store.bot.user_id
    return [
        c
        for c in call.store.channels.values()
        if c.kind in kinds
        and (c.kind == "channel" or bot in c.members)
        and (user is None or user in c.members)
        and not (call.flag("exclude_archived") and c.is_archived)
    ]


@method("conversations.list", *ANY_READ, tier=2)
def conversations_list(call: Call) -> dict[str, Any]:
    page, cursor = call.page(channels_of(call, None), high=1000)
    channels = [channel_json(call.store, c) for c in page]
    return {"channels": channels, "response_metadata": {"next_cursor": cursor}}


@method("users.conversations", *ANY_READ)
def users_conversations(call: Call) -> dict[str, Any]:
    user = call.text("user", call.store.bot.user_id)
    call.store.user(user)
    page, cursor = call.page(channels_of(call, user), high=1000)
    channels = [channel_json(call.store, c, n_members=False) for c in page]
    return {"channels": channels, "response_metadata": {"next_cursor": cursor}}


@method("conversations.info", *ANY_READ)
def conversations_info(call: Call) -> dict[str, Any]:
    channel = call.channel()
    call.need(READ[channel.kind])
    return {"channel": channel_json(call.store, channel, call.flag("include_num_members"))}


@method("conversations.members", *ANY_READ, tier=4)
def conversations_members(call: Call) -> dict[str, Any]:
    channel = call.channel()
    call.need(READ[channel.kind])
    page, cursor = call.page(channel.members)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def _within(call: Call, messages: list[Message]) -> list[Message]:
    """Those between `oldest` and `latest`; the limits themselves count only when `inclusive`."""
    inclusive = call.flag("inclusive")
    oldest, latest = call.stamp("oldest", 0.0), call.stamp("latest", float("inf"))
    if inclusive:
        return [m for m in messages if oldest <= float(m.ts) <= latest]
    return [m for m in messages if oldest < float(m.ts) < latest]


@method("conversations.history", *ANY_HISTORY)
def conversations_history(call: Call) -> dict[str, Any]:
    channel = call.channel(member=True)
    call.need(HISTORY[channel.kind])
    roots = [
        m
        for m in call.store.messages[channel.id].values()
        if m.visible_to is None and (m.thread_ts in (None, m.ts) or m.broadcast)
    ]
    ordered = sorted(_within(call, roots), key=lambda m: float(m.ts), reverse=True)
    page, cursor = call.page(ordered, high=999)
    return {
        "messages": [message_json(call.store, m, call.public_url) for m in page],
        "has_more": bool(cursor),
        "pin_count": 0,
        "channel_actions_ts": None,
        "channel_actions_count": 0,
        **({"response_metadata": {"next_cursor": cursor}} if cursor else {}),
    }


@method("conversations.replies", *ANY_HISTORY)
def conversations_replies(call: Call) -> dict[str, Any]:
    channel = call.channel(member=True)
    call.need(HISTORY[channel.kind])
    root = call.store.message(channel.id, call.required("ts", "thread_not_found"), "thread_not_found")
    if root.visible_to:
        raise SlackError("thread_not_found")
    replies = sorted(_within(call, call.store.replies(channel.id, root.ts)), key=lambda m: float(m.ts))
    page, cursor = call.page([root, *replies], default=1000)
    return {
        "messages": [message_json(call.store, m, call.public_url) for m in page],
        "has_more": bool(cursor),
        **({"response_metadata": {"next_cursor": cursor}} if cursor else {}),
    }


@method("conversations.open", "im:write", "mpim:write")
def conversations_open(call: Call) -> dict[str, Any]:
    users = call.names("users")
    if call.text("channel"):
        channel, already = call.channel(), True
    elif not users:
        raise SlackError("users_list_not_supplied")
    elif len(users) > 8:
        raise SlackError("too_many_users")
    else:
        for user in users:
            call.store.user(user)
        channel, already = call.store.direct_channel([call.store.bot.user_id, *users])
    full = call.flag("return_im")
    shown = channel_json(call.store, channel) if full else {"id": channel.id}
    return {"channel": shown, **({"no_op": True, "already_open": True} if already else {})}


@method("conversations.join", "channels:join")
def conversations_join(call: Call) -> dict[str, Any]:
    channel = call.channel()
    if channel.kind != "channel":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    bot = call.store.bot.user_id
    if bot in channel.members:
        metadata = {"warnings": ["already_in_channel"]}
        return {
            "channel": channel_json(call.store, channel),
            "warning": "already_in_channel",
            "response_metadata": metadata,
        }
    channel.members.append(bot)
    call.store.touch()
    events.member_joined(call.sandbox, channel, bot)
    return {"channel": channel_json(call.store, channel, n_members=False)}
