"""Which spaces are synced: by key, by label, without the excluded ones."""

import pytest

from connectors.confluence.facts import SpaceFacts
from workers.space_choice import SpaceChoice


def space(key: str, *labels: str, status: str = "current") -> SpaceFacts:
    return SpaceFacts("1", key, key, "global", status, labels)


SPACES = [space("ENG", "team"), space("HR", "team", "closed"), space("OLD", status="archived"), space("OPS")]


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (SpaceChoice(), ["ENG", "HR", "OPS"]),
        (SpaceChoice(keys=frozenset({"OLD", "OPS"})), ["OLD", "OPS"]),
        (SpaceChoice(labels=frozenset({"team"})), ["ENG", "HR"]),
        (SpaceChoice(labels=frozenset({"team"}), keys=frozenset({"OPS"})), ["ENG", "HR", "OPS"]),
        (SpaceChoice(excluded_labels=frozenset({"closed"})), ["ENG", "OPS"]),
        (SpaceChoice(keys=frozenset({"HR"}), excluded_labels=frozenset({"closed"})), []),
        (SpaceChoice(excluded_keys=frozenset({"ENG"})), ["HR", "OPS"]),
    ],
)
def test_the_wanted_spaces(choice: SpaceChoice, wanted: list[str]) -> None:
    assert [one.key for one in SPACES if choice.wants(one)] == wanted
    assert all(choice.wants_key(key) for key in wanted)
