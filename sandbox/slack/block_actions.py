"""Finds an interactive element in blocks and writes what a person chose as Slack's action and state objects."""

from typing import Any

from sandbox.slack.errors import SlackError
from sandbox.slack.model import Block

Json = dict[str, Any]
SELECTED = {
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
ONE_OPTION = ("static_select", "external_select", "radio_buttons", "overflow")
MANY_OPTIONS = ("multi_static_select", "multi_external_select", "checkboxes")


def elements_of(block: Block) -> list[Json]:
    """Everything in a block that a person might press or fill in."""
    row = block.get("elements")
    inside = [block.get("accessory"), block.get("element"), *(row if isinstance(row, list) else [])]
    return [element for element in inside if isinstance(element, dict)]


def find_element(blocks: list[Block], action_id: str, block_id: str | None = None) -> tuple[Block, Json]:
    """The block and element with that action id. Raises SlackError `action_not_found`."""
    for block in blocks:
        if block_id and block.get("block_id") != block_id:
            continue
        for element in elements_of(block):
            if element.get("action_id") == action_id:
                return block, element
    raise SlackError("action_not_found")


def chosen_value(element: Json, choice: Any) -> Json:
    """The state object of an element: `choice` is a text, an option value, or a list of option values."""
    kind = element["type"]
    if kind in ONE_OPTION:
        option = None if choice in (None, "") else _option(element, str(choice))
        return {"type": kind, "selected_option": option}
    if kind in MANY_OPTIONS:
        values = choice if isinstance(choice, list) else [choice] if choice else []
        return {"type": kind, "selected_options": [_option(element, str(v)) for v in values]}
    if kind in SELECTED:
        return {"type": kind, SELECTED[kind]: choice}
    return {"type": kind, "value": None if choice in (None, "") else choice}


def _option(element: Json, value: str) -> Json:
    groups = element.get("option_groups") or [{"options": element.get("options") or []}]
    for group in groups:
        for option in group["options"]:
            if option.get("value") == value:
                return dict(option)
    if element["type"].endswith("external_select"):
        return {"text": {"type": "plain_text", "text": value, "emoji": True}, "value": value}
    raise SlackError("option_not_found")


def action(block: Block, element: Json, choice: Any, action_ts: str) -> Json:
    """One entry of `actions` in a `block_actions` payload."""
    kind = element["type"]
    head = {"type": kind, "action_id": element["action_id"], "block_id": block["block_id"]}
    if kind == "feedback_buttons":
        side = element["positive_button" if choice in (None, "positive") else "negative_button"]
        if choice == side.get("value") or choice in (None, "positive", "negative"):
            return {**head, "text": side["text"], "value": side.get("value"), "action_ts": action_ts}
        return {**head, "value": choice, "action_ts": action_ts}
    if kind in ("button", "icon_button"):
        value = {"value": element["value"]} if "value" in element else {}
        return {**head, "text": element["text"], **value, "action_ts": action_ts}
    return {**head, **chosen_value(element, choice), "action_ts": action_ts}


def keeps_state(element: Json) -> bool:
    return element["type"] not in ("button", "overflow", "feedback_buttons", "icon_button", "workflow_button")


def missing_inputs(blocks: list[Block], state: dict[str, dict[str, Json]]) -> dict[str, str]:
    """Required inputs that are still empty, by block id, with the words a person reads."""
    missing = {}
    for block in blocks:
        if block["type"] != "input" or block.get("optional"):
            continue
        held = state.get(block["block_id"], {}).get(block["element"]["action_id"], {})
        if not any(v for k, v in held.items() if k != "type"):
            missing[block["block_id"]] = "Please complete this required field."
    return missing
