"""Checks the things inside blocks: texts, options, buttons, selects, inputs. Limits are Slack's Block Kit reference."""

from collections.abc import Callable
from typing import Any

Fail = Callable[[str, str], None]
"""Called with a JSON pointer and what is wrong there; collects instead of raising."""

SELECTS = ("static_select", "external_select", "users_select", "conversations_select", "channels_select")
MULTI_SELECTS = tuple(f"multi_{name}" for name in SELECTS)
PICKERS = ("datepicker", "timepicker", "datetimepicker")
TEXT_INPUTS = ("plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input")
CHOICES = ("radio_buttons", "checkboxes")
COMMON = ("button", "overflow", *SELECTS, *MULTI_SELECTS, *PICKERS, *CHOICES)
ALLOWED: dict[str, tuple[str, ...]] = {
    "section": (*COMMON, "image"),
    "actions": (*COMMON, "workflow_button", "rich_text_input"),
    "context": ("image", "plain_text", "mrkdwn"),
    "input": (*SELECTS, *MULTI_SELECTS, *PICKERS, *CHOICES, *TEXT_INPUTS, "file_input"),
    "context_actions": ("feedback_buttons", "icon_button"),
}


def check_text(
    node: Any, where: str, limit: int, fail: Fail, kinds: tuple[str, ...] = ("plain_text",)
) -> None:
    """A text object of one of `kinds`, with 1 to `limit` characters."""
    if not isinstance(node, dict) or node.get("type") not in kinds:
        fail(where, f"must provide a text object of type {' or '.join(kinds)}")
        return
    text = node.get("text")
    if not isinstance(text, str) or not text:
        fail(f"{where}/text", "must be more than 0 characters")
    elif len(text) > limit:
        fail(f"{where}/text", f"must be less than {limit + 1} characters")


def check_string(node: dict[str, Any], key: str, where: str, limit: int, fail: Fail) -> None:
    value = node.get(key)
    if value is None:
        return
    if not isinstance(value, str):
        fail(f"{where}/{key}", "must be a string")
    elif len(value) > limit:
        fail(f"{where}/{key}", f"must be less than {limit + 1} characters")


def check_element(node: Any, where: str, home: str, fail: Fail) -> None:
    """One element where the block type `home` allows it."""
    if not isinstance(node, dict):
        fail(where, "must be an object")
        return
    kind = str(node.get("type"))
    if kind not in ALLOWED[home]:
        fail(f"{where}/type", f"unsupported type: {kind}")
        return
    check_string(node, "action_id", where, 255, fail)
    if kind == "button":
        _check_button(node, where, fail)
    elif kind in ("plain_text", "mrkdwn"):
        check_text(node, where, 2000, fail, ("plain_text", "mrkdwn"))
    elif kind == "image":
        check_image(node, where, fail)
    elif kind == "feedback_buttons":
        for side in ("positive_button", "negative_button"):
            half = node.get(side)
            check_text(half.get("text") if isinstance(half, dict) else None, f"{where}/{side}/text", 75, fail)
    else:
        _check_choice(node, kind, where, fail)


def _check_button(node: dict[str, Any], where: str, fail: Fail) -> None:
    check_text(node.get("text"), f"{where}/text", 75, fail)
    check_string(node, "value", where, 2000, fail)
    check_string(node, "url", where, 3000, fail)
    if node.get("style") not in (None, "primary", "danger"):
        fail(f"{where}/style", "must be a valid enum value: primary, danger")
    if node.get("confirm") is not None:
        _check_confirm(node["confirm"], f"{where}/confirm", fail)


def _check_confirm(node: Any, where: str, fail: Fail) -> None:
    if not isinstance(node, dict):
        fail(where, "must be an object")
        return
    check_text(node.get("title"), f"{where}/title", 100, fail)
    check_text(node.get("text"), f"{where}/text", 300, fail, ("plain_text", "mrkdwn"))


def check_image(node: dict[str, Any], where: str, fail: Fail) -> None:
    if not node.get("image_url") and not node.get("slack_file"):
        fail(where, "must provide image_url or slack_file")
    check_string(node, "image_url", where, 3000, fail)
    if not isinstance(node.get("alt_text"), str):
        fail(f"{where}/alt_text", "missing required field: alt_text")


def _check_choice(node: dict[str, Any], kind: str, where: str, fail: Fail) -> None:
    if node.get("placeholder") is not None:
        check_text(node["placeholder"], f"{where}/placeholder", 150, fail)
    if kind in ("static_select", "multi_static_select"):
        if "option_groups" in node:
            _check_groups(node["option_groups"], f"{where}/option_groups", fail)
        else:
            _check_options(node.get("options"), f"{where}/options", 100, fail)
    elif kind == "overflow":
        _check_options(node.get("options"), f"{where}/options", 5, fail)
    elif kind in CHOICES:
        _check_options(node.get("options"), f"{where}/options", 10, fail)


def _check_groups(groups: Any, where: str, fail: Fail) -> None:
    if not isinstance(groups, list) or not 1 <= len(groups) <= 100:
        fail(where, "must have 1 to 100 items")
        return
    for i, group in enumerate(groups):
        if not isinstance(group, dict):
            fail(f"{where}/{i}", "must be an object")
            continue
        check_text(group.get("label"), f"{where}/{i}/label", 75, fail)
        _check_options(group.get("options"), f"{where}/{i}/options", 100, fail)


def _check_options(options: Any, where: str, limit: int, fail: Fail) -> None:
    if not isinstance(options, list) or not options:
        fail(where, "no less than 1 items allowed")
        return
    if len(options) > limit:
        fail(where, f"no more than {limit} items allowed")
    for i, option in enumerate(options):
        if not isinstance(option, dict):
            fail(f"{where}/{i}", "must be an object")
            continue
        check_text(option.get("text"), f"{where}/{i}/text", 75, fail, ("plain_text", "mrkdwn"))
        if not isinstance(option.get("value"), str):
            fail(f"{where}/{i}/value", "missing required field: value")
        check_string(option, "value", f"{where}/{i}", 150, fail)
