"""What people do on the site takes effect here: edits, renames, moves, archive, trash, restore, doors, comments."""

import pytest
from sqlalchemy import text

from tests.workers.conftest import Worker

ALICE, BEN = "5f2a11ce0c4d5e6f70819201", "5f2be00b0c4d5e6f70819202"
BOT = "5f2b07000c4d5e6f70819200"


@pytest.fixture
def synced(cloud: Worker) -> Worker:
    cloud.sync("full")
    cloud.index_all()
    return cloud


def webhook(worker: Worker, event: str, page_id: str | None = None, space_key: str | None = None) -> None:
    key = f"delivery-{event}-{page_id}-{space_key}"
    worker.run("apply_webhook", key, event=event, page_id=page_id, content_id=page_id, space_key=space_key)
    worker.drain()


def test_an_edit_is_found_by_the_increment(synced: Worker) -> None:
    synced.site.edit("210002", append="<p>The pager is purple now.</p>")
    outcome = synced.sync("increment")
    assert outcome["changed"] == 1
    assert "purple" in synced.document("210002").markdown
    assert len(synced.waiting("index_document")) == 1


def test_a_rename_keeps_the_id_and_the_chunks(synced: Worker) -> None:
    before = synced.document("210002")
    synced.site.edit("210002", title="Pager handbook")
    synced.sync("increment")
    after = synced.document("210002")
    assert (after.id, after.title) == (before.id, "Pager handbook")
    assert after.content_hash == before.content_hash
    assert synced.waiting("index_document") == []
    assert synced.document("comments:210002").ancestor_titles[-1] == "Pager handbook"


def test_a_move_brings_the_doors_of_its_new_ancestors(synced: Worker) -> None:
    synced.site.act("210002", "move", target_id="210010", position="append")
    webhook(synced, "page_moved", "210002")
    assert synced.document("210002").ancestors[-1] == "210010"
    assert synced.doors("210002") == {"space:ENG", "page:210010"}
    assert synced.doors("210003") == {"space:ENG", "page:210010"}, "what stands below moved with it"
    assert synced.doors("comments:210002") == {"space:ENG", "page:210010"}
    assert len(synced.waiting("index_document")) == 1, (
        "a page that showed an excerpt of it to more people no longer does"
    )
    assert "Severity levels" in synced.document("210001").markdown
    assert "210003" not in synced.document("210001").included


def test_a_restriction_closes_the_page_and_all_below_and_opens_again(synced: Worker) -> None:
    synced.site.act("210002", "restrict", principals=[f"user:{ALICE}", f"user:{BOT}"])
    webhook(synced, "content_permissions_updated", "210002")
    assert synced.doors("210002") == {"space:ENG", "page:210002"}
    assert synced.doors("210003") == {"space:ENG", "page:210002"}
    assert synced.doors("comments:210002") == {"space:ENG", "page:210002"}
    assert synced.gate("page:210002") == sorted([f"user:{ALICE}", f"user:{BOT}"])
    synced.site.act("210002", "restrict", principals=[])
    webhook(synced, "content_permissions_updated", "210002")
    assert synced.doors("210003") == {"space:ENG"}


def test_a_restriction_is_also_found_by_the_clock(synced: Worker) -> None:
    synced.site.act("210002", "restrict", principals=[f"user:{ALICE}", f"user:{BOT}"])
    outcome = synced.run("refresh_gates", str(synced.source_id))
    assert outcome["moved"] >= 2
    assert synced.doors("210003") == {"space:ENG", "page:210002"}
    assert synced.waiting("index_document") == []


def test_space_permissions_change_one_row(synced: Worker) -> None:
    synced.site.space_permissions("ENG", ["group:leads", f"user:{BOT}"])
    webhook(synced, "space_permissions_updated", None, "ENG")
    assert synced.gate("space:ENG") == ["group:leads", f"user:{BOT}"]


def test_leaving_a_group_takes_effect(synced: Worker) -> None:
    def groups_of(account_id: str) -> set[str]:
        with synced.context.factory.begin() as session:
            statement = text(
                "SELECT group_name FROM memberships m JOIN identities i ON i.id = m.identity_id"
                " WHERE i.external_id = :id"
            )
            return set(session.execute(statement, {"id": account_id}).scalars())

    assert groups_of(ALICE) >= {"staff", "leads"}
    synced.site.leave_group("leads", ALICE)
    synced.run("refresh_gates", str(synced.source_id))
    assert groups_of(ALICE) == {"staff"}, "only groups at a door are kept"


