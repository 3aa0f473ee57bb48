"""How users, channels, messages, files and views look on the wire; reads the store, changes nothing."""

from typing import Any

from sandbox.slack.model import Channel, File, Message, User, View
from sandbox.slack.rich_text import rich_text_block
from sandbox.slack.store import Store

Json = dict[str, Any]
COLORS = ("9f69e7", "4bbe2e", "e7392d", "3c989f", "674b1b", "e96699", "684b6c", "5b89d5")


def user_json(store: Store, user: User, with_email: bool) -> Json:
    """A user object; Slack leaves the e-mail out without `users:read.email` and for other workspaces."""
    first, _, last = user.real_name.partition(" ")
    shared = any(user.id in c.members and store.bot.user_id in c.members for c in store.channels.values())
    profile: Json = {
        "title": "",
        "phone": "",
        "skype": "",
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": "" if user.is_bot else user.name,
        "display_name_normalized": "" if user.is_bot else user.name,
        "first_name": first,
        "last_name": last,
        "status_text": "",
        "status_emoji": "",
        "status_expiration": 0,
        "avatar_hash": "sandbox",
        "team": user.team_id,
        **{
            f"image_{n}": f"https://avatars.example.com/{user.id}_{n}.png" for n in (24, 32, 48, 72, 192, 512)
        },
    }
    if user.is_bot:
        profile |= {"bot_id": store.bot.bot_id, "api_app_id": store.bot.app_id, "always_active": True}
    elif with_email and not user.is_external:
        profile["email"] = user.email
    return {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "color": COLORS[sum(map(ord, user.id)) % len(COLORS)],
        "real_name": user.real_name,
        "tz": "Europe/Berlin",
        "tz_label": "Central European Time",
        "tz_offset": 3600,
        "profile": profile,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.is_guest,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_email_confirmed": not user.is_bot,
        "updated": 1700000000,
        "who_can_share_contact_card": "EVERYONE",
        **({"is_stranger": not shared} if user.is_external else {}),
    }


def channel_json(store: Store, channel: Channel, n_members: bool = True) -> Json:
    """A conversation as the bot sees it: a channel, private channel, DM or group DM."""
    base: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.is_archived,
        "is_im": channel.kind == "im",
        "is_org_shared": False,
        "context_team_id": store.team.id,
        "updated": channel.created * 1000,
    }
    if channel.kind == "im":
        other = next((u for u in channel.members if u != store.bot.user_id), store.bot.user_id)
        return base | {"user": other, "is_user_deleted": store.users[other].deleted, "priority": 0}
    note = {"creator": channel.creator, "last_set": channel.created}
    base |= {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.kind != "channel",
        "is_general": channel.is_general,
        "is_shared": channel.is_shared,
        "is_ext_shared": channel.is_shared,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "pending_connected_team_ids": [],
        "parent_conversation": None,
        "unlinked": 0,
        "creator": channel.creator,
        "shared_team_ids": [store.team.id] + (["T0EXTERNAL"] if channel.is_shared else []),
        "is_member": store.bot.user_id in channel.members,
        "topic": {"value": channel.topic, **note},
        "purpose": {"value": channel.purpose, **note},
        "previous_names": [],
    }
    return base | ({"num_members": len(channel.members)} if n_members else {})


def bot_profile(store: Store) -> Json:
    icons = {f"image_{n}": f"https://avatars.example.com/{store.bot.bot_id}_{n}.png" for n in (36, 48, 72)}
    return {
        "id": store.bot.bot_id,
        "app_id": store.bot.app_id,
        "user_id": store.bot.user_id,
        "name": store.bot.name,
        "icons": icons,
        "deleted": not store.bot.installed,
        "updated": 1700000000,
        "team_id": store.team.id,
    }


