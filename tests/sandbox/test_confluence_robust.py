"""The stand-in under bad input, races, restarts, and its two single flavours."""

import copy
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.confluence.process import REPOSITORY, ConfluenceSandbox, running
from tests.sandbox.confluence_company import ADMIN_LOGIN, ANN_LOGIN, BODY, company

STORAGE = {"storage": {"value": "<p>x</p>", "representation": "storage"}}
WRITES: list[tuple[str, str, Any]] = [
    ("POST", "/rest/api/content", {"type": "page", "title": "New", "status": "current", "space": {"key": "ENG"},
     "ancestors": [{"id": "1002"}], "body": STORAGE, "version": {"message": "m"},
     "metadata": {"labels": [{"name": "a", "prefix": "global"}], "properties": {"k": {"value": 1}}}}),
    ("POST", "/rest/api/content", {"type": "comment", "container": {"id": "3001"}, "body": STORAGE,
     "ancestors": [], "extensions": {"location": "inline", "inlineProperties": {"originalSelection": "a"}}}),
    ("PUT", "/rest/api/content/1002", {"title": "T", "version": {"number": 2, "minorEdit": False, "message": "m"},
     "body": STORAGE, "status": "current", "space": {"key": "ENG"}, "ancestors": [{"id": "1001"}],
     "extensions": {"resolution": {"status": "resolved"}}}),
    ("POST", "/rest/api/content/1002/label", [{"name": "a", "prefix": "global"}]),
    ("POST", "/rest/api/content/1002/property", {"key": "k", "value": {"a": 1}}),
    ("PUT", "/rest/api/content/1002/property/k", {"key": "k", "value": 1, "version": {"number": 1}}),
    ("PUT", "/rest/api/content/1002/restriction", [{"operation": "read", "restrictions": {
        "user": [{"type": "known", "accountId": "acc-ann"}], "group": {"results": [{"name": "leads"}]}}}]),
    ("POST", "/rest/api/content/archive", {"pages": [{"id": "1002"}]}),
    ("POST", "/rest/api/space", {"key": "NEW", "name": "New"}),
    ("POST", "/rest/api/webhooks", {"name": "w", "url": "http://127.0.0.1:9/x", "events": ["page_purple"],
     "active": True, "configuration": {"secret": "s"}}),
    ("POST", "/rest/api/contentbody/convert/view", {"value": "<p/>", "representation": "storage"}),
    ("POST", "/wiki/api/v2/pages", {"spaceId": "98305", "status": "current", "title": "New", "parentId": "1001",
     "body": {"representation": "storage", "value": "<p/>"}}),
    ("PUT", "/wiki/api/v2/pages/1002", {"id": "1002", "status": "current", "title": "T", "parentId": "1001",
     "body": {"representation": "storage", "value": "<p/>"}, "version": {"number": 2, "message": "m"}}),
    ("POST", "/wiki/api/v2/footer-comments", {"pageId": "3001", "parentCommentId": "1", "body": STORAGE}),
    ("POST", "/wiki/api/v2/inline-comments", {"pageId": "3001", "body": STORAGE,
     "inlineCommentProperties": {"textSelection": "a", "textSelectionMatchCount": 1}}),
    ("POST", "/wiki/api/v2/pages/1002/properties", {"key": "k2", "value": 1}),
    ("POST", "/wiki/api/v2/folders", {"spaceId": "98305", "title": "F", "parentId": "1001"}),
    ("POST", "/wiki/api/v2/users-bulk", {"accountIds": ["acc-ann"]}),
    ("POST", "/wiki/api/v2/content/convert-ids-to-types", {"contentIds": ["1002"]}),
    ("POST", "/_sandbox/pages", {"space": "ENG", "title": "New", "body": "", "parent_id": "1001", "labels": ["x"]}),
    ("PUT", "/_sandbox/pages/1002", {"title": "T", "body": "", "append": "x"}),
    ("POST", "/_sandbox/webhooks", {"url": "http://127.0.0.1:9/", "events": ["page_purple"], "auth": {"kind": "hmac", "secret": "s"}}),
]  # fmt: skip
ODD = [None, 7, "", "x" * 300, [], [1], {"a": 1}, 2**70]
GETS = ["/rest/api/content?limit={}", "/rest/api/content?start={}", "/rest/api/content?expand={}", "/rest/api/content/{}",
        "/rest/api/content?spaceKey={}", "/rest/api/content?status={}", "/rest/api/content?type={}",
        "/rest/api/content/1002?version={}", "/rest/api/content/1002?expand=children.{}", "/rest/api/content/1002/child/{}",
        "/rest/api/search?cql={}", "/rest/api/group/{}/member", "/rest/api/user?username={}", "/rest/api/space/{}",
        "/rest/api/search/user?cql={}", "/rest/api/content/1002/version/{}", "/rest/api/webhooks/{}",
        "/wiki/api/v2/pages?cursor={}", "/wiki/api/v2/pages?limit={}", "/wiki/api/v2/pages?sort={}", "/wiki/api/v2/pages/{}",
        "/wiki/api/v2/pages?body-format={}", "/wiki/api/v2/pages?space-id={}", "/wiki/api/v2/spaces/{}",
        "/wiki/api/v2/pages/1002/versions/{}", "/wiki/api/v2/attachments/{}", "/wiki/api/v2/labels/{}/pages",
        "/wiki/api/v2/pages/1002/properties/{}", "/wiki/api/v2/footer-comments/{}", "/wiki/api/v2/{}/1002/labels",
        "/download/attachments/1002/{}", "/pages/viewpage.action?pageId={}", "/spaces/{}", "/search?q={}",
        "/display/ENG/{}", "/edit/{}", "/_static/{}"]  # fmt: skip


