"""Fixtures of the sandbox tests."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from atlassian import Confluence
from atlassian.confluence.cloud.cloud import ConfluenceCloud
from slack_bolt import App

from sandbox.confluence.process import ConfluenceSandbox, running
from sandbox.slack.app import create_app
from sandbox.slack.config import Config
from tests.sandbox.confluence_company import ADMIN_LOGIN, company
from tests.sandbox.slack_driving import Served, SlackSandbox, bolt_app, bolt_server, free_port

SLACK_DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "slack"


@pytest.fixture(scope="session")
def slack_server() -> Iterator[str]:
    """URL of one live sandbox for the whole session."""
    port = free_port()
    config = Config(public_url=f"http://127.0.0.1:{port}")
    with Served(create_app(config), port) as served:
        yield served.url


@pytest.fixture
def slack_sandbox(slack_server: str) -> Iterator[SlackSandbox]:
    """The sandbox freshly reset, with quick retries and nowhere to deliver to."""
    with httpx.Client(timeout=20) as http:
        sandbox = SlackSandbox(slack_server, http)
        sandbox.put(
            "settings",
            events_url=None,
            commands_url=None,
            interactions_url=None,
            ack_timeout_s=3.0,
            retry_delays_s=[0.0, 0.05, 0.1],
            trigger_ttl_s=3.0,
        )
        sandbox.put("rate_limits", enabled=False)
        sandbox.act("reset")
        yield sandbox


@pytest.fixture
def slack_bolt(slack_sandbox: SlackSandbox) -> Iterator[App]:
    """A slack-bolt app over HTTP; the sandbox delivers everything to it."""
    app = bolt_app(slack_sandbox)
    with bolt_server(app) as served:
        url = f"{served.url}/slack/events"
        slack_sandbox.put("settings", events_url=url, commands_url=url)
        yield app


@pytest.fixture(scope="session")
def slack_data() -> Path:
    """The shared Slack material; skips where it is not at hand."""
    if not SLACK_DATA.is_dir():
        pytest.skip("shared Slack material (../shared/data/slack) is not here")
    return SLACK_DATA


@pytest.fixture(scope="session")
def confluence_process() -> Iterator[ConfluenceSandbox]:
    """One stand-in Confluence, a process of its own, for the whole session."""
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def confluence_sandbox(confluence_process: ConfluenceSandbox) -> ConfluenceSandbox:
    """The stand-in freshly seeded with the small company of `confluence_company.py`."""
    confluence_process.reset(company())
    return confluence_process


@pytest.fixture
def confluence_cloud(confluence_sandbox: ConfluenceSandbox) -> ConfluenceCloud:
    """A v1 Cloud client of the admin account."""
    name, token = ADMIN_LOGIN
    return ConfluenceCloud(
        confluence_sandbox.cloud_url, username=name, password=token, api_version=1, cloud=True
    )


@pytest.fixture
def confluence_cloud_v2(confluence_sandbox: ConfluenceSandbox) -> ConfluenceCloud:
    """A v2 Cloud client of the admin account."""
    name, token = ADMIN_LOGIN
    return ConfluenceCloud(
        confluence_sandbox.cloud_url, username=name, password=token, api_version=2, cloud=True
    )


@pytest.fixture
def confluence_server(confluence_sandbox: ConfluenceSandbox) -> Confluence:
    """A Data Center client of the admin account, by personal access token."""
    return Confluence(confluence_sandbox.url, token=ADMIN_LOGIN[1], cloud=False)
