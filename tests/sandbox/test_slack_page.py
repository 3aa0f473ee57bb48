"""The chat page in a real browser: asking, threads, buttons, modals, and who sees what."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright
from slack_bolt import App

from tests.sandbox.slack_driving import ADA, BEN, GENERAL, SlackSandbox

CHROMIUM = Path("/usr/bin/chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture
def page(slack_sandbox: SlackSandbox) -> Iterator[Page]:
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")
    problems: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        page = browser.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{slack_sandbox.url}/?user=ada")
        page.wait_for_selector("#header .title")
        yield page
        browser.close()
    assert problems == []


def blocks() -> list[dict[str, Any]]:
    def button(action_id: str, text: str) -> dict[str, Any]:
        return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": text}}

    option = {"text": {"type": "plain_text", "text": "Second"}, "value": "2"}
    select = {"type": "static_select", "action_id": "pick", "options": [option]}
    text = {"type": "mrkdwn", "text": "*Bold* <https://example.com|a link> & <img src=x onerror=alert(1)>"}
    return [
        {"type": "header", "text": {"type": "plain_text", "text": "Answer"}},
        {"type": "section", "text": text},
        {"type": "actions", "elements": [button("edit", "Edit"), select]},
    ]


def test_a_person_asks_clicks_and_fills_in_a_modal(
    page: Page, slack_sandbox: SlackSandbox, slack_bolt: App
) -> None:
    picked: list[str] = []
    saved: list[str] = []

    @slack_bolt.command("/ask")
    def ask(ack: Any) -> None:
        ack(text="Answer", blocks=blocks())

    @slack_bolt.action("pick")
    def pick(ack: Any, action: dict[str, Any]) -> None:
        ack()
        picked.append(action["selected_option"]["value"])

    @slack_bolt.action("edit")
    def edit(ack: Any, body: dict[str, Any], client: Any) -> None:
        ack()
        label = {"type": "plain_text", "text": "Title"}
        element = {"type": "plain_text_input", "action_id": "text"}
        view = {"type": "modal", "callback_id": "v", "title": label, "submit": label}
        view["blocks"] = [{"type": "input", "block_id": "b", "label": label, "element": element}]
        client.views_open(trigger_id=body["trigger_id"], view=view)

    @slack_bolt.view("v")
    def save(ack: Any, view: dict[str, Any]) -> None:
        ack()
        saved.append(view["state"]["values"]["b"]["text"]["value"])

    page.fill("#composer textarea", "/ask when?")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Only visible to you")
    assert page.inner_text(".header-block") == "Answer"
    assert page.get_attribute(".section a", "href") == "https://example.com"
    assert page.locator(".section img").count() == 0
    page.select_option("select[data-action=pick]", "2")
    page.click("button[data-action=edit]")
    page.click(".dialog .primary")
    page.wait_for_selector(".dialog .problem")
    page.fill(".dialog input", "New title")
    page.click(".dialog .primary")
    page.wait_for_selector(".dialog", state="detached")
    assert (picked, saved) == (["2"], ["New title"])
    page.goto(f"{slack_sandbox.url}/?user=ben")
    page.wait_for_selector("#header .title")
    assert page.locator("text=Only visible to you").count() == 0


def test_mentions_open_a_thread_that_updates_by_itself(
    page: Page, slack_sandbox: SlackSandbox, slack_bolt: App
) -> None:
    @slack_bolt.event("app_mention")
    def mention(event: dict[str, Any], say: Any) -> None:
        say(text="*Here* I am", thread_ts=event["ts"])

    @slack_bolt.event("message")
    def message() -> None:
        return

    page.fill("#composer textarea", "@im")
    page.keyboard.press("Tab")
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    page.click("button.replies")
    page.wait_for_selector("#thread strong:has-text('Here')")
    assert page.inner_text("#thread .message .mention") == "@imp"
    root = slack_sandbox.client().conversations_history(channel=GENERAL)["messages"][0]["ts"]
    slack_sandbox.act("message", user=BEN, channel=GENERAL, text="me too", thread_ts=root)
    page.wait_for_selector("#thread >> text=me too")


def test_home_and_permalinks_open(page: Page, slack_sandbox: SlackSandbox) -> None:
    client = slack_sandbox.client()
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "Two drafts wait"}}
    client.views_publish(user_id=ADA, view={"type": "home", "blocks": [section]})
    page.click("#sidebar .room:has-text('imp')")
    page.click("#header >> text=Home")
    page.wait_for_selector(".home >> text=Two drafts wait")
    ts = client.chat_postMessage(channel="C0PROJECT1", text="found me")["ts"]
    page.goto(client.chat_getPermalink(channel="C0PROJECT1", message_ts=ts)["permalink"])
    page.wait_for_selector(".message.goal >> text=found me")
