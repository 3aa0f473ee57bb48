"""What one person can see right now, for the web page and for tests; hides others' ephemeral and private things."""

from typing import Any

from sandbox.slack.model import Channel, Message, User
from sandbox.slack.shapes import message_json, view_json
from sandbox.slack.store import Store

Json = dict[str, Any]


def visible(store: Store, user: User, message: Message) -> bool:
    channel = store.channels[message.channel]
    return message.visible_to in (None, user.id) and store.may_read(user.id, channel)


def shown_message(store: Store, message: Message, public_url: str) -> Json:
    """A message with what only the page needs: raw blocks, thread, who may see it, change number."""
    return {
        **message_json(store, message, public_url),
        "channel": message.channel,
        "own_blocks": message.blocks,
        "visible_to": message.visible_to,
        "streaming": message.streaming,
        "broadcast": message.broadcast,
        "state": message.state,
        "icon_emoji": message.icon_emoji,
        "seq": message.seq,
    }


def look(store: Store, user: User, public_url: str) -> Json:
    """Everything the chat page draws for one person."""
    channels = [c for c in store.channels.values() if store.may_read(user.id, c)]
    return {
        "seq": store.seq,
        "team": {"id": store.team.id, "name": store.team.name},
        "bot": {"user_id": store.bot.user_id, "name": store.bot.name, "installed": store.bot.installed},
        "me": user.id,
        "users": {u.id: _who(u) for u in store.users.values()},
        "channels": [_where(store, user, c) for c in channels],
        "messages": {
            c.id: [
                shown_message(store, m, public_url)
                for m in sorted(store.messages[c.id].values(), key=lambda m: float(m.ts))
                if m.visible_to in (None, user.id)
            ]
            for c in channels
        },
        "modals": [_view(store, v) for v in store.open_modals.get(user.id, [])],
        "home": _view(store, store.homes[user.id]) if user.id in store.homes else None,
        "threads": [
            {
                "channel": t.channel,
                "thread_ts": t.thread_ts,
                "status": t.status,
                "title": t.title,
                "prompts_title": t.prompts_title,
                "prompts": t.prompts,
            }
            for t in store.threads.values()
            if store.may_read(user.id, store.channels[t.channel])
        ],
    }


def _view(store: Store, view_id: str) -> Json:
    view = store.views[view_id]
    return {**view_json(store, view), "errors": view.errors}


def _who(user: User) -> Json:
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "is_bot": user.is_bot,
        "is_guest": user.is_guest,
        "is_external": user.is_external,
    }


def _where(store: Store, user: User, channel: Channel) -> Json:
    others = [u for u in channel.members if u != user.id]
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "topic": channel.topic,
        "is_shared": channel.is_shared,
        "members": channel.members,
        "others": others,
        "joined": user.id in channel.members,
        "has_bot": store.bot.user_id in channel.members,
    }
