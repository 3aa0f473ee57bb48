"""atlassian-python-api, unmodified, as a Cloud client of the stand-in: v1 under /wiki/rest/api, v2 beside it."""

import pytest
import requests
from atlassian.confluence.cloud.cloud import ConfluenceCloud

from sandbox.confluence.process import ConfluenceSandbox
from tests.sandbox.confluence_company import ADMIN_LOGIN, ANN, BOB_LOGIN


def v2(sandbox: ConfluenceSandbox, path: str, **params: str | int) -> requests.Response:
    return requests.get(f"{sandbox.cloud_url}/api/v2/{path}", params=params, auth=ADMIN_LOGIN, timeout=10)


def test_v1_pages_and_properties(confluence_cloud: ConfluenceCloud) -> None:
    page = confluence_cloud.get_page_by_id("1002", expand=["body.storage"])
    assert page["body"]["storage"]["value"].startswith("<h2>")
    confluence_cloud.create_page_property("1002", "imp", {"n": 1})
    confluence_cloud.update_page_property("1002", "imp", {"n": 2})
    assert confluence_cloud.get_page_property_by_key("1002", "imp")["version"]["number"] == 2
    assert [label["name"] for label in confluence_cloud.get_page_labels("1002")["results"]] == [
        "howto",
        "ops",
    ]


def test_v2_create_update_conflict_delete(confluence_cloud_v2: ConfluenceCloud) -> None:
    space = confluence_cloud_v2.get_space_by_key("ENG")
    made = confluence_cloud_v2.create_page(space["id"], "Fresh", "<p>one</p>")
    assert (made["parentId"], made["version"]["number"]) == ("1001", 1)
    new = confluence_cloud_v2.update_page(made["id"], "Fresh", "<p>two</p>", status="current")
    assert new["version"]["number"] == 2
    with pytest.raises(requests.HTTPError) as caught:
        confluence_cloud_v2.update_page(made["id"], "Fresh", "<p>three</p>", status="current", version=1)
    assert caught.value.response.status_code == 409
    assert confluence_cloud_v2.delete_page(made["id"])
    assert confluence_cloud_v2.get_page_by_id(made["id"])["status"] == "trashed"


def test_v2_lists_follow_the_cursor(
    confluence_cloud_v2: ConfluenceCloud, confluence_sandbox: ConfluenceSandbox
) -> None:
    pages = confluence_cloud_v2.get_pages(limit=2)
    ids = [page["id"] for page in pages]
    assert ids == ["1001", "1002", "1003", "1004", "1010", "2001", "3001"]
    assert len(confluence_sandbox.requests("/api/v2/pages")) == 4
    first = v2(confluence_sandbox, "pages", limit=2)
    assert first.links["next"]["url"] == first.json()["_links"]["next"]
    assert v2(confluence_sandbox, "pages", cursor="nonsense").status_code == 400


def test_v2_body_formats(confluence_sandbox: ConfluenceSandbox) -> None:
    assert v2(confluence_sandbox, "pages/1002").json()["body"] == {}
    body = v2(confluence_sandbox, "pages/1002", **{"body-format": "view"}).json()["body"]
    assert "<strong>anchor</strong>" in body["view"]["value"]
    assert v2(confluence_sandbox, "pages", **{"body-format": "view"}).status_code == 400


def test_v2_tree_folders_and_ancestors(confluence_sandbox: ConfluenceSandbox) -> None:
    assert v2(confluence_sandbox, "folders/1009").json()["title"] == "Shelf"
    assert v2(confluence_sandbox, "whiteboards/1009").status_code == 404
    above = v2(confluence_sandbox, "pages/1010/ancestors").json()["results"]
    assert above == [{"id": "1001", "type": "page"}, {"id": "1009", "type": "folder"}]
    children = v2(confluence_sandbox, "pages/1001/children").json()["results"]
    assert [one["id"] for one in children] == ["1002", "1003", "1005"]
    direct = v2(confluence_sandbox, "pages/1001/direct-children").json()["results"]
    assert ("1009", "folder") in [(one["id"], one["type"]) for one in direct]


