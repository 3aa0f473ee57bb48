"""Installing the bot in a workspace, from our page through the stand-in's consent and back."""

import re
from html import unescape
from urllib.parse import urlsplit

import httpx
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.routes import slack_install
from app.web import make_app
from sandbox.slack.app import create_app
from sandbox.slack.config import Config
from tests.sandbox.slack_driving import Served, free_port
from tests.workers.test_slack_workspaces import context_on
from workers import slack_workspaces


def test_the_way_through_slack_and_back(fresh_database_url: str) -> None:
    port = free_port()
    with Served(create_app(Config(public_url=f"http://127.0.0.1:{port}")), port) as slack:
        context = context_on(
            fresh_database_url, slack_api_url=f"{slack.url}/api/", slack_client_id="1000.2000",
            slack_client_secret="sandbox-client-secret", imp_public_url="https://imp.example",
        )  # fmt: skip
        app = make_app(context, [slack_install.make_router(context)])
        with TestClient(app, base_url="https://imp.example") as browser:
            page = browser.get("/slack/install").text
            consent = unescape(re.findall(r'class="add" href="([^"]+)"', page)[0])
            assert consent.startswith(f"{slack.url}/oauth/v2/authorize")
            back = urlsplit(httpx.get(consent).headers["location"])
            somebody_else = TestClient(app, base_url="https://imp.example")
            assert somebody_else.get(f"{back.path}?{back.query}").status_code == 400
            done = browser.get(f"{back.path}?{back.query}")
            assert done.status_code == 200 and "IMP is in Sandbox" in done.text and "SLACK_TEAMS" in done.text
            assert browser.get(f"{back.path}?{back.query}").status_code in (400, 401), "a state is used once"
        client = slack_workspaces.client_of(context, "T0SANDBOX1")
        assert client.auth_test()["team_id"] == "T0SANDBOX1"
        with context.factory() as session:
            (message,) = session.execute(text("SELECT message FROM alerts WHERE closed_at IS NULL")).scalars()
        assert "T0SANDBOX1" in message and "xoxb" not in done.text
