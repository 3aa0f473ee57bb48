"""Faults on demand: each kind as a client meets it, and the request log that tells."""

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import pytest
import requests

from sandbox.confluence.process import ConfluenceSandbox
from tests.sandbox.confluence_company import ADMIN_LOGIN, BOB_LOGIN


@pytest.fixture
def faulty(confluence_sandbox: ConfluenceSandbox) -> Iterator[ConfluenceSandbox]:
    yield confluence_sandbox
    confluence_sandbox.faults()


def get(sandbox: ConfluenceSandbox, path: str, login: tuple[str, str] = ADMIN_LOGIN) -> requests.Response:
    return requests.get(f"{sandbox.cloud_url}{path}", auth=login, timeout=10)


def test_rate_limits_in_three_spellings(faulty: ConfluenceSandbox) -> None:
    faulty.faults(
        {"kind": "rate_limit", "path": "/content/1002", "count": 1, "seconds": 7},
        {"kind": "rate_limit", "path": "/content/1002", "count": 1, "seconds": 7, "retry_after": "date"},
        {"kind": "rate_limit", "path": "/content/1002", "count": 1, "retry_after": "missing"},
    )
    answers = [get(faulty, "/rest/api/content/1002") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert 3 < parsedate_to_datetime(answers[1].headers["Retry-After"]).timestamp() - time.time() < 8
    assert "Retry-After" not in answers[2].headers


def test_errors_by_method_and_count(faulty: ConfluenceSandbox) -> None:
    faulty.faults({"kind": "error", "status": 503, "method": "get", "path": "/api/v2/pages", "count": 2})
    codes = [get(faulty, "/api/v2/pages").status_code for _ in range(3)]
    assert codes == [503, 503, 200]
    assert [entry["fault"] for entry in faulty.requests("/api/v2/pages")] == ["error", "error", None]


def test_probability_is_repeatable(faulty: ConfluenceSandbox) -> None:
    rule = {"kind": "error", "path": "/user/current", "probability": 0.5, "seed": 3}
    runs = []
    for _ in range(2):
        faulty.faults(rule)
        runs.append([get(faulty, "/rest/api/user/current").status_code for _ in range(12)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


def test_slow_answers_arrive_whole(faulty: ConfluenceSandbox) -> None:
    faulty.faults({"kind": "slow", "path": "/content/1002", "seconds": 0.4})
    began = time.monotonic()
    assert get(faulty, "/rest/api/content/1002").json()["id"] == "1002"
    assert time.monotonic() - began > 0.4


def test_cut_connection(faulty: ConfluenceSandbox) -> None:
    faulty.faults({"kind": "cut", "path": "/content/1002", "count": 1})
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        get(faulty, "/rest/api/content/1002")
    assert get(faulty, "/rest/api/content/1002").status_code == 200


def test_malformed_json(faulty: ConfluenceSandbox) -> None:
    faulty.faults({"kind": "malformed_json", "path": "/content/1002"})
    answer = get(faulty, "/rest/api/content/1002")
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_login_page_instead_of_json(faulty: ConfluenceSandbox) -> None:
    faulty.faults({"kind": "login_page", "path": "/group"})
    answer = get(faulty, "/rest/api/group")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "authenticateform" in answer.text


def test_empty_results_with_a_next_link(faulty: ConfluenceSandbox) -> None:
    faulty.faults({"kind": "empty_next", "path": "/rest/api/content\\?", "count": 1})
    empty = get(faulty, "/rest/api/content?limit=2").json()
    assert empty["results"] == []
    onward = get(faulty, empty["_links"]["next"]).json()
    assert len(onward["results"]) == 2


def test_storage_fails_while_view_works(faulty: ConfluenceSandbox) -> None:
    faulty.faults({"kind": "storage_fails", "path": "1002"})
    assert get(faulty, "/rest/api/content/1002?expand=body.storage,version").status_code == 500
    assert get(faulty, "/api/v2/pages/1002?body-format=storage").status_code == 500
    assert "anchor" in get(faulty, "/rest/api/content/1002?expand=body.view").json()["body"]["view"]["value"]


def test_large_pages_fail(faulty: ConfluenceSandbox) -> None:
    faulty.faults({"kind": "large_page", "max_limit": 5})
    assert get(faulty, "/rest/api/content?limit=6").status_code == 500
    assert get(faulty, "/rest/api/content?limit=5").status_code == 200


def test_one_id_not_found_and_500_for_403(faulty: ConfluenceSandbox) -> None:
    faulty.faults({"kind": "not_found", "content_id": "1002"}, {"kind": "hidden_500", "path": "/1003"})
    assert get(faulty, "/rest/api/content/1002").status_code == 404
    assert get(faulty, "/rest/api/content/1001").status_code == 200
    assert get(faulty, "/rest/api/content/1003", BOB_LOGIN).status_code == 500
    assert get(faulty, "/rest/api/content/1003").status_code == 200


@pytest.mark.parametrize(
    "rule", [{"kind": "magic"}, {"kind": "error", "path": "("}, {"kind": "error", "cuont": 1}]
)
def test_bad_rules_are_refused(faulty: ConfluenceSandbox, rule: dict[str, str]) -> None:
    with pytest.raises(requests.HTTPError):
        faulty.faults(rule)


def test_state_counts_and_knows_who_asked(faulty: ConfluenceSandbox) -> None:
    get(faulty, "/rest/api/content/1002", BOB_LOGIN)
    [entry] = faulty.requests("/content/1002")
    assert (entry["account_id"], entry["status"], entry["method"]) == ("acc-bob", 200, "GET")
    counts = faulty.state()["counts"]
    assert (counts["page.current"], counts["page.trashed"], counts["spaces"]) == (7, 1, 3)


def test_paging_that_fails_after_the_first_page(faulty: ConfluenceSandbox) -> None:
    faulty.faults({"kind": "paging_400", "path": "child/attachment"})
    assert get(faulty, "/rest/api/content/1002/child/attachment?limit=1").status_code == 200
    assert get(faulty, "/rest/api/content/1002/child/attachment?limit=1&start=0").status_code == 200
    assert get(faulty, "/rest/api/content/1002/child/attachment?limit=1&start=1").status_code == 400


def test_a_listing_that_ends_early(faulty: ConfluenceSandbox) -> None:
    whole = get(faulty, "/rest/api/space?limit=2").json()
    faulty.faults({"kind": "short_page", "path": "/space"})
    short = get(faulty, "/rest/api/space?limit=2").json()
    assert short["results"] == whole["results"][:1] and short["size"] == 1
    assert "next" not in short["_links"]
    assert len(get(faulty, "/rest/api/space?limit=1").json()["results"]) == 1


def test_people_known_by_their_key_alone(faulty: ConfluenceSandbox) -> None:
    url = f"{faulty.url}/rest/api/user/current"
    key = requests.get(url, auth=ADMIN_LOGIN, timeout=10).json()["userKey"]
    faulty.faults({"kind": "user_key_only"})
    found = requests.get(url, auth=ADMIN_LOGIN, timeout=10).json()
    assert found == {"type": "known", "userKey": key}
