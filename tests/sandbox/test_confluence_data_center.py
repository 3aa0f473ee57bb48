"""atlassian-python-api, unmodified, as a Data Center client of the stand-in."""

from pathlib import Path

import pytest
import requests
from atlassian import Confluence
from atlassian.errors import ApiConflictError, ApiError

from sandbox.confluence.process import ConfluenceSandbox
from tests.sandbox.confluence_company import ANN, ANN_LOGIN, BOB_LOGIN


def as_(sandbox: ConfluenceSandbox, login: tuple[str, str]) -> Confluence:
    return Confluence(sandbox.url, username=login[0], password=login[1], cloud=False)


def test_page_by_id_comes_with_what_was_asked(confluence_server: Confluence) -> None:
    expand = "body.storage,body.view,version,ancestors,space,metadata.labels,history,restrictions.read.restrictions.group"
    page = confluence_server.get_page_by_id("1002", expand=expand)
    assert "&nbsp;" in page["body"]["storage"]["value"]
    assert 'type="checkbox"' in page["body"]["view"]["value"]
    assert page["version"]["number"] == 1
    assert page["version"]["by"]["username"] == "ann"
    assert [above["title"] for above in page["ancestors"]] == ["Home"]
    assert page["space"]["key"] == "ENG"
    assert [label["name"] for label in page["metadata"]["labels"]["results"]] == ["howto", "ops"]
    assert page["history"]["createdDate"] == "2026-01-05T09:00:00.000Z"
    assert page["restrictions"]["read"]["restrictions"]["group"]["results"] == []


def test_only_what_is_asked_is_written_out(confluence_server: Confluence) -> None:
    page = confluence_server.get_page_by_id("1002", expand="ancestors")
    assert not {"body", "version", "space"} & set(page)
    assert {"body", "version", "space"} <= set(page["_expandable"])
    usual = confluence_server.get_page_by_id("1002")
    assert {"history", "space", "version"} <= set(usual)
    assert "body" not in usual


def test_create_update_and_conflict(confluence_server: Confluence) -> None:
    made = confluence_server.create_page("ENG", "Fresh", "<p>one</p>", parent_id="1002")
    assert confluence_server.get_page_properties(made["id"])  # content-appearance, as real clients send
    new = confluence_server.update_page(made["id"], "Fresh", "<p>two</p>")
    assert new["version"]["number"] == 2
    stale = {"type": "page", "title": "Fresh", "version": {"number": 2}, "body": {"storage": {"value": "x"}}}
    with pytest.raises(requests.HTTPError, match="Version must be incremented") as caught:
        confluence_server.put(f"rest/api/content/{made['id']}", data=stale)
    assert caught.value.response.status_code == 409


def test_taken_title_and_broken_body_are_refused(confluence_server: Confluence) -> None:
    with pytest.raises(requests.HTTPError, match="same TITLE"):
        confluence_server.create_page("ENG", "Runbook", "<p/>")
    with pytest.raises(requests.HTTPError, match="well-formed"):
        confluence_server.create_page("ENG", "Broken", "<p>never closed")


def test_trash_restore_and_purge(
    confluence_server: Confluence, confluence_sandbox: ConfluenceSandbox
) -> None:
    confluence_server.remove_page("1002")
    with pytest.raises(ApiError):
        confluence_server.get_page_by_id("1002")
    trashed = [page["id"] for page in confluence_server.get_all_pages_from_space_trash("ENG")]
    assert trashed == ["1002", "1006"]
    confluence_sandbox.act("1002", "restore")
    assert confluence_server.get_page_by_id("1002", expand="version")["version"]["number"] == 2
    confluence_server.remove_page_from_trash("1006")
    with pytest.raises(ApiError):
        confluence_server.get_page_by_id("1006", status="trashed")


def test_children_of_a_trashed_page_move_up(confluence_server: Confluence) -> None:
    confluence_server.remove_page("1003")
    page = confluence_server.get_page_by_id("1004", expand="ancestors")
    assert [above["title"] for above in page["ancestors"]] == ["Home"]