def test_v2_comments_of_both_kinds(
    confluence_cloud_v2: ConfluenceCloud, confluence_sandbox: ConfluenceSandbox
) -> None:
    [footer] = confluence_cloud_v2.get_page_footer_comments("3001")
    [inline] = confluence_cloud_v2.get_page_inline_comments("3001")
    assert inline["properties"]["inlineOriginalSelection"] == "anchor"
    body = {"parentCommentId": footer["id"], "body": {"representation": "storage", "value": "<p>+1</p>"}}
    url = f"{confluence_sandbox.cloud_url}/api/v2/footer-comments"
    assert requests.post(url, json=body, auth=BOB_LOGIN, timeout=10).status_code == 201
    replies = v2(confluence_sandbox, f"footer-comments/{footer['id']}/children").json()["results"]
    assert [reply["parentCommentId"] for reply in replies] == [footer["id"]]
    assert len(confluence_cloud_v2.get_page_footer_comments("3001")) == 1


def test_v2_permissions_and_roles(confluence_sandbox: ConfluenceSandbox) -> None:
    spaces = {space["key"]: space["id"] for space in v2(confluence_sandbox, "spaces").json()["results"]}
    held = v2(confluence_sandbox, f"spaces/{spaces['SEC']}/permissions").json()["results"]
    assert {(one["principal"]["type"], one["principal"]["id"]) for one in held} == {("user", ANN)}
    roles = v2(confluence_sandbox, f"spaces/{spaces['PUB']}/role-assignments").json()["results"]
    assert {role["principal"]["principalType"] for role in roles} == {"GROUP", "ACCESS_CLASS"}


def test_v2_hides_what_v1_hides(confluence_sandbox: ConfluenceSandbox) -> None:
    url = f"{confluence_sandbox.cloud_url}/api/v2/pages"
    assert requests.get(f"{url}/1003", auth=BOB_LOGIN, timeout=10).status_code == 404
    seen = requests.get(url, auth=BOB_LOGIN, timeout=10).json()["results"]
    assert [page["id"] for page in seen] == ["1001", "1002", "1005", "1010", "3001"]
    assert requests.get(url, auth=("bob@acme.example", "no"), timeout=10).status_code == 401


def test_archive_and_move_over_v1(
    confluence_cloud: ConfluenceCloud, confluence_sandbox: ConfluenceSandbox
) -> None:
    answer = confluence_cloud.post("rest/api/content/archive", data={"pages": [{"id": 1002}]})
    assert int(answer["id"]) > 0
    assert confluence_cloud.get("rest/api/content/1002")["status"] == "archived"
    confluence_cloud.put("rest/api/content/1004/move/before/1009")
    children = v2(confluence_sandbox, "pages/1001/direct-children").json()["results"]
    assert [one["id"] for one in children] == ["1002", "1003", "1005", "1004", "1009"]


def test_people_are_accounts_on_cloud(
    confluence_cloud: ConfluenceCloud, confluence_sandbox: ConfluenceSandbox
) -> None:
    me = confluence_cloud.get("rest/api/user/current")
    assert me["accountId"] == "acc-admin"
    assert "username" not in me
    groups = confluence_cloud.get("rest/api/group")["results"]
    staff = next(group["id"] for group in groups if group["name"] == "staff")
    members = confluence_cloud.get(f"rest/api/group/{staff}/membersByGroupId")["results"]
    assert {one["accountId"] for one in members} == {"acc-admin", "acc-ann", "acc-bob"}
    of_ann = confluence_cloud.get("rest/api/user/memberof", params={"accountId": ANN})["results"]
    assert [group["name"] for group in of_ann] == ["leads", "staff"]
    bulk = requests.post(
        f"{confluence_sandbox.cloud_url}/api/v2/users-bulk", json={"accountIds": [ANN, "nobody"]},
        auth=ADMIN_LOGIN, timeout=10,
    )  # fmt: skip
    assert [one["displayName"] for one in bulk.json()["results"]] == ["Ann Able"]
