"""The conformance suite on Confluence, Cloud and Data Center, against the stand-in server."""

from collections.abc import Callable, Iterator

import pytest

from connectors.confluence import client as client_module
from connectors.confluence import reading
from connectors.confluence.client import ConfluenceClient
from connectors.confluence.shared_pace import forget_paces
from tests.connectors.conformance import Listed, SourceConformance
from tests.workers.confluence_site import SERVICE_EMAIL, SERVICE_TOKEN, StandIn

SPACE = "ENG"


@pytest.fixture(scope="module")
def stand_in(free_port: Callable[[], int]) -> Iterator[StandIn]:
    server = StandIn(free_port())
    yield server
    server.stop()


class ConfluenceWorld:
    """Hands on the stand-in."""

    def __init__(self, site: StandIn) -> None:
        self._site = site

    def add(self, title: str, body: str) -> str:
        return str(self._site.add(space=SPACE, title=title, body=body)["id"])

    def rename(self, item_id: str, title: str) -> None:
        self._site.edit(item_id, title=title)

    def edit(self, item_id: str, body: str) -> None:
        self._site.edit(item_id, body=body)

    def delete(self, item_id: str) -> None:
        self._site.act(item_id, "trash")

    def break_one(self, item_id: str) -> None:
        self._site.faults(
            {"kind": "error", "status": 500, "path": rf"content/{item_id}\?"},
            {"kind": "storage_fails", "path": "content/search"},
        )


class ConfluenceSource:
    """One space of a site, as the suite asks for it."""

    def __init__(self, client: ConfluenceClient) -> None:
        self._client = client

    def list_all(self) -> list[Listed]:
        found: list[Listed] = []
        for listing in reading.pages(self._client, SPACE, has_body=True):
            assert listing.is_whole
            found += [Listed(page.id, page.title, page.version) for page in listing.pages]
            found += [Listed(item.id, item.title, 0, item.error) for item in listing.failed]
        return found

    def read(self, item_id: str) -> str:
        return reading.page(self._client, item_id).storage or ""


@pytest.fixture
def world(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> ConfluenceWorld:
    stand_in.reset()
    monkeypatch.setattr(client_module, "BACKOFF_S", 0.01)
    forget_paces()
    return ConfluenceWorld(stand_in)


@pytest.fixture(params=["cloud", "data_center"])
def source(request: pytest.FixtureRequest, stand_in: StandIn) -> Iterator[ConfluenceSource]:
    if request.param == "cloud":
        client = ConfluenceClient(stand_in.url + "/wiki", username=SERVICE_EMAIL, api_token=SERVICE_TOKEN)
    else:
        client = ConfluenceClient(stand_in.url, pat=SERVICE_TOKEN)
    yield ConfluenceSource(client)
    client.close()


class TestConfluence(SourceConformance):
    """Both flavours."""
