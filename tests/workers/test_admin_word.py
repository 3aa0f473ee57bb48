"""An admin's word in Slack: chosen spaces are synced, and only those; what cannot be done is said."""

import pytest
from sqlalchemy import text

from tests.workers.conftest import Worker
from workers.admin_word import carry_out, keys_in


def requested(worker: Worker) -> list[dict[str, object]]:
    with worker.context.factory.begin() as session:
        return list(
            session.execute(text("SELECT args FROM jobs WHERE kind = 'sync_source' ORDER BY id")).scalars()
        )


def test_chosen_spaces_are_synced_and_no_other(cloud: Worker) -> None:
    said = carry_out(cloud.context, "sync", ["eng,", "HB", "`HB`"])
    assert "*ENG*" in said and "*HB*" in said
    [args] = requested(cloud)
    assert (args["mode"], args["spaces"]) == ("full", ["ENG", "HB"])
    [job_id] = cloud.waiting("sync_source")
    cloud.run_job(job_id)
    assert {row["space_key"] for row in cloud.documents().values()} == {"ENG", "HB"}


def test_a_space_that_is_not_there_is_answered_with_those_that_are(cloud: Worker) -> None:
    said = carry_out(cloud.context, "sync", ["ENG", "NOPE"])
    assert "NOPE" in said and "there are: DOCS, ENG" in said
    assert requested(cloud) == []


def test_a_space_that_is_excluded_stays_out(cloud: Worker) -> None:
    with cloud.context.factory.begin() as session:
        session.execute(text('UPDATE sources SET settings = settings || \'{"exclude_spaces": ["HB"]}\''))
    said = carry_out(cloud.context, "sync", ["HB"])
    assert "not among the spaces that are synced: HB" in said and "ENG" in said
    assert requested(cloud) == []


def test_a_site_that_refuses_is_explained(cloud: Worker) -> None:
    cloud.site.faults({"kind": "login_page"})
    assert "single sign-on" in carry_out(cloud.context, "sync", ["ENG"])
    assert requested(cloud) == []


def test_without_a_space_all_are_asked_for_changes(cloud: Worker) -> None:
    for words in ([], ["now"], ["all"]):
        assert "Syncing started" in carry_out(cloud.context, "sync", words)
    [args] = requested(cloud)
    assert "spaces" not in args


def test_without_a_site_it_is_said_how_to_connect_one(cloud: Worker) -> None:
    with cloud.context.factory.begin() as session:
        session.execute(text("UPDATE sources SET state = 'removed'"))
    assert "imp source add" in carry_out(cloud.context, "sync", ["ENG"])


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (["ENG"], ["ENG"]),
        (["ENG,HB", "OPS"], ["ENG", "HB", "OPS"]),
        (["“ENG”", ",", "'HB'"], ["ENG", "HB"]),
        (["ENG", "ENG"], ["ENG"]),
        (["now"], []),
        (["~ada"], ["~ada"]),
    ],
)
def test_keys_are_read_as_people_type_them(words: list[str], keys: list[str]) -> None:
    assert keys_in(words) == keys
