"""What every source must keep, as a class to inherit: the real ones against their stand-ins, and one in memory."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Listed:
    """One item as a source lists it. `error` is set for an item that is there but cannot be read."""

    id: str
    title: str
    version: int
    error: str | None = None


class Source(Protocol):
    """What the suite asks of a source."""

    def list_all(self) -> list[Listed]:
        """Everything current, complete, or an error."""

    def read(self, item_id: str) -> str:
        """The text of one item. Raises NotFound when it is gone."""


class World(Protocol):
    """The place a source reads from, with hands to change it."""

    def add(self, title: str, body: str) -> str: ...
    def rename(self, item_id: str, title: str) -> None: ...
    def edit(self, item_id: str, body: str) -> None: ...
    def delete(self, item_id: str) -> None: ...
    def break_one(self, item_id: str) -> None: ...


class SourceConformance:
    """Inherit, and give `source` and `world` as fixtures."""

    def test_a_listing_is_complete_and_its_ids_are_unique(self, source: Source, world: World) -> None:
        made = {world.add(f"Conformance page {number}", f"<p>body {number}</p>") for number in range(7)}
        ids = [one.id for one in source.list_all()]
        assert made <= set(ids)
        assert len(ids) == len(set(ids))

    def test_a_second_listing_is_equal(self, source: Source, world: World) -> None:
        world.add("Once", "<p>x</p>")
        assert source.list_all() == source.list_all()

    def test_a_rename_keeps_the_id(self, source: Source, world: World) -> None:
        made = world.add("Old name", "<p>x</p>")
        world.rename(made, "New name")
        [found] = [one for one in source.list_all() if one.id == made]
        assert found.title == "New name"
        assert not [one for one in source.list_all() if one.title == "Old name"]

    def test_an_edit_raises_the_version_and_is_read(self, source: Source, world: World) -> None:
        made = world.add("Edited", "<p>before</p>")
        [before] = [one for one in source.list_all() if one.id == made]
        world.edit(made, "<p>afterwards</p>")
        [after] = [one for one in source.list_all() if one.id == made]
        assert after.version > before.version
        assert "afterwards" in source.read(made)

    def test_a_deletion_is_visible(self, source: Source, world: World) -> None:
        made = world.add("Short-lived", "<p>x</p>")
        world.delete(made)
        assert made not in {one.id for one in source.list_all()}

    def test_a_bad_item_fails_alone(self, source: Source, world: World) -> None:
        good, bad = world.add("Good", "<p>fine</p>"), world.add("Bad", "<p>never</p>")
        before = {one.id for one in source.list_all()}
        world.break_one(bad)
        found = {one.id: one for one in source.list_all()}
        assert set(found) == before, "a bad item is listed, with its error, and hides no other"
        assert found[bad].error
        assert found[good].error is None
