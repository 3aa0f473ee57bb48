"""Validates the blocks of a message or view the way Slack refuses them: a list of `[ERROR] … [json-pointer:…]`."""

from typing import Any

from sandbox.slack.block_elements import Fail, check_element, check_image, check_string, check_text
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Block
from sandbox.slack.store import new_id

ANY_TEXT = ("plain_text", "mrkdwn")
MAX_MESSAGE_BLOCKS = 50
MAX_VIEW_BLOCKS = 100
MAX_MARKDOWN_CHARS = 12_000


def checked_blocks(blocks: Any) -> list[Block]:
    """The blocks of a message with ids filled in; raises `invalid_blocks` with Slack's messages."""
    errors = block_errors(blocks, "/blocks", MAX_MESSAGE_BLOCKS)
    if errors:
        raise SlackError("invalid_blocks", errors=errors, response_metadata={"messages": errors})
    return with_ids(blocks)


def checked_view(view: Any) -> dict[str, Any]:
    """A view with ids filled in; raises `invalid_arguments` as `views.*` do."""
    errors = view_errors(view)
    if errors:
        raise SlackError("invalid_arguments", response_metadata={"messages": errors})
    return {**_with_emoji(view), "blocks": with_ids(view["blocks"])}


def block_errors(blocks: Any, where: str, limit: int) -> list[str]:
    errors: list[str] = []

    def fail(pointer: str, message: str) -> None:
        errors.append(f"[ERROR] {message} [json-pointer:{pointer}]")

    if not isinstance(blocks, list):
        fail(where, "must be an array")
        return errors
    if len(blocks) > limit:
        fail(where, f"no more than {limit} items allowed")
    block_ids: set[str] = set()
    n_markdown = 0
    for i, block in enumerate(blocks):
        if not isinstance(block, dict):
            fail(f"{where}/{i}", "must be an object")
            continue
        _check_block(block, f"{where}/{i}", fail)
        block_id = str(block.get("block_id") or f"#{i}")
        if block_id in block_ids:
            fail(f"{where}/{i}/block_id", f"`block_id` {block_id} already exists")
        block_ids.add(block_id)
        n_markdown += len(str(block.get("text", ""))) if block.get("type") == "markdown" else 0
    if n_markdown > MAX_MARKDOWN_CHARS:
        fail(where, f"markdown must be less than {MAX_MARKDOWN_CHARS + 1} characters in all")
    return errors


def view_errors(view: Any) -> list[str]:
    errors: list[str] = []

    def fail(pointer: str, message: str) -> None:
        errors.append(f"[ERROR] {message} [json-pointer:{pointer}]")

    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        return ["[ERROR] missing required field: type [json-pointer:/view]"]
    if view["type"] == "modal":
        check_text(view.get("title"), "/view/title", 24, fail)
        for key in ("submit", "close"):
            if view.get(key) is not None:
                check_text(view[key], f"/view/{key}", 24, fail)
    check_string(view, "private_metadata", "/view", 3000, fail)
    check_string(view, "callback_id", "/view", 255, fail)
    blocks = view.get("blocks")
    errors += block_errors(blocks, "/view/blocks", MAX_VIEW_BLOCKS)
    has_input = isinstance(blocks, list) and any(
        isinstance(b, dict) and b.get("type") == "input" for b in blocks
    )
    if view["type"] == "modal" and has_input and not view.get("submit"):
        fail("/view/submit", "missing required field: submit (a modal with an input needs it)")
    return errors


def with_ids(blocks: list[Block]) -> list[Block]:
    """Copies with the `emoji` flags, `block_id` and `action_id` values Slack would make up."""
    return [_with_ids(_with_emoji(block)) for block in blocks]


def _with_emoji(node: Any) -> Any:
    """Slack sends every plain text back with its `emoji` flag."""
    if isinstance(node, list):
        return [_with_emoji(item) for item in node]
    if not isinstance(node, dict):
        return node
    flag = {"emoji": True} if node.get("type") == "plain_text" and "text" in node else {}
    return flag | {key: _with_emoji(value) for key, value in node.items()}


def _with_ids(block: Block) -> Block:
    block = {**block, "block_id": block.get("block_id") or new_id("", 5)}
    for key in ("accessory", "element"):
        if isinstance(block.get(key), dict) and block[key].get("type") != "image":
            block[key] = {"action_id": new_id("", 5), **block[key]}
    if block["type"] == "input":
        block = {"optional": False, "dispatch_action": False, **block}
        if block["element"]["type"] == "plain_text_input":
            enter = {"trigger_actions_on": ["on_enter_pressed"]}
            block["element"] = {"dispatch_action_config": enter, **block["element"]}
    if block["type"] in ("actions", "context_actions"):
        block["elements"] = [{"action_id": new_id("", 5), **element} for element in block["elements"]]
    return block


