"""Web API: views.open, push, update and publish; the stack of modals a person sees."""

import time
from typing import Any

from sandbox.slack.block_actions import elements_of
from sandbox.slack.blocks import checked_view
from sandbox.slack.call import Call
from sandbox.slack.errors import SlackError
from sandbox.slack.methods import method
from sandbox.slack.model import View
from sandbox.slack.shapes import view_json
from sandbox.slack.store import Store, new_id

MAX_STACK = 3
MAX_VIEW_BYTES = 250_000


def new_hash() -> str:
    return f"{time.time():.0f}.{new_id('', 8)}"


def add_view(store: Store, user: str, body: dict[str, Any], below: View | None = None) -> View:
    """Put a checked view on top of a person's stack. Raises SlackError for a taken `external_id`."""
    external_id = str(body.get("external_id") or "")
    if external_id and any(v.external_id == external_id for v in store.views.values()):
        raise SlackError("duplicate_external_id")
    view_id = new_id("V")
    view = View(view_id, user, body, new_hash(), below.root_id if below else view_id, external_id=external_id)
    view.previous_id = below.id if below else None
    view.state = initial_state(body["blocks"])
    store.views[view_id] = view
    return view


def change_view(store: Store, view: View, body: dict[str, Any]) -> None:
    """Replace what a view shows; input values survive where block and action keep their ids."""
    fresh = initial_state(body["blocks"])
    for block_id, actions in view.state.items():
        for action_id, value in actions.items():
            if action_id in fresh.get(block_id, {}):
                fresh[block_id][action_id] = value
    view.body, view.hash, view.state, view.errors = body, new_hash(), fresh, {}
    store.touch()


def initial_state(blocks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """`state.values` of a fresh view from the elements' initial values."""
    state: dict[str, dict[str, Any]] = {}
    for block in blocks:
        for element in elements_of(block):
            value = _initial(element)
            if value is not None and "action_id" in element:
                state.setdefault(block["block_id"], {})[element["action_id"]] = value
    return state


def _initial(element: dict[str, Any]) -> dict[str, Any] | None:
    kind = str(element.get("type"))
    if kind.endswith("_input"):
        return {"type": kind, "value": element.get("initial_value")}
    keys = {
        "static_select": ("selected_option", "initial_option"),
        "external_select": ("selected_option", "initial_option"),
        "radio_buttons": ("selected_option", "initial_option"),
        "checkboxes": ("selected_options", "initial_options"),
        "multi_static_select": ("selected_options", "initial_options"),
        "multi_external_select": ("selected_options", "initial_options"),
        "users_select": ("selected_user", "initial_user"),
        "multi_users_select": ("selected_users", "initial_users"),
        "channels_select": ("selected_channel", "initial_channel"),
        "multi_channels_select": ("selected_channels", "initial_channels"),
        "conversations_select": ("selected_conversation", "initial_conversation"),
        "multi_conversations_select": ("selected_conversations", "initial_conversations"),
        "datepicker": ("selected_date", "initial_date"),
        "timepicker": ("selected_time", "initial_time"),
        "datetimepicker": ("selected_date_time", "initial_date_time"),
    }
    if kind not in keys:
        return None
    key, initial = keys[kind]
    default: list[Any] | None = [] if key.endswith("s") else None
    return {"type": kind, key: element.get(initial, default)}


def _body(call: Call, *types: str) -> dict[str, Any]:
    if len(str(call.args.get("view") or "")) > MAX_VIEW_BYTES:
        raise SlackError("view_too_large")
    body = checked_view(call.json("view"))
    if body["type"] not in types:
        raise SlackError("invalid_arguments")
    return body


@method("views.open", tier=4)
def views_open(call: Call) -> dict[str, Any]:
    body = _body(call, "modal")
    user = call.sandbox.triggers.take(call.required("trigger_id"))
    view = add_view(call.store, user, body)
    call.store.open_modals[user] = [view.id]
    call.store.touch()
    return {"view": view_json(call.store, view)}


@method("views.push", tier=4)
def views_push(call: Call) -> dict[str, Any]:
    body = _body(call, "modal")
    user = call.sandbox.triggers.take(call.required("trigger_id"))
    stack = call.store.open_modals.get(user, [])
    if len(stack) >= MAX_STACK:
        raise SlackError("push_limit_reached")
    view = add_view(call.store, user, body, call.store.views[stack[-1]] if stack else None)
    call.store.open_modals[user] = [*stack, view.id]
    call.store.touch()
    return {"view": view_json(call.store, view)}


@method("views.update", tier=4)
def views_update(call: Call) -> dict[str, Any]:
    body = _body(call, "modal", "home")
    view_id, external_id = call.text("view_id"), call.text("external_id")
    view = call.store.views.get(view_id) or next(
        (v for v in call.store.views.values() if external_id and v.external_id == external_id), None
    )
    if view is None:
        raise SlackError("not_found")
    if call.text("hash") and call.text("hash") != view.hash:
        raise SlackError("hash_conflict")
    change_view(call.store, view, body)
    return {"view": view_json(call.store, view)}


@method("views.publish", tier=4)
def views_publish(call: Call) -> dict[str, Any]:
    body = _body(call, "home")
    user = call.store.user(call.required("user_id", "user_not_found"))
    view = call.store.views.get(call.store.homes.get(user.id, ""))
    if view is not None:
        if call.text("hash") and call.text("hash") != view.hash:
            raise SlackError("hash_conflict")
        change_view(call.store, view, body)
    else:
        view = add_view(call.store, user.id, body)
        call.store.homes[user.id] = view.id
        call.store.touch()
    return {"view": view_json(call.store, view)}