def message_json(store: Store, message: Message, public_url: str) -> Json:
    """A message as `conversations.history` and events carry it, with thread counts on a root."""
    out: Json = {"user": message.user, "type": "message", "ts": message.ts, "text": message.text}
    out["team"] = store.users[message.user].team_id if message.user in store.users else store.team.id
    if message.client_msg_id:
        out["client_msg_id"] = message.client_msg_id
    if message.by_bot:
        out |= {"bot_id": store.bot.bot_id, "app_id": store.bot.app_id, "bot_profile": bot_profile(store)}
    if message.username:
        out |= {"username": message.username}
    if message.subtype:
        out["subtype"] = message.subtype
    if message.blocks or message.text:
        out["blocks"] = message.blocks or [rich_text_block(message.text)]
    if message.attachments:
        out["attachments"] = message.attachments
    if message.metadata:
        out["metadata"] = message.metadata
    if message.files:
        out["files"] = [
            file_json(store, store.files[f], public_url) for f in message.files if f in store.files
        ]
        out["upload"] = False
    if message.edited_ts:
        out["edited"] = {"user": message.user, "ts": message.edited_ts}
    if message.reactions:
        out["reactions"] = [{"name": n, "users": u, "count": len(u)} for n, u in message.reactions.items()]
    if message.visible_to:
        out["is_ephemeral"] = True
    return out | _thread_fields(store, message)


def _thread_fields(store: Store, message: Message) -> Json:
    if message.thread_ts and message.thread_ts != message.ts:
        root = store.messages[message.channel].get(message.thread_ts)
        parent: Json = {"parent_user_id": root.user} if root else {}
        return {"thread_ts": message.thread_ts, **parent}
    replies = store.replies(message.channel, message.ts)
    if not replies:
        return {"thread_ts": message.thread_ts} if message.thread_ts else {}
    users = list(dict.fromkeys(r.user for r in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "reply_users": users,
        "latest_reply": replies[-1].ts,
        "is_locked": False,
        "subscribed": store.bot.user_id in users,
    }


def file_json(store: Store, file: File, public_url: str) -> Json:
    """A file object; `url_private` answers only with the bot token."""
    stem = f"{public_url}/files-pri/{store.team.id}-{file.id}"
    kinds = {c: store.channels[c].kind for c in file.channels if c in store.channels}
    shares: Json = {}
    for channel_id, stamps in file.shares.items():
        side = "public" if kinds.get(channel_id) == "channel" else "private"
        shares.setdefault(side, {})[channel_id] = [{"ts": ts, "team_id": store.team.id} for ts in stamps]
    extension = file.name.rpartition(".")[2].lower() if "." in file.name else "text"
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": extension,
        "pretty_type": extension.upper(),
        "user": file.user,
        "user_team": store.team.id,
        "editable": False,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": any(k == "channel" for k in kinds.values()),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{stem}/{file.name}",
        "url_private_download": f"{stem}/download/{file.name}",
        "permalink": f"{public_url}/files/{file.user}/{file.id}/{file.name}",
        "comments_count": 0,
        "is_starred": False,
        "shares": shares,
        "channels": [c for c, k in kinds.items() if k == "channel"],
        "groups": [c for c, k in kinds.items() if k in ("group", "mpim")],
        "ims": [c for c, k in kinds.items() if k == "im"],
        "has_rich_preview": False,
        "file_access": "visible",
    }


def view_json(store: Store, view: View) -> Json:
    """A modal or home tab with everything Slack adds to what the app sent."""
    body = view.body
    return {
        "id": view.id,
        "team_id": store.team.id,
        "type": body["type"],
        "blocks": body["blocks"],
        "private_metadata": body.get("private_metadata", ""),
        "callback_id": body.get("callback_id", ""),
        "state": {"values": view.state},
        "hash": view.hash,
        "title": body.get("title") or {"type": "plain_text", "text": "View Title", "emoji": True},
        "clear_on_close": body.get("clear_on_close", False),
        "notify_on_close": body.get("notify_on_close", False),
        "close": body.get("close"),
        "submit": body.get("submit"),
        "previous_view_id": view.previous_id,
        "root_view_id": view.root_id,
        "app_id": store.bot.app_id,
        "external_id": view.external_id,
        "app_installed_team_id": store.team.id,
        "bot_id": store.bot.bot_id,
    }
