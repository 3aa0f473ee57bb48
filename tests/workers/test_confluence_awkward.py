"""What real servers get wrong about files, people and refusals: what was read is kept, what is unknown is closed."""

import pytest

from connectors.confluence import permissions, reading
from core.errors import Unavailable
from tests.workers.conftest import Worker
from workers.confluence_source import open_site

ALICE = "5f2a11ce0c4d5e6f70819201"
BOT = "5f2b07000c4d5e6f70819200"


@pytest.fixture
def synced(cloud: Worker) -> Worker:
    cloud.sync("full")
    cloud.index_all()
    return cloud


def attach(worker: Worker, page_id: str, *numbers: int) -> list[str]:
    made = [
        worker.site.act(page_id, "attach", filename=f"part {at}.txt", text=f"Part number {at}.")
        for at in numbers
    ]
    return [str(one["id"]) for one in made]


def test_files_listed_before_paging_failed_are_kept(
    data_center: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_center.sync("full")
    first = attach(data_center, "210010", 1, 2)
    data_center.sync("increment")
    later = attach(data_center, "210010", 3, 4, 5)
    data_center.site.act(first[0], "purge")
    monkeypatch.setattr(reading, "N_FILES", 2)
    data_center.site.faults({"kind": "paging_400", "path": "child/attachment"})
    data_center.run("sync_page", "one", page_id="210010")
    assert data_center.document(later[0]).deleted_at is None, "it stands on the first page of the listing"
    assert data_center.document(later[2]) is None
    assert data_center.document(first[0]).deleted_at is None, "a partial listing removes nothing"
    [alert] = data_center.alerts()
    assert "not all of its files" in alert.message and "400" in alert.message
    data_center.site.faults()
    data_center.run("sync_page", "again", page_id="210010")
    assert data_center.document(later[2]).deleted_at is None
    assert data_center.document(first[0]).deleted_at is not None
    assert data_center.alerts() == []


def test_files_of_a_space_listed_in_part_remove_nothing(
    data_center: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = attach(data_center, "210010", 1, 2, 3)
    data_center.sync("full")
    data_center.site.act(ids[2], "purge")
    monkeypatch.setattr(reading, "N_LIGHT", 2)
    data_center.site.faults({"kind": "paging_400", "path": "type\\+%3D\\+attachment|type%20%3D%20attachment"})
    outcome = data_center.sync("reconcile")
    assert any("not all attachments" in problem for problem in outcome["problems"])
    assert data_center.document(ids[2]).deleted_at is None
    data_center.site.faults()
    data_center.sync("reconcile")
    assert data_center.document(ids[2]).deleted_at is not None


def test_people_without_names_are_known_by_their_key(data_center: Worker) -> None:
    data_center.site.act("210002", "restrict", principals=[f"user:{ALICE}", f"user:{BOT}"])
    data_center.sync("full")
    doors, text = data_center.gate("page:210002"), data_center.document("210005").markdown
    data_center.site.faults({"kind": "user_key_only"})
    data_center.sync("reconcile")
    data_center.run("refresh_gates", str(data_center.source_id))
    assert data_center.gate("page:210002") == doors
    assert data_center.doors("210003") == {"space:ENG", "page:210002"}
    data_center.run("sync_page", "one", page_id="210005")
    row = data_center.document("210005")
    assert row.error is None and row.gate_ids
    assert row.markdown == text, "a name once known is not forgotten for a key"


def test_a_page_that_is_neither_listed_nor_shown_is_closed_until_it_is(synced: Worker) -> None:
    synced.site.act("200005", "trash")
    synced.site.faults({"kind": "error", "status": 500, "path": r"content/200005\?"})
    outcome = synced.sync("reconcile")
    for external_id in ("200005", "att98313"):
        row = synced.document(external_id)
        assert (row.gate_ids, row.status, row.deleted_at) == (None, "current", None)
    assert any("closed to everyone" in problem and "200005" in problem for problem in outcome["problems"])
    synced.site.act("200005", "restore")
    synced.site.faults()
    synced.sync("reconcile")
    assert synced.doors("200005") == synced.doors("att98313") == {"space:HB"}


def test_a_page_that_is_gone_behind_a_500_is_not_answered_from(synced: Worker) -> None:
    synced.site.act("210005", "purge")
    synced.site.faults({"kind": "hidden_500"})
    synced.sync("reconcile")
    assert synced.document("210005").gate_ids is None
    synced.site.faults()
    synced.sync("reconcile")
    assert synced.document("210005").status == "deleted"


def test_a_door_that_fails_to_answer_is_shut_until_it_does(synced: Worker) -> None:
    synced.site.faults({"kind": "error", "status": 500, "path": "restriction/byOperation"})
    with pytest.raises(Unavailable, match="CONFSERVER-99908"):
        synced.run("refresh_gates", "one", page_id="210002")
    assert synced.gate("page:210002") == []
    assert synced.doors("210003") == {"space:ENG", "page:210002"}
    synced.site.faults()
    synced.run("refresh_gates", "two", page_id="210002")
    assert synced.doors("210003") == {"space:ENG"}


@pytest.mark.parametrize("limit", [2, 3, 200])
def test_members_beyond_a_short_page_are_read(
    cloud: Worker, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    site = open_site(cloud.context, cloud.source_id)
    ids = permissions.group_ids(site.client)
    before = {name: permissions.group_members(site.client, name, ids[name]) for name in ids}
    assert len(before["staff"]) > 3
    monkeypatch.setattr(permissions, "N_LISTED", limit)
    cloud.site.faults({"kind": "short_page", "path": "/group"})
    assert permissions.group_ids(site.client) == ids
    for name in ids:
        assert set(permissions.group_members(site.client, name, ids[name])) == set(before[name])
    site.client.close()


def test_a_name_that_could_not_be_had_is_asked_for_again(cloud: Worker) -> None:
    from sqlalchemy import text

    cloud.sync("full")
    truth = cloud.document("220004").markdown
    assert "@Ines Duarte" in truth
    with cloud.context.factory.begin() as session:
        session.execute(text("DELETE FROM documents"))
        session.execute(text("DELETE FROM identities"))
    cloud.site.faults(
        {"kind": "error", "status": 503, "path": r"rest/api/user\?"},
        {"kind": "error", "status": 403, "path": "rest/api/group"},
        {"kind": "user_key_only"},
    )
    cloud.sync("full")
    cloud.site.faults()
    cloud.sync("reconcile")
    assert cloud.document("220004").markdown == truth


def test_a_file_that_came_in_part_is_read_again(cloud: Worker) -> None:
    cloud.sync("full")
    [file_id] = attach(cloud, "210010", 7)
    cloud.site.faults({"kind": "malformed_json", "path": "download"})
    cloud.sync("increment")
    assert "of 14 bytes" in cloud.document(file_id).error
    cloud.site.faults()
    cloud.sync("reconcile")
    row = cloud.document(file_id)
    assert (row.markdown.strip(), row.error, row.version) == ("Part number 7.", None, 1)
