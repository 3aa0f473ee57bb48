"""Blocks and views beyond Slack's limits are refused with a pointer to what is wrong."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.errors import SlackApiError

from sandbox.slack.block_elements import ALLOWED
from sandbox.slack.blocks import CHECKS, checked_blocks, checked_view
from sandbox.slack.errors import SlackError
from sandbox.slack.web_api_views import initial_state
from tests.sandbox.slack_driving import ADA, GENERAL, SlackSandbox


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id: str, text: str = "Go", **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": plain(text), **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def options(n: int) -> list[dict[str, Any]]:
    return [{"text": plain(f"o{i}"), "value": str(i)} for i in range(n)]


SELECT = {"type": "static_select", "action_id": "s"}
GOOD = [
    [section("x" * 3000)],
    [{"type": "header", "text": plain("x" * 150)}],
    [section("x")] * 50,
    [actions(button("a", "x" * 75), button("b", style="danger"))],
    [actions({**SELECT, "options": options(100)})],
    [
        section(
            "x",
            fields=[plain("y")] * 10,
            accessory={"type": "overflow", "action_id": "o", "options": options(5)},
        )
    ],
    [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}]}, {"type": "divider"}],
    [{"type": "markdown", "text": "x" * 12_000}],
    [actions(button("a")), actions(button("a"))],
]
BAD = [
    ([section("x" * 3001)], "/blocks/0/text/text"),
    ([section("")], "/blocks/0/text/text"),
    ([{"type": "section"}], "/blocks/0"),
    ([{"type": "header", "text": plain("x" * 151)}], "/blocks/0/text/text"),
    ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "/blocks/0/text"),
    ([section("x")] * 51, "/blocks"),
    ([actions(button("a", "x" * 76))], "/blocks/0/elements/0/text/text"),
    ([actions(button("a"), button("a"))], "/blocks/0/elements/1/action_id"),
    ([actions(button("a", style="loud"))], "/blocks/0/elements/0/style"),
    ([actions(*[button(str(i)) for i in range(26)])], "/blocks/0/elements"),
    ([actions({**SELECT, "options": options(101)})], "/blocks/0/elements/0/options"),
    ([actions({"type": "overflow", "options": options(6)})], "/blocks/0/elements/0/options"),
    ([{"type": "context", "elements": [plain("x")] * 11}], "/blocks/0/elements"),
    ([{"type": "carousel3000"}], "/blocks/0/type"),
    ([section("a", block_id="same"), section("b", block_id="same")], "/blocks/1/block_id"),
    ([section("x", fields=[plain("y" * 2001)])], "/blocks/0/fields/0/text"),
    ([{"type": "image", "image_url": "https://example.com/a.png"}], "/blocks/0/alt_text"),
    ([{"type": "markdown", "text": "x" * 12_001}], "/blocks"),
    (["text"], "/blocks/0"),
]


@pytest.mark.parametrize("blocks", GOOD)
def test_blocks_at_the_limit_pass(slack_sandbox: SlackSandbox, blocks: list[dict[str, Any]]) -> None:
    message = slack_sandbox.client().chat_postMessage(channel=GENERAL, text="x", blocks=blocks)["message"]
    assert [b["type"] for b in message["blocks"]] == [b["type"] for b in blocks]
    assert all(b["block_id"] for b in message["blocks"])


@pytest.mark.parametrize(("blocks", "pointer"), BAD)
def test_blocks_beyond_the_limit_are_refused(
    slack_sandbox: SlackSandbox, blocks: list[Any], pointer: str
) -> None:
    with pytest.raises(SlackApiError) as caught:
        slack_sandbox.client().chat_postMessage(channel=GENERAL, text="x", blocks=blocks)
    reply = caught.value.response
    assert reply["error"] == "invalid_blocks"
    assert any(m.endswith(f"[json-pointer:{pointer}]") for m in reply["response_metadata"]["messages"])
    assert slack_sandbox.state()["messages"] == []


LABELLED = {"type": "input", "label": plain("l"), "element": {"type": "plain_text_input", "action_id": "a"}}


@pytest.mark.parametrize(
    ("view", "pointer"),
    [
        ({"type": "modal", "title": plain("x" * 25), "blocks": []}, "/view/title/text"),
        ({"type": "modal", "title": plain("x"), "blocks": [LABELLED]}, "/view/submit"),
        ({"type": "modal", "title": plain("x"), "blocks": [section("x")] * 101}, "/view/blocks"),
        (
            {"type": "modal", "title": plain("x"), "blocks": [], "private_metadata": "x" * 3001},
            "/view/private_metadata",
        ),
        ({"type": "sheet"}, "/view"),
    ],
)
def test_views_beyond_the_limit_are_refused(
    slack_sandbox: SlackSandbox, view: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(SlackApiError) as caught:
        slack_sandbox.client().views_open(trigger_id="t", view=view)
    reply = caught.value.response
    assert reply["error"] == "invalid_arguments"
    assert any(f"[json-pointer:{pointer}]" in m for m in reply["response_metadata"]["messages"])


def test_publishing_home_twice_keeps_one_view_and_guards_its_hash(slack_sandbox: SlackSandbox) -> None:
    client = slack_sandbox.client()
    home = {"type": "home", "blocks": [section("hello")]}
    first = client.views_publish(user_id=ADA, view=home)["view"]
    second = client.views_publish(user_id=ADA, view=home, hash=first["hash"])["view"]
    assert first["id"] == second["id"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        client.views_publish(user_id=ADA, view=home, hash=first["hash"])


def test_an_unknown_trigger_opens_nothing(slack_sandbox: SlackSandbox) -> None:
    modal = {"type": "modal", "title": plain("x"), "blocks": [section("x")]}
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        slack_sandbox.client().views_open(trigger_id="1.2.3", view=modal)


KEYS = "text fields accessory elements element label options option_groups confirm title rows hint action_id block_id"
TYPES = [
    *CHECKS,
    *sorted({kind for kinds in ALLOWED.values() for kind in kinds}),
    "plain_text",
    "mrkdwn",
    "modal",
    "home",
]
SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "x", "primary"])
JUNK = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries(
            {"type": st.sampled_from(TYPES)},
            optional=dict.fromkeys([*KEYS.split(), "value", "alt_text"], inner),
        )
    ),
    max_leaves=12,
)


def refusal(check: Any, value: Any) -> str | None:
    try:
        check(value)
    except SlackError as exc:
        return exc.code
    return None


@settings(max_examples=200, deadline=None)
@given(st.lists(JUNK, max_size=3))
def test_any_junk_is_accepted_or_refused_but_never_breaks(junk: list[Any]) -> None:
    assert refusal(checked_blocks, junk) in (None, "invalid_blocks")
    home = {"type": "home", "blocks": junk}
    assert refusal(lambda view: initial_state(checked_view(view)["blocks"]), home) in (
        None,
        "invalid_arguments",
    )