def test_move_page(confluence_server: Confluence) -> None:
    confluence_server.move_page("ENG", "1004", target_id="1002")
    assert confluence_server.get_parent_content_id("1004") == "1002"
    assert [page["title"] for page in confluence_server.get_child_pages("1002")] == ["Bands"]


def test_permissions_and_restrictions_hide_pages(confluence_sandbox: ConfluenceSandbox) -> None:
    bob, ann = as_(confluence_sandbox, BOB_LOGIN), as_(confluence_sandbox, ANN_LOGIN)
    assert ann.get_page_by_id("1004")["title"] == "Bands"
    for hidden in ("1003", "1004", "2001", "1007"):  # restricted, below it, closed space, another's draft
        with pytest.raises(ApiError, match="no content with the given id"):
            bob.get_page_by_id(hidden)
    titles = [page["title"] for page in bob.get_all_pages_from_space("ENG", limit=2)]
    assert titles == ["Home", "Runbook", "On the shelf"]
    confluence_sandbox.restrict("1003")
    assert bob.get_page_by_id("1004")["title"] == "Bands"


def test_wrong_credentials_and_forbidden_edits(confluence_sandbox: ConfluenceSandbox) -> None:
    with pytest.raises(requests.HTTPError) as caught:
        as_(confluence_sandbox, ("bob@acme.example", "wrong")).get_all_groups()
    assert caught.value.response.status_code == 401
    with pytest.raises(requests.HTTPError) as caught:
        Confluence(confluence_sandbox.url, token="wrong", cloud=False).get_space("ENG")
    assert caught.value.response.status_code == 401
    confluence_sandbox.restrict("1002", f"user:{ANN}", operation="update")
    answer = requests.delete(f"{confluence_sandbox.url}/rest/api/content/1002", auth=BOB_LOGIN, timeout=10)
    assert answer.status_code == 403


def test_anonymous_visitors_see_open_spaces_only(confluence_sandbox: ConfluenceSandbox) -> None:
    url = f"{confluence_sandbox.url}/rest/api/content"
    assert requests.get(f"{url}/3001", timeout=10).status_code == 200
    assert requests.get(f"{url}/1001", timeout=10).status_code == 404
    confluence_sandbox.set_space_permissions("PUB", "group:staff")
    assert requests.get(f"{url}/3001", timeout=10).status_code == 403


def test_attachments_up_and_down(confluence_server: Confluence, tmp_path: Path) -> None:
    file = tmp_path / "plan é.txt"
    file.write_bytes(b"first")
    confluence_server.attach_file(str(file), content_type="text/plain", page_id="1002", comment="a note")
    file.write_bytes(b"second")
    confluence_server.attach_file(str(file), content_type="text/plain", page_id="1002")
    [found] = confluence_server.get_attachments_from_content("1002", expand="version")["results"]
    assert (found["title"], found["version"]["number"]) == ("plan é.txt", 2)
    assert found["extensions"]["fileSize"] == 6
    memory = confluence_server.download_attachments_from_page("1002", to_memory=True)
    assert memory["plan é.txt"].getvalue() == b"second"
    old = confluence_server.get(f"download/attachments/1002/{file.name}?version=1", not_json_response=True)
    assert old == b"first"
    assert len(confluence_server.get_attachment_history(found["id"])) == 2


def test_properties_have_versions(confluence_server: Confluence) -> None:
    confluence_server.set_page_property("1002", {"key": "imp", "value": {"n": 1}})
    with pytest.raises(requests.HTTPError):
        confluence_server.set_page_property("1002", {"key": "imp", "value": {"n": 2}})
    update = {"key": "imp", "value": {"n": 2}, "version": {"number": 2}}
    confluence_server.update_page_property("1002", update)
    with pytest.raises(ApiConflictError):
        confluence_server.update_page_property("1002", update)
    assert confluence_server.get_page_property("1002", "imp")["value"] == {"n": 2}
    confluence_server.delete_page_property("1002", "imp")
    with pytest.raises(ApiError):
        confluence_server.get_page_property("1002", "imp")


