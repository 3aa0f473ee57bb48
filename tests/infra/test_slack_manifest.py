"""The Slack app that people create asks for what the code uses: scopes, command, events, one address."""

import re
from pathlib import Path

import yaml

from connectors.slack import asking_about
from connectors.slack.scopes import NEEDED
from core.settings import Settings

MANIFEST = yaml.safe_load((Path(__file__).resolve().parents[2] / "infra" / "slack-manifest.yaml").read_text())


def test_scopes_are_those_the_bot_needs() -> None:
    assert sorted(MANIFEST["oauth_config"]["scopes"]["bot"]) == sorted(NEEDED)


def test_commands_are_the_question_and_the_admins() -> None:
    commands = MANIFEST["features"]["slash_commands"]
    assert [one["command"] for one in commands] == [Settings.model_fields["slack_command"].default, "/imp"]
    assert not any(one["should_escape"] for one in commands)


def test_everything_arrives_at_the_one_route() -> None:
    urls = {
        *(one["url"] for one in MANIFEST["features"]["slash_commands"]),
        MANIFEST["settings"]["event_subscriptions"]["request_url"],
        MANIFEST["settings"]["interactivity"]["request_url"],
    }
    assert urls == {"https://imp.example.com/slack/events"}


def test_events_are_those_somebody_listens_to() -> None:
    events = set(MANIFEST["settings"]["event_subscriptions"]["bot_events"])
    folder = Path(__file__).resolve().parents[2] / "connectors" / "slack"
    source = "".join(path.read_text() for path in folder.rglob("*.py"))
    listened = set(re.findall(r'app\.event\("(\w+)"\)', source))
    listened |= {f"assistant_{event}" for event in re.findall(r"assistant\.(thread_\w+)\(on_", source)}
    assert {event.partition(".")[0] for event in events} == listened
    assert MANIFEST["settings"]["interactivity"]["is_enabled"] is True


def test_shortcuts_are_those_somebody_takes() -> None:
    source = (Path(__file__).resolve().parents[2] / "connectors/slack/listeners/shortcuts.py").read_text()
    for shortcut in MANIFEST["features"]["shortcuts"]:
        assert shortcut["type"] == "message"
        assert len(shortcut["name"]) <= 75 and len(shortcut["description"]) <= 150
    taken = {asking_about.CALLBACK_ID, *re.findall(r'app\.shortcut\("(\w+)"\)', source)}
    assert {shortcut["callback_id"] for shortcut in MANIFEST["features"]["shortcuts"]} == taken


def test_fits_the_lengths_slack_allows() -> None:
    shown = MANIFEST["display_information"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 174 <= len(shown["long_description"]) <= 4000
