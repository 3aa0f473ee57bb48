"""The button's whole way: Slack's home tab, our page, Atlassian's, and back; and everybody who tampers with it."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from app.routes import connect_atlassian as routes
from app.web import make_app
from core.settings import load_settings
from core.tables.people import Account, Person
from tests.app.conftest import House
from workers import connect_atlassian
from workers.context import Context

ROOT = Path(__file__).resolve().parents[2]
ALICE = "5f2a11ce0c4d5e6f70819201"
SECRET = "sample-secret"
MALLORY = {
    "account_id": "acc-mallory",
    "name": "Mallory <b>",
    "email": "mallory@evil.example",
    "email_verified": True,
}


@pytest.fixture(scope="module")
def login_url(free_port: Callable[[], int]) -> Iterator[str]:
    port = free_port()
    argv = [sys.executable, "-m", "sandbox.atlassian_login", "--port", str(port)]
    server = subprocess.Popen(argv, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            requests.get(f"{url}/me", timeout=1)
            break
        except requests.ConnectionError:
            time.sleep(0.05)
    yield url
    server.terminate()
    server.wait(10)


class Browser:
    """One person's browser: follows the button, Atlassian's page, and what comes after."""

    def __init__(self, house: House) -> None:
        self.house = house
        app = make_app(house.context, [routes.router])
        self.client = TestClient(app, follow_redirects=False, base_url=house.settings.public_url)

    def press(self, slack_user: str = "U1") -> Response:
        url = connect_atlassian.connect_url(self.house.settings, slack_user)
        assert url is not None
        return self.client.get(url)

    def to_atlassian(self, page: Response) -> str:
        """Continue; returns where the browser is sent."""
        sent = self.client.post("/connect/atlassian/begin", data={"ticket": hidden(page)})
        assert sent.status_code == 303, sent.text
        return str(sent.headers["location"])

    def back(self, consent: str) -> str:
        agreed = requests.get(consent, allow_redirects=False, timeout=5)
        return agreed.headers["location"]

    def connect(self, slack_user: str = "U1") -> Response:
        return self.client.get(self.back(self.to_atlassian(self.press(slack_user))))


def hidden(page: Response) -> str:
    found = re.search(r'name="(?:ticket|offer)" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


@pytest.fixture
def connecting(house: House, login_url: str) -> House:
    requests.put(f"{login_url}/_sandbox/account", json={
        "account_id": ALICE, "name": "Alice Marlow", "email": "alice@larkmoor.example", "email_verified": True,
    }, timeout=5)  # fmt: skip
    requests.put(f"{login_url}/_sandbox/status", json=200, timeout=5)
    own = {"atlassian_client_id": "sample-client", "atlassian_client_secret": SECRET,
           "atlassian_auth_url": login_url, "atlassian_api_url": login_url, "imp_public_url": "http://imp.test"}  # fmt: skip
    kept = house.settings.model_dump(include=house.settings.model_fields_set)
    house.context.settings = house.settings = load_settings(**{**kept, **own})
    with house.context.factory.begin() as session:
        session.add(Account(provider="slack", external_id="U1", name="Alice", email="alice@larkmoor.example"))
    return house


@pytest.fixture
def browser(connecting: House) -> Browser:
    return Browser(connecting)


def accounts(house: House) -> dict[str, tuple[int | None, str | None]]:
    with house.context.factory() as session:
        return {
            f"{row.provider}:{row.external_id}": (row.person_id, row.linked_by)
            for row in session.execute(select(Account)).scalars()
        }


def test_one_address_connects_at_once(browser: Browser) -> None:
    page = browser.press()
    assert "Alice" in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    consent = browser.to_atlassian(page)
    asked = parse_qs(urlsplit(consent).query)
    assert asked["scope"] == ["read:me"]
    assert asked["code_challenge_method"] == ["S256"]
    done = browser.client.get(browser.back(consent))
    assert done.status_code == 200
    assert "Connected" in done.text
    found = accounts(browser.house)
    assert found["slack:U1"] == found[f"confluence:{ALICE}"]
    assert found["slack:U1"][0] is not None
    assert found["slack:U1"][1] == "oauth"


def test_the_person_of_the_atlassian_account_is_kept_with_groups(browser: Browser) -> None:
    """Confluence knew the account, without its address; Slack's address made somebody else of it."""
    with browser.house.context.factory.begin() as session:
        known, other = Person(name="Alice Marlow"), Person(name="Alice", email="alice@larkmoor.example")
        session.add_all([known, other])
        session.flush()
        session.add(Account(provider="confluence", external_id=ALICE, person_id=known.id))
        slack = session.query(Account).filter_by(external_id="U1").one()
        slack.person_id, slack.linked_by = other.id, "email"
        known_id = known.id
    assert "Connected" in browser.connect().text
    assert accounts(browser.house)["slack:U1"] == (known_id, "oauth")


