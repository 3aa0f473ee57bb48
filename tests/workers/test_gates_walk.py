"""The walk by the clock finds what webhooks missed; spaces nobody wants any more go; no site is walked twice at first."""

import json

import pytest
from sqlalchemy import text

from core import jobs
from tests.workers.conftest import Worker


@pytest.fixture
def synced(cloud: Worker) -> Worker:
    cloud.sync("full")
    cloud.index_all()
    return cloud


def walk(worker: Worker) -> dict[str, object]:
    outcome = worker.run("refresh_gates", str(worker.source_id))
    worker.drain()
    return outcome


def choose(worker: Worker, **settings: list[str]) -> None:
    with worker.context.factory.begin() as session:
        session.execute(
            text("UPDATE sources SET settings = settings || CAST(:more AS jsonb)"),
            {"more": json.dumps(settings)},
        )


def in_space(worker: Worker, key: str) -> list[dict[str, object]]:
    found = worker.documents()
    return [found[external_id] for external_id in sorted(found) if found[external_id]["space_key"] == key]


def test_archive_move_and_restore_are_found_by_the_clock(synced: Worker) -> None:
    synced.site.act("200005", "archive")
    synced.site.act("210002", "move", target_id="210010", position="append")
    walk(synced)
    assert synced.document("200005").status == synced.document("att98313").status == "archived"
    assert synced.document("210002").ancestors[-1] == "210010"
    assert synced.doors("210003") == synced.doors("comments:210002") == {"space:ENG", "page:210010"}
    synced.site.act("200005", "unarchive")
    synced.site.act("210005", "trash")
    walk(synced)
    assert synced.document("200005").status == synced.document("att98313").status == "current"
    assert synced.document("210005").status == "trashed"
    synced.site.act("210005", "restore")
    walk(synced)
    row = synced.document("210005")
    assert (row.status, row.deleted_at) == ("current", None)


def test_an_excluded_space_is_closed_at_once_and_removed_when_accepted(synced: Worker) -> None:
    before = len(in_space(synced, "HB"))
    choose(synced, exclude_spaces=["HB"])
    outcome = walk(synced)
    assert {row["gate_ids"] for row in in_space(synced, "HB")} == {None}
    assert all(row["gate_ids"] for row in in_space(synced, "ENG") if row["external_id"] == "210005")
    assert any("HB is no longer" in problem for problem in outcome["problems"])
    [alert] = synced.alerts()
    assert alert.details["n_missing"] == before > 2
    assert synced.sync("reconcile", accept_deletions=True)["removed"] >= before
    assert synced.document("200005").status == "deleted"
    assert synced.alerts() == []


def test_a_space_that_is_wanted_again_opens_as_it_was(synced: Worker) -> None:
    before = in_space(synced, "HB")
    choose(synced, exclude_spaces=["HB"])
    walk(synced)
    choose(synced, exclude_spaces=[])
    walk(synced)
    assert in_space(synced, "HB") == before
    assert synced.waiting("index_document") == []
    assert synced.alerts() == []


@pytest.mark.parametrize("kind", ["sync_source", "refresh_gates"])
def test_nobody_walks_a_site_while_its_first_walk_goes_on(cloud: Worker, kind: str) -> None:
    with cloud.context.factory.begin() as session:
        key = f"{cloud.source_id}:full"
        first = jobs.enqueue(session, "sync_source", key, source_id=cloud.source_id, mode="full")
        assert jobs.claim(session, first, worker="elsewhere", stale_s=30) is not None
    cloud.site.forget_log()
    outcome = cloud.run(kind, str(cloud.source_id))
    assert "first full sync" in outcome["why"]
    assert cloud.site.requests() == []
    with cloud.context.factory.begin() as session:
        session.execute(text("UPDATE jobs SET state = 'failed' WHERE id = :id"), {"id": first})
    assert cloud.run(kind, str(cloud.source_id))["seen"] > 0, "a first walk that failed leaves the way free"