def test_labels_comments_and_history(confluence_server: Confluence) -> None:
    confluence_server.set_page_label("1001", "Top")
    assert [one["name"] for one in confluence_server.get_page_labels("1001")["results"]] == ["top"]
    confluence_server.remove_page_label("1001", "top")
    assert confluence_server.get_page_labels("1001")["results"] == []
    confluence_server.add_comment("3001", "<p>me too</p>")
    comments = confluence_server.get_page_comments(
        "3001", expand="body.storage,extensions.inlineProperties", depth="all"
    )
    places = [comment["extensions"]["location"] for comment in comments["results"]]
    assert places == ["footer", "inline", "footer"]
    assert comments["results"][1]["extensions"]["inlineProperties"]["originalSelection"] == "anchor"
    assert confluence_server.history("1001")["lastUpdated"]["number"] == 1


def test_restrictions_as_data_center_writes_them(confluence_server: Confluence) -> None:
    found = confluence_server.get_all_restrictions_for_content("1003")
    assert [one["name"] for one in found["read"]["restrictions"]["group"]["results"]] == ["leads"]
    body = [{"operation": "read", "restrictions": {"user": [{"type": "known", "username": "bob"}]}}]
    confluence_server.set_restrictions_for_content("1003", body)
    found = confluence_server.get_all_restrictions_for_content("1003")
    assert [one["username"] for one in found["read"]["restrictions"]["user"]["results"]] == ["bob"]
    assert found["read"]["restrictions"]["group"]["results"] == []


def test_groups_people_and_spaces(confluence_server: Confluence) -> None:
    assert [group["name"] for group in confluence_server.get_all_groups()] == ["leads", "staff"]
    assert [one["username"] for one in confluence_server.get_all_members("leads")] == ["ann"]
    ann = confluence_server.get_user_details_by_username("ann")
    assert confluence_server.get_user_details_by_userkey(ann["userKey"])["displayName"] == "Ann Able"
    spaces = confluence_server.get_all_spaces(limit=2)
    assert [space["key"] for space in spaces["results"]] == ["ENG", "PUB"]
    assert spaces["_links"]["next"].startswith("/rest/api/space?")
    permissions = confluence_server.get_all_space_permissions("SEC")
    assert {entry["subject"]["username"] for entry in permissions} == {"ann"}
    reading = [entry for entry in permissions if entry["operation"]["operationKey"] == "read"]
    assert len(reading) == 1


def test_paging_follows_next_to_the_end(
    confluence_server: Confluence, confluence_sandbox: ConfluenceSandbox
) -> None:
    for number in range(30):
        confluence_sandbox.add_page("PUB", f"Page {number:02d}", parent_id="3001")
    found = list(confluence_server.get_page_child_by_type("3001"))
    assert [page["title"] for page in found] == [f"Page {number:02d}" for number in range(30)]
    assert len(confluence_sandbox.requests("/content/3001/child/page")) == 2


def test_limits_shrink_with_what_is_expanded(confluence_server: Confluence) -> None:
    assert confluence_server.get("rest/api/content", params={"limit": 5000, "expand": ""})["limit"] == 1000
    assert (
        confluence_server.get("rest/api/content", params={"limit": 5000, "expand": "version"})["limit"] == 200
    )
    assert (
        confluence_server.get("rest/api/content", params={"limit": 5000, "expand": "body.storage"})["limit"]
        == 100
    )


def test_ancestors_below_a_trashed_page_answer_404(
    confluence_server: Confluence, confluence_sandbox: ConfluenceSandbox
) -> None:
    confluence_sandbox.act("1003", "trash", keep_children=True)
    assert confluence_server.get_page_by_id("1004")["title"] == "Bands"
    with pytest.raises(ApiError):
        confluence_server.get_page_by_id("1004", expand="ancestors")


def test_page_id_by_url_resolves_a_page_a_person_copied(confluence_server: Confluence) -> None:
    url = f"{confluence_server.url}/spaces/ENG/pages/1002/Runbook"
    assert confluence_server.get_page_id_by_url(url) == "1002"
