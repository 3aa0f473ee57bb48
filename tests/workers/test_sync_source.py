"""Syncing a whole site: everything arrives once, a second run changes nothing, every change takes effect."""

import pytest

from tests.workers.conftest import Worker


@pytest.mark.parametrize("flavour", ["cloud", "data_center"])
def test_the_first_sync_brings_everything_with_its_doors(
    flavour: str, request: pytest.FixtureRequest
) -> None:
    worker: Worker = request.getfixturevalue(flavour)
    outcome = worker.sync("increment")
    assert outcome["mode"] == "full"
    assert outcome["problems"] == []
    assert outcome["failed"] == 0
    page = worker.document("210010")
    assert page.title == "Penetration test 2026"
    assert page.ancestors == ["210001"]
    assert page.ancestor_titles == ["Engineering"]
    assert page.labels == ["security"]
    assert page.author == "Alice Marlow"
    assert "Lantern" in page.markdown
    assert worker.doors("210010") == {"space:ENG", "page:210010"}
    assert worker.doors("210001") == {"space:ENG"}
    assert worker.gate("space:DOCS") == ["anyone"]
    assert worker.document("200009") is None, "a draft is nobody's business"


@pytest.mark.parametrize("flavour", ["cloud", "data_center"])
def test_a_second_sync_changes_nothing(flavour: str, request: pytest.FixtureRequest) -> None:
    worker: Worker = request.getfixturevalue(flavour)
    worker.sync("full")
    before = worker.documents()
    assert worker.index_all() == len(before)
    for mode in ("full", "reconcile", "increment"):
        outcome = worker.sync(mode)
        assert (outcome["added"], outcome["changed"], outcome["moved"], outcome["removed"]) == (0, 0, 0, 0)
    assert worker.documents() == before
    assert worker.waiting("index_document") == []
