"""What a person does that the app must answer: commands, clicks, modals, shortcuts. Applies the answers too."""

from typing import Any

from sandbox.slack.block_actions import action, chosen_value, find_element, keeps_state, missing_inputs
from sandbox.slack.blocks import checked_view
from sandbox.slack.deliveries import DeliveryFailed
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Channel, Message, User, View
from sandbox.slack.people import invite_bot
from sandbox.slack.replies import immediate_reply, tell
from sandbox.slack.shapes import message_json, view_json
from sandbox.slack.web_api_views import add_view, change_view
from sandbox.slack.workspace import Sandbox

Json = dict[str, Any]


def _common(sandbox: Sandbox, kind: str, user: User) -> Json:
    store = sandbox.store
    return {
        "type": kind,
        "team": {"id": store.team.id, "domain": store.team.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": store.bot.app_id,
        "token": sandbox.config.verification_token,
    }


def _channel_name(channel: Channel) -> str:
    return (
        "directmessage"
        if channel.kind == "im"
        else "privategroup"
        if channel.kind == "group"
        else channel.name
    )


async def command(sandbox: Sandbox, user: User, channel: Channel, name: str, text: str) -> Json:
    """Run a slash command and show what the app answers at once; `ok` tells whether it was acknowledged."""
    store = sandbox.store
    if name == "/invite":
        invite_bot(sandbox, user, channel)
        return {"ok": True, "invited": store.bot.user_id}
    fields = {
        "token": sandbox.config.verification_token,
        "team_id": store.team.id,
        "team_domain": store.team.domain,
        "channel_id": channel.id,
        "channel_name": _channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": store.bot.app_id,
        "is_enterprise_install": "false",
        "response_url": sandbox.response_urls.issue("commands", store.team.id, channel.id, user.id),
        "trigger_id": sandbox.triggers.issue(user.id),
    }
    sent = {"response_url": fields["response_url"], "trigger_id": fields["trigger_id"]}
    try:
        reply = await sandbox.deliveries.command(fields)
        shown = immediate_reply(sandbox, channel, user.id, reply)
    except DeliveryFailed as exc:
        word = "operation_timeout" if "timeout" in exc.reason else "dispatch_failed"
        tell(sandbox, channel, user.id, f"{name} failed with the error “{word}”")
        return {"ok": False, "error": word, "reason": exc.reason, "status": exc.status, **sent}
    except SlackError as exc:
        tell(sandbox, channel, user.id, f"{name} failed with the error “{exc.code}”")
        return {"ok": False, "error": exc.code, **exc.extra, **sent}
    finally:
        ticket = sandbox.response_urls.find(fields["response_url"])
        if ticket:
            ticket.answered.set()
    return {"ok": True, "reply": reply, "ts": shown.ts if shown else None, **sent}


async def click(
    sandbox: Sandbox,
    user: User,
    message: Message,
    action_id: str,
    choice: Any = None,
    block_id: str | None = None,
) -> Json:
    """Press a button or choose in a select of a message."""
    if message.visible_to not in (None, user.id):
        raise SlackError("message_not_found")
    blocks = message.blocks + [b for a in message.attachments for b in a.get("blocks", [])]
    block, element = find_element(blocks, action_id, block_id)
    store = sandbox.store
    if keeps_state(element):
        message.state.setdefault(block["block_id"], {})[action_id] = chosen_value(element, choice)
        store.changed(message)
    channel = store.channel(message.channel)
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.visible_to is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    thread_ts = message.thread_ts if message.thread_ts != message.ts else None
    payload = {
        **_common(sandbox, "block_actions", user),
        "container": container,
        "trigger_id": sandbox.triggers.issue(user.id),
        "channel": {"id": channel.id, "name": _channel_name(channel)},
        "state": {"values": message.state},
        "response_url": sandbox.response_urls.issue(
            "actions", store.team.id, channel.id, user.id, message.ts, thread_ts
        ),
        "actions": [action(block, element, choice, store.new_ts())],
    }
    if not message.visible_to:
        payload["message"] = message_json(store, message, sandbox.config.public_url)
    return await _send(sandbox, payload, {"response_url": payload["response_url"]})


async def click_in_view(
    sandbox: Sandbox, user: User, view: View, action_id: str, choice: Any = None, block_id: str | None = None
) -> Json:
    """Press or choose in a modal or on the home tab; a plain input only keeps its value."""
    if view.user != user.id:
        raise SlackError("view_not_found")
    block, element = find_element(view.body["blocks"], action_id, block_id)
    if keeps_state(element):
        view.state.setdefault(block["block_id"], {})[action_id] = chosen_value(element, choice)
        sandbox.store.touch()
    if block["type"] == "input" and not block.get("dispatch_action"):
        return {"ok": True, "sent": False}
    payload = {
        **_common(sandbox, "block_actions", user),
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": sandbox.triggers.issue(user.id),
        "view": view_json(sandbox.store, view),
        "actions": [action(block, element, choice, sandbox.store.new_ts())],
    }
    return await _send(sandbox, payload)


async def submit_view(sandbox: Sandbox, user: User, view: View, values: dict[str, dict[str, Any]]) -> Json:
    """Fill in `values` (block id → action id → choice) and submit; applies the app's `response_action`."""
    if view.user != user.id or view.id not in sandbox.store.open_modals.get(user.id, []):
        raise SlackError("view_not_found")
    for block_id, actions in values.items():
        for action_id, choice in actions.items():
            block, element = find_element(view.body["blocks"], action_id, block_id)
            view.state.setdefault(block["block_id"], {})[action_id] = chosen_value(element, choice)
    view.errors = missing_inputs(view.body["blocks"], view.state)
    sandbox.store.touch()
    if view.errors:
        return {"ok": False, "error": "input_required", "errors": view.errors}
    payload = {
        **_common(sandbox, "view_submission", user),
        "trigger_id": sandbox.triggers.issue(user.id),
        "view": view_json(sandbox.store, view),
        "response_urls": [],
    }
    result = await _send(sandbox, payload)
    if not result["ok"]:
        view.errors = {"": "We had some trouble connecting. Try again?"}
        sandbox.store.touch()
        return result
    return result | _apply(sandbox, view, result.get("reply"))


def _apply(sandbox: Sandbox, view: View, reply: Any) -> Json:
    store = sandbox.store
    stack = store.open_modals.get(view.user, [])
    kind = reply.get("response_action") if isinstance(reply, dict) else None
    if view.id not in stack:
        return {"closed": True}
    if kind == "errors":
        view.errors = {str(k): str(v) for k, v in (reply.get("errors") or {}).items()}
    elif kind == "update":
        change_view(store, view, checked_view(reply.get("view")))
    elif kind == "push":
        pushed = add_view(store, view.user, checked_view(reply.get("view")), view)
        store.open_modals[view.user] = [*stack, pushed.id]
    elif kind == "clear":
        store.open_modals[view.user] = []
    else:
        store.open_modals[view.user] = stack[: stack.index(view.id)]
    store.touch()
    return {"closed": kind in (None, "clear"), "errors": view.errors}


async def close_view(sandbox: Sandbox, user: User, view: View, clear: bool = False) -> Json:
    """Close a modal, or with `clear` the whole stack; tells the app when it asked to be told."""
    stack = sandbox.store.open_modals.get(user.id, [])
    if view.id not in stack:
        raise SlackError("view_not_found")
    everything = clear or bool(view.body.get("clear_on_close"))
    sandbox.store.open_modals[user.id] = [] if everything else stack[: stack.index(view.id)]
    sandbox.store.touch()
    if not view.body.get("notify_on_close"):
        return {"ok": True, "sent": False}
    payload = {
        **_common(sandbox, "view_closed", user),
        "view": view_json(sandbox.store, view),
        "is_cleared": everything,
    }
    return await _send(sandbox, payload)


async def shortcut(sandbox: Sandbox, user: User, callback_id: str) -> Json:
    """A global shortcut."""
    payload = {
        **_common(sandbox, "shortcut", user),
        "callback_id": callback_id,
        "trigger_id": sandbox.triggers.issue(user.id),
        "action_ts": sandbox.store.new_ts(),
    }
    return await _send(sandbox, payload)


async def message_action(sandbox: Sandbox, user: User, message: Message, callback_id: str) -> Json:
    """A shortcut from a message's menu."""
    store = sandbox.store
    if message.visible_to:
        raise SlackError("message_not_found")
    channel = store.channel(message.channel)
    url = sandbox.response_urls.issue("actions", store.team.id, channel.id, user.id)
    payload = {
        **_common(sandbox, "message_action", user),
        "callback_id": callback_id,
        "trigger_id": sandbox.triggers.issue(user.id),
        "action_ts": store.new_ts(),
        "message_ts": message.ts,
        "response_url": url,
        "channel": {"id": channel.id, "name": _channel_name(channel)},
        "message": message_json(store, message, sandbox.config.public_url),
    }
    return await _send(sandbox, payload, {"response_url": url})


async def suggestions(sandbox: Sandbox, user: User, view: View, action_id: str, value: str) -> Json:
    """Ask the app for the options of an `external_select` while a person types."""
    block, element = find_element(view.body["blocks"], action_id)
    payload = {
        **_common(sandbox, "block_suggestion", user),
        "container": {"type": "view", "view_id": view.id},
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "value": value,
        "view": view_json(sandbox.store, view),
    }
    return await _send(sandbox, payload)


async def _send(sandbox: Sandbox, payload: Json, extra: Json | None = None) -> Json:
    try:
        reply = await sandbox.deliveries.interaction(payload)
    except DeliveryFailed as exc:
        return {"ok": False, "error": exc.reason, "status": exc.status, **(extra or {})}
    return {"ok": True, "reply": reply, **(extra or {})}