def test_other_addresses_need_a_last_word(browser: Browser, login_url: str) -> None:
    requests.put(f"{login_url}/_sandbox/account", json=MALLORY, timeout=5)
    page = browser.connect()
    assert "Are both accounts yours?" in page.text
    assert "Mallory &lt;b&gt;" in page.text
    assert accounts(browser.house)["slack:U1"][0] is None, "nothing is connected yet"
    done = browser.client.post("/connect/atlassian/confirm", data={"offer": hidden(page)})
    assert "Connected" in done.text
    assert accounts(browser.house)["confluence:acc-mallory"][1] == "oauth"
    again = browser.client.post("/connect/atlassian/confirm", data={"offer": hidden(page)})
    assert again.status_code == 403


def test_an_address_nobody_confirmed_is_not_believed(browser: Browser, login_url: str) -> None:
    alike = {"account_id": "acc-m", "name": "M", "email": "alice@larkmoor.example", "email_verified": False}
    requests.put(f"{login_url}/_sandbox/account", json=alike, timeout=5)
    assert "Are both accounts yours?" in browser.connect().text
    assert "confluence:acc-m" not in accounts(browser.house)


def test_another_browser_cannot_finish(browser: Browser) -> None:
    address = browser.back(browser.to_atlassian(browser.press()))
    stranger = Browser(browser.house)
    assert stranger.client.get(address).status_code == 403
    assert f"confluence:{ALICE}" not in accounts(browser.house)


def test_a_state_works_once_and_so_does_a_button(browser: Browser) -> None:
    page = browser.press()
    address = browser.back(browser.to_atlassian(page))
    assert browser.client.get(address).status_code == 200
    assert browser.client.get(address).status_code == 403
    used = browser.client.post("/connect/atlassian/begin", data={"ticket": hidden(page)})
    assert used.status_code == 403
    assert "used already" in used.text


@pytest.mark.parametrize("tamper", ["signature", "purpose", "age", "nonsense", "none"])
def test_tokens_that_are_not_ours_open_nothing(
    browser: Browser, tamper: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if tamper == "age":
        monkeypatch.setattr(connect_atlassian, "TICKET_MAX_AGE", timedelta(seconds=-5))
    url = connect_atlassian.connect_url(browser.house.settings, "U1")
    assert url is not None
    ticket = parse_qs(urlsplit(url).query)["ticket"][0]
    head, claims, signature = ticket.split(".")
    sent = {
        "signature": f"{head}.{claims}.{signature[::-1]}", "age": ticket, "nonsense": "x.y.z", "none": "",
        "purpose": connect_atlassian._signed(browser.house.settings, "state", "U1", timedelta(minutes=1)),
    }[tamper]  # fmt: skip
    reply = browser.client.get("/connect/atlassian", params={"ticket": sent})
    assert reply.status_code == 403
    assert "home tab" in reply.text
    assert browser.client.post("/connect/atlassian/begin", data={"ticket": sent}).status_code == 403


def test_who_says_no_is_not_connected(browser: Browser, login_url: str) -> None:
    requests.put(f"{login_url}/_sandbox/account", data="null", timeout=5)
    reply = browser.connect()
    assert reply.status_code == 403
    assert "did not agree" in reply.text


def test_a_guessed_code_is_refused(browser: Browser) -> None:
    address = browser.back(browser.to_atlassian(browser.press()))
    forged = re.sub(r"code=[^&]+", "code=guessed", address)
    reply = browser.client.get(forged)
    assert reply.status_code == 403
    assert accounts(browser.house)["slack:U1"][0] is None


def test_an_authorization_server_that_is_down_is_said(browser: Browser, login_url: str) -> None:
    requests.put(f"{login_url}/_sandbox/status", json=500, timeout=5)
    reply = browser.connect()
    assert reply.status_code == 503
    assert "Atlassian" in reply.text


def test_people_of_other_organizations_are_an_admins_business(browser: Browser) -> None:
    with browser.house.context.factory.begin() as session:
        session.query(Account).filter_by(external_id="U1").one().is_external = True
    assert browser.press().status_code == 403


def test_nothing_is_offered_where_no_app_is_set(context: Context, house: House) -> None:
    assert connect_atlassian.connect_url(context.settings, "U1") is None
    reply: Any = TestClient(make_app(context, [routes.router])).get("/connect/atlassian?ticket=x")
    assert reply.status_code == 400
    assert "ATLASSIAN_CLIENT_ID" in reply.text
