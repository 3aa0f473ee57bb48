"""What admins see of sources, and that removing one leaves tombstones and nothing readable."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import BadInput, NotFound
from tests.workers.conftest import Worker
from workers.sources import add_source, ensure_confluence_source, list_sources, remove_source, request_sync
from workers.sync_status import sync_status


def test_counts_and_failures_of_a_synced_site(cloud: Worker) -> None:
    cloud.site.faults(
        {"kind": "error", "status": 500, "path": r"content/210002\?"},
        {"kind": "storage_fails", "path": "content/search.*ENG"},
    )
    cloud.sync("full")
    with cloud.context.factory.begin() as session:
        [status] = sync_status(session)
    assert status.state == "ready"
    assert status.n_failed == 1
    assert status.n_closed == 1
    assert status.n_unindexed == status.n_current - 1
    assert [one.external_id for one in status.failures] == ["210002"]
    assert status.lag_s is not None and status.lag_s < 600


def test_an_alert_is_shown_with_its_source(cloud: Worker) -> None:
    cloud.sync("full")
    for page_id in ("210003", "210004", "210005", "210006"):
        cloud.site.act(page_id, "trash")
    cloud.sync("reconcile")
    with cloud.context.factory.begin() as session:
        [status] = sync_status(session)
    assert "nothing was removed" in status.alerts[0]


def test_permissions_that_may_not_be_seen_close_the_space_until_they_may(cloud: Worker) -> None:
    cloud.sync("full")
    cloud.site.faults({"kind": "error", "status": 403, "path": "permission"})
    outcome = cloud.run("refresh_gates", str(cloud.source_id))
    assert any("space ENG is closed to everyone" in one for one in outcome["problems"])
    assert cloud.gate("space:ENG") == []
    assert cloud.gate("space:DOCS") == []
    cloud.site.faults()
    cloud.run("refresh_gates", str(cloud.source_id))
    assert cloud.gate("space:DOCS") == ["anyone"]


def test_a_removed_source_leaves_tombstones(cloud: Worker) -> None:
    cloud.sync("full")
    with cloud.context.factory.begin() as session:
        [source] = list_sources(session)
        n_gone = remove_source(session, source.name)
        assert n_gone == len(cloud.documents())
        assert list_sources(session) == []
        left = session.execute(text("SELECT count(*) FROM documents WHERE deleted_at IS NULL")).scalar_one()
        assert left == 0
        with pytest.raises(NotFound):
            remove_source(session, source.name)
    with pytest.raises(NotFound):
        cloud.sync("full")


def test_the_source_of_the_settings_is_made_once_and_stays_removed(cloud: Worker) -> None:
    with cloud.context.factory.begin() as session:
        assert ensure_confluence_source(session, cloud.context.settings) == cloud.source_id
        [source] = list_sources(session)
        assert "token" not in str(source.settings).lower()
        remove_source(session, source.name)
        ensure_confluence_source(session, cloud.context.settings)
        assert list_sources(session) == []


@pytest.mark.parametrize(
    ("name", "kind", "settings"),
    [("x", "telegram", {}), (" ", "confluence", {}), ("x", "confluence", {"api_token": "y"})],
)
def test_a_bad_source_is_refused(db_session: Session, name: str, kind: str, settings: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        add_source(db_session, name, kind, settings)


def test_chosen_spaces_are_a_job_of_their_own(cloud: Worker) -> None:
    with cloud.context.factory.begin() as session:
        whole = request_sync(session, cloud.source_id, mode="full")
        chosen = request_sync(session, cloud.source_id, spaces=["HB"])
    assert whole != chosen
    outcome = cloud.run_job(chosen)
    assert outcome["mode"] == "full"
    assert cloud.document("200001") is not None
    assert cloud.document("210001") is None
