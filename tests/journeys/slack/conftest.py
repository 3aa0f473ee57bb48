"""Fixtures of the Slack journeys: a stand-in Slack, and the product's processes beside it."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from sandbox.slack.app import create_app
from sandbox.slack.config import Config
from tests.journeys.slack.house import House, Recorder
from tests.journeys.slack.library import Library, furnish
from tests.sandbox.slack_driving import Served, SlackSandbox, free_port

QUICK = {"ack_timeout_s": 3.0, "retry_delays_s": [0.0, 0.3, 0.6], "trigger_ttl_s": 3.0}
_redis_numbers = count(1)


@pytest.fixture(scope="session")
def recorded_slack() -> Iterator[tuple[str, Recorder]]:
    """URL of one stand-in Slack for the session, and everything the product sent to it."""
    port = free_port()
    recorder = Recorder(create_app(Config(public_url=f"http://127.0.0.1:{port}")))
    with Served(recorder, port) as served:
        yield served.url, recorder


@pytest.fixture(scope="session")
def slack(recorded_slack: tuple[str, Recorder]) -> Iterator[SlackSandbox]:
    with httpx.Client(timeout=20) as http:
        sandbox = SlackSandbox(recorded_slack[0], http)
        sandbox.put("settings", **QUICK)
        yield sandbox


@pytest.fixture(scope="session")
def make_house(
    slack: SlackSandbox,
    make_database: Callable[[], str],
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., House]]:
    """Furnishes a database of its own; nothing runs until `start`."""
    made: list[House] = []

    def make(**env: str) -> House:
        database_url = make_database()
        library = Library.open(database_url)
        furnish(library)
        library.close()
        redis = f"{redis_url.rsplit('/', 1)[0]}/{next(_redis_numbers)}"
        house = House(slack, database_url, redis, tmp_path_factory.mktemp("house"), env)
        made.append(house)
        return house

    yield make
    for house in made:
        house.stop()


@pytest.fixture(scope="session")
def warm_house(make_house: Callable[..., House]) -> House:
    """Web, worker and clock that stay up for the session."""
    return make_house().start("web", "worker", "beat")


@pytest.fixture
def house(warm_house: House, slack: SlackSandbox, recorded_slack: tuple[str, Recorder]) -> House:
    """The warm house, its Slack freshly reset and pointed at it."""
    for name in ("web", "worker", "beat"):
        if name not in warm_house.running:
            warm_house.start(name)
    slack.put("rate_limits", enabled=False)
    slack.act("reset")
    url = f"{warm_house.url}/slack/events"
    slack.put("settings", events_url=url, commands_url=url, interactions_url=url, **QUICK)
    recorded_slack[1].sent.clear()
    return warm_house


@pytest.fixture
def library(house: House) -> Iterator[Library]:
    """Adds pages to the warm house's database."""
    library = Library.open(house.database_url)
    yield library
    library.close()


@pytest.fixture
def sent(recorded_slack: tuple[str, Recorder]) -> Recorder:
    return recorded_slack[1]


def data_folder() -> Path:
    return Path(__file__).resolve().parents[4] / "shared" / "data" / "slack"
