"""The conformance suite on a source in memory, so that the suite itself is tried without any server."""

import pytest

from core.errors import NotFound
from tests.connectors.conformance import Listed, SourceConformance


class Shelf:
    """A source and its world in one: a dict of items."""

    def __init__(self) -> None:
        self._items: dict[str, tuple[str, int, str]] = {}
        self._broken: set[str] = set()

    def add(self, title: str, body: str) -> str:
        item_id = str(len(self._items) + 1)
        self._items[item_id] = (title, 1, body)
        return item_id

    def rename(self, item_id: str, title: str) -> None:
        _, version, body = self._items[item_id]
        self._items[item_id] = (title, version + 1, body)

    def edit(self, item_id: str, body: str) -> None:
        title, version, _ = self._items[item_id]
        self._items[item_id] = (title, version + 1, body)

    def delete(self, item_id: str) -> None:
        self._items[item_id] = ("", 0, "")

    def break_one(self, item_id: str) -> None:
        self._broken.add(item_id)

    def list_all(self) -> list[Listed]:
        return [
            Listed(item_id, title, version, "broken" if item_id in self._broken else None)
            for item_id, (title, version, _) in self._items.items()
            if version
        ]

    def read(self, item_id: str) -> str:
        if not self._items.get(item_id, ("", 0, ""))[1]:
            raise NotFound(item_id)
        return self._items[item_id][2]


@pytest.fixture
def world() -> Shelf:
    return Shelf()


@pytest.fixture
def source(world: Shelf) -> Shelf:
    return world


class TestShelf(SourceConformance):
    """In memory."""