def _check_block(block: Block, where: str, fail: Fail) -> None:
    check = CHECKS.get(str(block.get("type")))
    if check is None:
        fail(f"{where}/type", f"unsupported type: {block.get('type')}")
        return
    check_string(block, "block_id", where, 255, fail)
    check(block, where, fail)


def _check_section(block: Block, where: str, fail: Fail) -> None:
    if block.get("text") is None and not block.get("fields"):
        fail(where, "missing required field: text or fields")
    if block.get("text") is not None:
        check_text(block["text"], f"{where}/text", 3000, fail, ANY_TEXT)
    fields = block.get("fields") or []
    if not isinstance(fields, list):
        fail(f"{where}/fields", "must be an array")
        return
    if len(fields) > 10:
        fail(f"{where}/fields", "no more than 10 items allowed")
    for i, field in enumerate(fields):
        check_text(field, f"{where}/fields/{i}", 2000, fail, ANY_TEXT)
    if block.get("accessory") is not None:
        check_element(block["accessory"], f"{where}/accessory", "section", fail)


def _check_header(block: Block, where: str, fail: Fail) -> None:
    check_text(block.get("text"), f"{where}/text", 150, fail)


def _check_elements(block: Block, where: str, fail: Fail, limit: int) -> None:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= limit:
        fail(f"{where}/elements", f"must have 1 to {limit} items")
        return
    seen: set[str] = set()
    for i, element in enumerate(elements):
        check_element(element, f"{where}/elements/{i}", block["type"], fail)
        action_id = str(element.get("action_id") or f"#{i}") if isinstance(element, dict) else f"#{i}"
        if action_id in seen:
            fail(f"{where}/elements/{i}/action_id", f"`action_id` {action_id} already exists")
        seen.add(action_id)


def _check_actions(block: Block, where: str, fail: Fail) -> None:
    _check_elements(block, where, fail, 25)


def _check_context(block: Block, where: str, fail: Fail) -> None:
    _check_elements(block, where, fail, 10)


def _check_context_actions(block: Block, where: str, fail: Fail) -> None:
    _check_elements(block, where, fail, 5)


def _check_image_block(block: Block, where: str, fail: Fail) -> None:
    check_image(block, where, fail)
    if block.get("title") is not None:
        check_text(block["title"], f"{where}/title", 2000, fail)


def _check_input(block: Block, where: str, fail: Fail) -> None:
    check_text(block.get("label"), f"{where}/label", 2000, fail)
    check_element(block.get("element"), f"{where}/element", "input", fail)
    if block.get("hint") is not None:
        check_text(block["hint"], f"{where}/hint", 2000, fail)


def _check_markdown(block: Block, where: str, fail: Fail) -> None:
    if not isinstance(block.get("text"), str) or not block["text"]:
        fail(f"{where}/text", "must be more than 0 characters")


def _check_rich_text(block: Block, where: str, fail: Fail) -> None:
    known = ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
    parts = block.get("elements")
    for i, part in enumerate(parts if isinstance(parts, list) and parts else [None]):
        if not isinstance(part, dict) or part.get("type") not in known:
            fail(f"{where}/elements/{i}/type", "unsupported type")


def _check_table(block: Block, where: str, fail: Fail) -> None:
    rows = block.get("rows")
    if not isinstance(rows, list) or not 1 <= len(rows) <= 100:
        fail(f"{where}/rows", "must have 1 to 100 items")
    elif any(not isinstance(row, list) or len(row) > 20 for row in rows):
        fail(f"{where}/rows", "no more than 20 cells in a row")


def _check_nothing(block: Block, where: str, fail: Fail) -> None:
    """Types Slack knows and this sandbox shows as they are."""


CHECKS = {
    "section": _check_section,
    "header": _check_header,
    "divider": _check_nothing,
    "image": _check_image_block,
    "actions": _check_actions,
    "context": _check_context,
    "context_actions": _check_context_actions,
    "input": _check_input,
    "rich_text": _check_rich_text,
    "markdown": _check_markdown,
    "table": _check_table,
    "file": _check_nothing,
    "video": _check_nothing,
}
