"""The stand-in's query language: what connectors ask, over HTTP and with atlassian-python-api."""

import pytest
import requests
from atlassian import Confluence
from atlassian.confluence.cloud.cloud import ConfluenceCloud

from sandbox.confluence.process import ConfluenceSandbox
from tests.sandbox.confluence_company import ANN_LOGIN, BOB_LOGIN

CASES = {
    "type = page and space = ENG": "1001 1002 1003 1004 1010",
    'type in (page, blogpost) and space in ("SEC", PUB)': "2001 3001",
    "space = ENG and type = blogpost": "1008",
    "label = ops": "1002 1010",
    'label in ("howto", "nothing")': "1002",
    "type = page and space = ENG and label != ops": "1001 1003 1004",
    "type = page and space = ENG and not label = ops": "1001 1003 1004",
    "type = page and label not in (ops) and (space = SEC or space = PUB)": "2001 3001",
    'title = "Salaries"': "1003",
    'title ~ "shelf" and type = page': "1010",
    'title ~ "run*"': "1002",
    "ancestor = 1001 and type = page": "1002 1003 1004 1010",
    "parent = 1001 and type = page": "1002 1003",
    "id in (1004, 1002)": "1002 1004",
    "creator = ann and type = page and space = PUB": "3001",
    "creator = currentUser() and type = page": "",
    "type = page and space = ENG and status = archived": "1005",
    'created >= "2026-01-05 09:00" and created < "2026-01-06" and space = SEC': "2001",
    'lastmodified > now("-1d") and type = page': "",
    'lastmodified = "2026/03/01 10:42" and type = page': "1002",
    'lastmodified >= "2026-03-01 10:44" and type = page and space = ENG': "1004 1010",
    "type = page and space = ENG order by lastmodified desc": "1010 1004 1003 1002 1001",
    "type = page and space = ENG order by title": "1004 1001 1010 1002 1003",
    'text ~ "ship anchor" and id = 1002': "1002",
    "type = comment and container = 3001": "@2",
}


@pytest.mark.parametrize("cql", CASES)
def test_query(confluence_server: Confluence, cql: str) -> None:
    found = [
        hit["id"]
        for hit in confluence_server.get("rest/api/content/search", params={"cql": cql, "limit": 100})[
            "results"
        ]
    ]
    wanted = CASES[cql]
    assert len(found) == int(wanted[1:]) if wanted.startswith("@") else found == wanted.split()


@pytest.mark.parametrize(
    "cql",
    ["", "type = ", "nonsense = 1", "type = page and", "(type = page", "type = page)", 'lastmodified > "soon"',
     "lastmodified > now('1 day')", 'title = "open', "type > page", "order by nothing", "(" * 200 + "type=page" + ")" * 200],
)  # fmt: skip
def test_unreadable_queries_are_400(confluence_sandbox: ConfluenceSandbox, cql: str) -> None:
    url = f"{confluence_sandbox.url}/rest/api/search"
    answer = requests.get(url, params={"cql": cql}, auth=ANN_LOGIN, timeout=10)
    assert answer.status_code == (400 if cql else 200)
    assert cql == "" or "Could not parse cql" in answer.json()["message"]


def test_times_are_read_in_the_time_zone_of_the_account(confluence_sandbox: ConfluenceSandbox) -> None:
    url = f"{confluence_sandbox.url}/rest/api/content/search"
    ask = {"cql": 'id = 1002 and lastmodified = "2026-03-01 05:42"'}  # 10:42 UTC is 05:42 in New York
    assert requests.get(url, params=ask, auth=ANN_LOGIN, timeout=10).json()["size"] == 1
    assert requests.get(url, params=ask, auth=BOB_LOGIN, timeout=10).json()["size"] == 0


def test_minute_precision(confluence_sandbox: ConfluenceSandbox, confluence_server: Confluence) -> None:
    confluence_sandbox.act("1002", "touch", updated="2026-05-05T12:00:59.900Z")
    search = {"cql": 'id = 1002 and lastmodified > "2026-05-05 12:00"'}
    assert confluence_server.get("rest/api/content/search", params=search)["results"] == []


def test_search_shows_only_what_the_account_may_view(confluence_sandbox: ConfluenceSandbox) -> None:
    bob = Confluence(confluence_sandbox.url, username=BOB_LOGIN[0], password=BOB_LOGIN[1], cloud=False)
    found = bob.cql("type = page order by id", limit=100)["results"]
    assert [hit["content"]["id"] for hit in found] == ["1001", "1002", "1010", "3001"]


def test_cloud_search_pages_by_cursor(confluence_cloud: ConfluenceCloud) -> None:
    first = confluence_cloud.get("rest/api/search", params={"cql": "type=page order by id", "limit": 3})
    assert first["totalSize"] == 7
    assert "cursor=" in first["_links"]["next"]
    pages = list(
        confluence_cloud._get_paged("rest/api/search", params={"cql": "type=page order by id", "limit": 3})
    )
    assert [hit["content"]["id"] for hit in pages] == ["1001", "1002", "1003", "1004", "1010", "2001", "3001"]
