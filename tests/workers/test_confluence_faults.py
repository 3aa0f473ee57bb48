"""Faults of real sites, switched on: the run goes on or waits, nothing true is lost, nothing is deleted by mistake."""

import time

import pytest

from connectors.confluence import reading
from core.errors import BadInput, Denied, ImpError, RateLimited, Unavailable
from tests.workers.conftest import Worker
from workers import sync_source
from workers.confluence_source import open_site
from workers.sync_plan import dry_run

SEARCH = "content/search"


@pytest.fixture
def synced(cloud: Worker) -> Worker:
    cloud.sync("full")
    cloud.index_all()
    return cloud


@pytest.fixture
def truth(cloud: Worker) -> dict[str, object]:
    cloud.sync("full")
    return cloud.documents()


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "error", "status": 503, "probability": 0.3},
        {"kind": "cut", "probability": 0.3},
        {"kind": "malformed_json", "probability": 0.3},
        {"kind": "rate_limit", "retry_after": "missing", "probability": 0.3},
        {"kind": "large_page", "max_limit": 3},
    ],
    ids=lambda rule: rule["kind"],
)
def test_passing_faults_leave_the_same_final_state(
    cloud: Worker, truth: dict[str, object], rule: dict[str, object]
) -> None:
    with cloud.context.factory.begin() as session:
        from sqlalchemy import text

        session.execute(text("DELETE FROM documents"))
        session.execute(text("DELETE FROM gates"))
        session.execute(text("DELETE FROM jobs"))
    cloud.site.faults(rule)
    for _ in range(10):
        try:
            cloud.sync("full")
            break
        except (Unavailable, RateLimited):
            continue
    cloud.site.faults()
    cloud.sync("full")
    found = cloud.documents()
    assert set(found) == set(truth)
    for external_id, row in found.items():
        assert {**row, "gate_ids": None} == {**truth[external_id], "gate_ids": None}  # type: ignore[dict-item]


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_pause_is_kept_by_everyone_who_asks_this_site(cloud: Worker, form: str) -> None:
    cloud.site.faults({"kind": "rate_limit", "retry_after": form, "seconds": 2, "count": 1})
    site = open_site(cloud.context, cloud.source_id)
    started = time.monotonic()
    assert len(reading.spaces(site.client)) == 6
    assert 0.9 < time.monotonic() - started < 5
    site.client.close()


def test_a_long_pause_is_the_jobs_to_wait(cloud: Worker) -> None:
    cloud.site.faults({"kind": "rate_limit", "retry_after": "seconds", "seconds": 120})
    with pytest.raises(RateLimited) as caught:
        cloud.sync("full")
    assert caught.value.retry_after_s == 120


def test_a_body_that_cannot_be_stored_is_read_as_it_is_shown(cloud: Worker) -> None:
    cloud.site.faults({"kind": "storage_fails", "path": f"{SEARCH}.*ENG|content/210002"})
    cloud.sync("full")
    row = cloud.document("210002")
    assert row.error is None
    assert row.details["body_format"] == "view"
    assert "pager" in row.markdown.lower()


def test_a_page_below_a_trashed_one_is_kept_but_closed(cloud: Worker) -> None:
    cloud.site.act("210002", "trash", keep_children=True)
    outcome = cloud.sync("full")
    assert outcome["failed"] == 0
    row = cloud.document("210003")
    if row.ancestors == ["210001"]:
        pytest.skip("the stand-in lifts the children of a trashed page")
    assert row.gate_ids is None
    assert cloud.document("210005").gate_ids is not None


def test_one_page_that_fails_fails_alone(cloud: Worker) -> None:
    cloud.site.faults(
        {"kind": "error", "status": 500, "path": r"content/210002\?"},
        {"kind": "storage_fails", "path": f"{SEARCH}.*ENG"},
    )
    outcome = cloud.sync("full")
    assert outcome["failed"] == 1
    row = cloud.document("210002")
    assert "500" in row.error
    assert (row.title, row.gate_ids, row.space_key) == ("On-call handbook", None, "ENG")
    assert cloud.document("210003").error is None
    cloud.site.faults()
    cloud.sync("reconcile")
    assert cloud.document("210002").error is None
    assert cloud.doors("210002") == {"space:ENG"}


def test_a_login_page_is_explained(cloud: Worker) -> None:
    cloud.site.faults({"kind": "login_page"})
    with pytest.raises(Denied, match="single sign-on"):
        cloud.sync("full")


