"""The Slack app that people create asks for what the code uses: scopes, command, events, one address."""

from pathlib import Path

import yaml

from connectors.slack.scopes import NEEDED
from core.settings import Settings

MANIFEST = yaml.safe_load((Path(__file__).resolve().parents[2] / "infra" / "slack-manifest.yaml").read_text())


def test_scopes_are_those_the_bot_needs() -> None:
    assert sorted(MANIFEST["oauth_config"]["scopes"]["bot"]) == sorted(NEEDED)


def test_command_is_the_default_of_the_settings() -> None:
    (command,) = MANIFEST["features"]["slash_commands"]
    assert command["command"] == Settings.model_fields["slack_command"].default
    assert command["should_escape"] is False


def test_everything_arrives_at_the_one_route() -> None:
    urls = {
        MANIFEST["features"]["slash_commands"][0]["url"],
        MANIFEST["settings"]["event_subscriptions"]["request_url"],
        MANIFEST["settings"]["interactivity"]["request_url"],
    }
    assert urls == {"https://imp.example.com/slack/events"}


def test_events_are_mentions_and_direct_messages() -> None:
    assert set(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == {"app_mention", "message.im"}
    assert MANIFEST["settings"]["interactivity"]["is_enabled"] is True


def test_fits_the_lengths_slack_allows() -> None:
    shown = MANIFEST["display_information"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 174 <= len(shown["long_description"]) <= 4000