def test_people_are_linked_by_their_email(synced: Worker) -> None:
    with synced.context.factory.begin() as session:
        statement = text(
            "SELECT p.email, i.linked_by FROM identities i JOIN people p ON p.id = i.person_id"
            " WHERE i.external_id = :id"
        )
        assert tuple(session.execute(statement, {"id": ALICE}).one()) == ("alice@larkmoor.example", "email")


@pytest.mark.parametrize(
    ("action", "status"), [("trash", "trashed"), ("archive", "archived"), ("purge", "deleted")]
)
@pytest.mark.parametrize("is_told", [True, False])
def test_what_is_gone_is_not_answered_from(synced: Worker, action: str, status: str, is_told: bool) -> None:
    synced.site.act("210005", action)
    if is_told:
        webhook(synced, "page_trashed", "210005")
    else:
        assert synced.sync("reconcile")["removed"] == 1
    row = synced.document("210005")
    assert row.status == status
    assert (row.deleted_at is None) == (status == "archived")


@pytest.mark.parametrize(("action", "back"), [("trash", "restore"), ("archive", "unarchive")])
@pytest.mark.parametrize("is_told", [True, False])
def test_what_comes_back_is_answered_from_again(
    synced: Worker, action: str, back: str, is_told: bool
) -> None:
    synced.site.act("200005", action)
    webhook(synced, f"page_{action}", "200005")
    assert synced.document("att98313").status != "current"
    synced.site.act("200005", back)
    if is_told:
        webhook(synced, "page_restored", "200005")
    else:
        synced.sync("reconcile")
    for external_id in ("200005", "att98313"):
        row = synced.document(external_id)
        assert (row.status, row.deleted_at) == ("current", None)


def test_a_comment_makes_its_page_fresh_but_not_new(synced: Worker) -> None:
    before = synced.document("210005").content_hash
    synced.site.act("210005", "comment", body="<p>Since May the checklist is printed on green paper.</p>")
    synced.sync("increment")
    assert "green paper" in synced.document("comments:210005").markdown
    assert synced.document("210005").content_hash == before
    assert synced.doors("comments:210005") == {"space:ENG"}


def test_comments_say_who_and_whether_resolved(synced: Worker) -> None:
    markdown = synced.document("comments:210002").markdown
    assert "Comment by Alice Marlow, 2026-09-25 (resolved)" in markdown
    assert "Comment by George Hill, 2026-10-22**" in markdown


def test_files_are_documents_behind_their_pages_doors(synced: Worker) -> None:
    made = synced.site.act(
        "210010", "attach", filename="findings.csv", media_type="text/csv", text="id,finding\n1,pairing"
    )
    film = synced.site.act("210010", "attach", filename="demo.mp4", media_type="video/mp4", text="not really")
    broken = synced.site.act("210010", "attach", filename="broken.docx", text="not a document")
    synced.sync("increment")
    row = synced.document(made["id"])
    assert (row.kind, row.parent_id, row.title) == ("attachment", "210010", "findings.csv")
    assert "| 1 | pairing |" in row.markdown
    assert synced.doors(made["id"]) == {"space:ENG", "page:210010"}
    assert synced.document(film["id"]).details["media"] is True
    assert synced.document(film["id"]).error is None
    assert "broken.docx" in synced.document(broken["id"]).error
    synced.site.act(made["id"], "purge")
    synced.sync("reconcile")
    assert synced.document(made["id"]).deleted_at is not None


def test_pages_this_product_wrote_are_no_evidence(synced: Worker) -> None:
    made = synced.site.add(space="MTG", title="Minutes of Monday", body="<p>We agreed on everything.</p>")
    synced.site.property(made["id"], "imp-recording", {"recording": "abc"})
    for mode in ("increment", "reconcile", "full"):
        synced.sync(mode)
        assert synced.document(made["id"]) is None


def test_a_page_that_moves_to_another_space_keeps_its_document(synced: Worker) -> None:
    before = synced.document("210008")
    synced.site.act("210008", "move", target_id="200001", position="append")
    synced.sync("reconcile")
    after = synced.document("210008")
    assert (after.id, after.space_key, after.status) == (before.id, "HB", "current")
    assert synced.doors("210008") == {"space:HB"}


def test_a_german_page_is_searched_in_german(synced: Worker) -> None:
    assert synced.document("200006").language == "german"
    assert synced.document("210002").language == "english"