def test_a_wrong_token_is_explained(cloud: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    from connectors.confluence.client import ConfluenceClient

    client = ConfluenceClient(cloud.site.url + "/wiki", username="imp@larkmoor.example", api_token="wrong")
    with pytest.raises(Denied, match="CONFLUENCE_API_TOKEN"):
        reading.account(client)
    client.close()


def test_a_space_that_is_not_there_is_named_and_the_site_is_not_blamed(synced: Worker) -> None:
    from sqlalchemy import text

    with pytest.raises(BadInput, match="NOPE; there are: DOCS, ENG"):
        synced.sync("full", spaces=["NOPE"])
    with synced.context.factory.begin() as session:
        row = session.execute(
            text("SELECT state FROM sources WHERE id = :id"), {"id": synced.source_id}
        ).one()
    assert row.state == "ready"


def test_a_full_sync_of_an_unchanged_site_reads_no_page_again(synced: Worker) -> None:
    synced.site.forget_log()
    outcome = synced.sync("full")
    assert outcome["changed"] == outcome["added"] == outcome["moved"] == 0
    asked = [one["query"] for one in synced.site.requests() if SEARCH in one["path"]]
    assert asked and not any("body.storage" in one and "comment" not in one for one in asked)


def test_the_clock_finds_what_was_trashed_and_what_appeared(synced: Worker) -> None:
    synced.site.act("210005", "trash")
    made = synced.site.add(space="ENG", title="Appeared", body="<p>Seen by the clock.</p>")
    synced.run("refresh_gates", str(synced.source_id))
    assert synced.document("210005").status == "trashed"
    assert "Seen by the clock" in synced.document(made["id"]).markdown


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "empty_next", "path": f"{SEARCH}.*HB.*blogpost"},
        {"kind": "error", "status": 500, "path": f"{SEARCH}.*HB.*blogpost"},
    ],
    ids=lambda rule: rule["kind"],
)
def test_a_short_listing_deletes_nothing(synced: Worker, rule: dict[str, object]) -> None:
    before = synced.documents()
    synced.site.faults(rule)
    try:
        outcome = synced.sync("reconcile")
        assert outcome["removed"] == 0
    except ImpError:
        pass
    assert synced.documents() == before


def test_a_listing_shorter_by_a_fifth_raises_an_alert_until_an_admin_agrees(synced: Worker) -> None:
    gone = ["210003", "210004", "210005", "210006"]
    for page_id in gone:
        synced.site.act(page_id, "trash")
    assert synced.sync("reconcile")["removed"] == 0
    [alert] = synced.alerts()
    assert "Space ENG" in alert.message
    assert {one["id"] for one in alert.details["missing"]} >= set(gone)
    assert synced.document("210004").status == "current"
    planned = dry_run(synced.context, synced.source_id)
    assert {one.id for one in planned.removed} >= set(gone)
    assert synced.sync("reconcile", accept_deletions=True)["removed"] >= len(gone)
    assert synced.document("210004").status == "trashed"
    assert synced.alerts() == []


def test_a_dry_run_writes_nothing(synced: Worker) -> None:
    before = synced.documents()
    synced.site.edit("210002", append="<p>More.</p>")
    made = synced.site.add(space="ENG", title="Brand new", body="<p>x</p>")
    synced.site.act("210006", "trash")
    planned = dry_run(synced.context, synced.source_id, spaces=["ENG"])
    assert [one.id for one in planned.added] == [made["id"]]
    assert [one.id for one in planned.changed] == ["210002"]
    assert [one.id for one in planned.removed] == ["210006"]
    assert synced.documents() == before


def test_a_sync_that_broke_off_goes_on_from_its_checkpoint(
    cloud: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core import jobs
    from core.running_job import RunningJob

    monkeypatch.setattr(reading, "N_WITH_BODIES", 3)
    with cloud.context.factory.begin() as session:
        job_id = jobs.enqueue(session, "sync_source", "broken", source_id=cloud.source_id, mode="full")
    cloud.site.faults({"kind": "error", "status": 503, "path": f"{SEARCH}.*PEOPLE"})
    with cloud.context.factory.begin() as session:
        claimed = jobs.claim(session, job_id, worker="first", stale_s=30)
    assert claimed is not None
    with pytest.raises(Unavailable):
        sync_source.run(cloud.context, RunningJob(claimed, cloud.context.factory, heartbeat_s=60))
    with cloud.context.factory.begin() as session:
        jobs.put_back(session, claimed, error="503", delay_s=0)
    cloud.site.faults()
    cloud.site.forget_log()
    cloud.run_job(job_id)
    asked = " ".join(one["query"] for one in cloud.site.requests() if SEARCH in one["path"])
    assert "PEOPLE" in asked
    assert "ENG" not in asked.replace("PEOPLE", "")
    assert cloud.document("230003") is not None and cloud.document("210002") is not None


def test_a_clock_far_from_utc_misses_no_change(cloud: Worker) -> None:
    from datetime import UTC, datetime

    since = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert reading.cql_time(since, "America/Los_Angeles") == '"2026-10-31 21:15"'
    assert reading.cql_time(since, "Asia/Tokyo") == '"2026-11-01 13:15"'
    assert reading.cql_time(since, None) == '"2026-10-31 16:30"'
    assert reading.cql_time(since, "No/Where") == '"2026-10-31 16:30"'


def test_a_filter_with_or_stays_in_its_parentheses(synced: Worker) -> None:
    site = open_site(synced.context, synced.source_id)
    from datetime import UTC, datetime

    changes = list(
        reading.changed_since(
            site.client, datetime.now(UTC), time_zone="UTC", cql='space = "ENG" or space = "HB"'
        )
    )
    site.client.close()
    assert changes == []