def mutants(body: Any) -> Iterator[Any]:
    """The body with one value anywhere in it replaced by something odd, or left out."""
    yield from ODD

    def places(node: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        keys = node.keys() if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            yield (*path, key)
            yield from places(node[key], (*path, key))

    for path in places(body, ()):
        for odd in ODD:
            changed = copy.deepcopy(body)
            holder = changed
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = odd
            yield changed


@pytest.mark.parametrize(("method", "path", "body"), WRITES, ids=[f"{m} {p}" for m, p, _ in WRITES])
def test_no_body_breaks_the_server(
    confluence_sandbox: ConfluenceSandbox, method: str, path: str, body: Any
) -> None:
    session = requests.Session()
    session.auth = ADMIN_LOGIN
    broken = []
    for changed in mutants(body):
        answer = session.request(method, confluence_sandbox.url + path, json=changed, timeout=10)
        if answer.status_code >= 500:
            broken.append((answer.status_code, changed))
        if answer.ok and method == "PUT":  # or every later one would only meet a version conflict
            confluence_sandbox.reset(company())
    assert broken == []


def test_no_address_breaks_the_server(confluence_sandbox: ConfluenceSandbox) -> None:
    odd = [
        "",
        "x",
        "-1",
        "0",
        "99999999999999999999999",
        "a,b",
        "%00",
        "%F0%9F%92%A9",
        "..%2F..%2Fetc",
        "'\"--",
        "att1",
        "body",
        "1e9",
    ]
    session = requests.Session()
    session.auth = ADMIN_LOGIN
    broken = []
    for pattern in GETS:
        for value in odd:
            answer = session.get(confluence_sandbox.url + pattern.replace("{}", value), timeout=10)
            if answer.status_code >= 500:
                broken.append((answer.status_code, pattern, value))
    assert broken == []


def test_one_of_many_writers_wins(confluence_sandbox: ConfluenceSandbox) -> None:
    body = {"type": "page", "title": "Runbook", "version": {"number": 2}, "body": STORAGE}

    def write(_: int) -> int:
        url = f"{confluence_sandbox.url}/rest/api/content/1002"
        return requests.put(url, json=body, auth=ANN_LOGIN, timeout=20).status_code

    with ThreadPoolExecutor(12) as pool:
        codes = sorted(pool.map(write, range(12)))
    assert codes == [200] + [409] * 11


def test_titles_stay_unique_under_a_race(confluence_sandbox: ConfluenceSandbox) -> None:
    body = {"type": "page", "title": "Once", "space": {"key": "ENG"}, "body": {"storage": {"value": BODY}}}

    def write(_: int) -> int:
        return requests.post(
            f"{confluence_sandbox.url}/rest/api/content", json=body, auth=ANN_LOGIN, timeout=20
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(write, range(8)))
    assert codes == [200] + [400] * 7


@pytest.mark.parametrize(("flavor", "cloud", "data_center"), [("cloud", 200, 404), ("datacenter", 404, 200)])
def test_single_flavors_and_a_database_that_stays(
    tmp_path: Path, flavor: str, cloud: int, data_center: int
) -> None:
    seed = tmp_path / "seed"
    seed.mkdir()
    (seed / "company.yaml").write_text(
        "people: [{account_id: a, username: a, name: A, email: a@x.example, token: t, admin: true}]\n"
        "spaces: [{key: S, name: S}]\npages: [{id: '5', space: S, title: P, author: a}]\n"
    )
    database = tmp_path / "confluence.db"
    for version in (2, 3):
        with running(flavor=flavor, seed=seed, database=database) as sandbox:
            for path, code in (("/wiki/rest/api/content/5", cloud), ("/rest/api/content/5", data_center)):
                assert requests.get(sandbox.url + path, auth=("a", "t"), timeout=10).status_code == code
            assert sandbox.edit_page("5", append="<p/>") == version


def test_a_bad_seed_ends_the_process_with_words(tmp_path: Path) -> None:
    (tmp_path / "company.yaml").write_text("people: [{name: nobody}]")
    command = [sys.executable, "-m", "sandbox.confluence", "--seed", str(tmp_path)]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "people.0.account_id" in ended.stderr


def test_the_demo_company_loads_and_is_readable() -> None:
    folder = REPOSITORY / "sandbox" / "company"
    if not (folder / "company.yaml").exists():
        pytest.skip("the demo company is not here")
    with running(seed=folder) as sandbox:
        counts = sandbox.state()["counts"]
        assert counts["page.current"] > 10
        assert requests.get(f"{sandbox.url}/", timeout=10).status_code == 200
