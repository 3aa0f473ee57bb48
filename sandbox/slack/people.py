"""What a person does that needs no answer from the app: write, edit, react, upload, join, open things."""

from typing import Any

from sandbox.slack import events
from sandbox.slack.errors import SlackError
from sandbox.slack.model import AssistantThread, Channel, Message, User
from sandbox.slack.posting import change, post, remove
from sandbox.slack.rich_text import encode_typed
from sandbox.slack.store import Store
from sandbox.slack.web_api_files import new_file, share
from sandbox.slack.web_api_reactions import react, unreact
from sandbox.slack.workspace import Sandbox


def person(store: Store, name_or_id: str) -> User:
    """A human by id, username or `@username`. Raises SlackError `user_not_found`."""
    wanted = name_or_id.lstrip("@")
    for user in store.users.values():
        if wanted in (user.id, user.name) and not user.is_bot:
            return user
    raise SlackError("user_not_found")


def place(store: Store, user: User, name_or_id: str) -> Channel:
    """A conversation this person may read, by id, `#name`, or `@name` for a DM."""
    if name_or_id.startswith("@"):
        wanted = name_or_id[1:]
        other = next((u for u in store.users.values() if wanted in (u.name, u.id)), None)
        if other is None:
            raise SlackError("user_not_found")
        return store.direct_channel([user.id, other.id])[0]
    channel = store.channels.get(name_or_id) or store.channel_named(name_or_id)
    if channel is None or not store.may_read(user.id, channel):
        raise SlackError("channel_not_found")
    return channel


def say(sandbox: Sandbox, user: User, channel: Channel, typed: str, thread_ts: str | None = None) -> Message:
    """Write a message. Raises SlackError `not_in_channel` for people who only look in."""
    if user.id not in channel.members:
        raise SlackError("not_in_channel")
    return post(sandbox, channel, user.id, encode_typed(sandbox.store, typed), thread_ts=thread_ts)


def edit(sandbox: Sandbox, user: User, channel: Channel, ts: str, typed: str) -> Message:
    message = _own(sandbox, user, channel, ts)
    return change(sandbox, message, text=encode_typed(sandbox.store, typed))


def delete(sandbox: Sandbox, user: User, channel: Channel, ts: str) -> None:
    message = sandbox.store.message(channel.id, ts)
    if message.visible_to == user.id:
        sandbox.store.remove_message(message)
    else:
        remove(sandbox, _own(sandbox, user, channel, ts))


def _own(sandbox: Sandbox, user: User, channel: Channel, ts: str) -> Message:
    message = sandbox.store.message(channel.id, ts)
    if message.user != user.id:
        raise SlackError("not_your_message")
    return message


def toggle_reaction(sandbox: Sandbox, user: User, channel: Channel, ts: str, name: str) -> None:
    message = sandbox.store.message(channel.id, ts)
    act = unreact if user.id in message.reactions.get(name, []) else react
    act(sandbox, user.id, message, name)


def join(sandbox: Sandbox, user: User, channel: Channel) -> None:
    if channel.kind != "channel":
        raise SlackError("channel_not_found")
    if user.id not in channel.members:
        channel.members.append(user.id)
        sandbox.store.touch()
        events.member_joined(sandbox, channel, user.id)


def invite_bot(sandbox: Sandbox, user: User, channel: Channel) -> None:
    """`/invite @bot`: the bot becomes a member and hears of it."""
    bot = sandbox.store.bot.user_id
    if bot not in channel.members:
        channel.members.append(bot)
        sandbox.store.touch()
        events.member_joined(sandbox, channel, bot, user.id)


def leave(sandbox: Sandbox, user: User, channel: Channel) -> None:
    if user.id in channel.members and channel.kind in ("channel", "group"):
        if events.hears(sandbox, channel):
            events.member_left(sandbox, channel, user.id)
        channel.members.remove(user.id)
        sandbox.store.touch()


def upload(
    sandbox: Sandbox,
    user: User,
    channel: Channel,
    name: str,
    content: bytes,
    typed: str,
    thread_ts: str | None,
) -> dict[str, Any]:
    if user.id not in channel.members:
        raise SlackError("not_in_channel")
    file = new_file(user.id, name, len(content), content)
    file.uploaded = file.ready = True
    sandbox.store.files[file.id] = file
    ts = share(sandbox, [file], channel, user.id, encode_typed(sandbox.store, typed), thread_ts)
    return {"file_id": file.id, "ts": ts, "channel": channel.id}


def open_home(sandbox: Sandbox, user: User, tab: str) -> Channel:
    """Open the app's Home (`tab` "home") or its Messages tab; the DM comes to be with it."""
    store = sandbox.store
    channel, _ = store.direct_channel([user.id, store.bot.user_id])
    events.home_opened(sandbox, user.id, channel, tab)
    return channel


def start_assistant(sandbox: Sandbox, user: User, looking_at: str | None) -> AssistantThread:
    """Open a fresh assistant thread beside the channel the person looks at."""
    store = sandbox.store
    channel, _ = store.direct_channel([user.id, store.bot.user_id])
    root = Message(
        channel.id,
        store.new_ts(),
        store.bot.user_id,
        "New Assistant Thread",
        by_bot=True,
        subtype="assistant_app_thread",
    )
    root.thread_ts = root.ts
    store.add_message(root)
    context = (
        {"channel_id": looking_at, "team_id": store.team.id, "enterprise_id": None} if looking_at else {}
    )
    thread = AssistantThread(channel.id, root.ts, user.id, context)
    store.threads[(channel.id, root.ts)] = thread
    events.assistant(sandbox, "assistant_thread_started", channel, user.id, root.ts, context)
    return thread


def change_assistant_context(sandbox: Sandbox, user: User, thread_ts: str, looking_at: str) -> None:
    store = sandbox.store
    channel, _ = store.direct_channel([user.id, store.bot.user_id])
    thread = store.threads.get((channel.id, thread_ts))
    if thread is None:
        raise SlackError("thread_not_found")
    thread.context = {"channel_id": looking_at, "team_id": store.team.id, "enterprise_id": None}
    events.assistant(sandbox, "assistant_thread_context_changed", channel, user.id, thread_ts, thread.context)


def uninstall(sandbox: Sandbox) -> None:
    """Remove the app from the workspace: its bot tokens die, the app is told."""
    for token in sandbox.store.tokens.values():
        token.revoked = token.revoked or token.kind == "bot"
    events.uninstalled(sandbox)
    sandbox.store.bot.installed = False
    sandbox.store.touch()
