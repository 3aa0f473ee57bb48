"""Webhooks as a receiver sees them: signatures, bodies, retries, and an API that does not wait."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from atlassian import Confluence

from sandbox.confluence.process import ConfluenceSandbox
from tests.sandbox.confluence_company import ADMIN, ADMIN_LOGIN, BOB, BOB_LOGIN

WAIT_S = 10.0


class Receiver:
    """An HTTP server that keeps what it is sent; `answers` are its next status codes, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.pause_s = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.path, dict(self.headers), body))
                time.sleep(outer.pause_s)
                self.send_response(outer.answers.pop(0) if outer.answers else 200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, n: int) -> list[tuple[str, dict[str, str], bytes]]:
        deadline = time.monotonic() + WAIT_S
        while len(self.got) < n and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(self.got) >= n, f"{len(self.got)} of {n} deliveries"
        return self.got


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_data_center_signature_and_body(
    confluence_sandbox: ConfluenceSandbox, confluence_server: Confluence, receiver: Receiver
) -> None:
    hook = {"name": "imp", "url": f"{receiver.url}/hook", "events": ["page_updated"], "active": True,
            "configuration": {"secret": "s3cret"}}  # fmt: skip
    made = confluence_server.post("rest/api/webhooks", data=hook)
    confluence_sandbox.edit_page("1002", append="<p>more</p>", **{"as": BOB})
    [(path, headers, body)] = receiver.wait(1)
    assert path == "/hook"
    assert headers["X-Hub-Signature"] == "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    told = json.loads(body)
    assert (told["event"], headers["X-Event-Key"]) == ("page_updated", "page_updated")
    assert (told["page"]["id"], told["page"]["version"], told["page"]["lastModifierName"]) == (1002, 2, "bob")
    confluence_server.delete(f"rest/api/webhooks/{made['id']}")
    assert confluence_server.get("rest/api/webhooks")["results"] == []


def test_registering_needs_an_admin_and_a_real_url(confluence_sandbox: ConfluenceSandbox) -> None:
    url = f"{confluence_sandbox.url}/rest/api/webhooks"
    hook = {"url": "http://127.0.0.1:1/x", "events": ["page_created"]}
    assert requests.post(url, json=hook, auth=BOB_LOGIN, timeout=10).status_code == 403
    assert requests.post(url, json=hook | {"url": "nowhere"}, auth=ADMIN_LOGIN, timeout=10).status_code == 400
    assert requests.post(url, json=hook | {"events": []}, auth=ADMIN_LOGIN, timeout=10).status_code == 400


def test_cloud_bodies_look_like_recorded_ones(
    confluence_sandbox: ConfluenceSandbox, receiver: Receiver, shared_data: Callable[[str], Path]
) -> None:
    recorded = json.loads(shared_data("atlassian/webhooks/cloud-2026/page_updated.json").read_text())
    confluence_sandbox.add_webhook(
        f"{receiver.url}/u", "page_updated", kind="header", name="X-Key", value="abc"
    )
    confluence_sandbox.edit_page("1002", title="Run book")
    [(_, headers, body)] = receiver.wait(1)
    told = json.loads(body)
    assert headers["X-Key"] == "abc"
    assert set(told) == set(recorded)
    assert {key: type(value) for key, value in told["page"].items()} == {
        key: type(value) for key, value in recorded["page"].items()
    }
    assert "event" not in told


def test_cloud_comment_body_carries_its_page(
    confluence_sandbox: ConfluenceSandbox, receiver: Receiver, shared_data: Callable[[str], Path]
) -> None:
    recorded = json.loads(shared_data("atlassian/webhooks/cloud-2026/comment_created.json").read_text())
    confluence_sandbox.add_webhook(receiver.url, "comment_created")
    confluence_sandbox.act("1002", "comment", body="<p>hm</p>")
    [(_, _, body)] = receiver.wait(1)
    told = json.loads(body)
    assert set(told) == set(recorded)
    assert set(told["comment"]) == set(recorded["comment"])
    assert told["comment"]["parent"]["id"] == "1002"


def test_trashed_restored_and_removed_bodies_do_not_say_which(
    confluence_sandbox: ConfluenceSandbox, receiver: Receiver
) -> None:
    for event in ("page_trashed", "page_restored", "page_removed"):
        confluence_sandbox.add_webhook(f"{receiver.url}/{event}", event)
    confluence_sandbox.act("1002", "trash")
    confluence_sandbox.act("1002", "restore")
    confluence_sandbox.act("1002", "purge")  # trashes first
    got = receiver.wait(4)
    assert [path for path, _, _ in got] == [
        "/page_trashed",
        "/page_restored",
        "/page_trashed",
        "/page_removed",
    ]
    shapes = {tuple(sorted(json.loads(body)["page"])) for _, _, body in got}
    assert len(shapes) == 1


def test_every_kind_of_event_is_sent(confluence_sandbox: ConfluenceSandbox, receiver: Receiver) -> None:
    confluence_sandbox.add_webhook(receiver.url, "*", dialect="datacenter")
    page = confluence_sandbox.add_page("ENG", "Fresh", "<p/>", parent_id="1001")
    confluence_sandbox.act(page, "move", target_id="1002")
    confluence_sandbox.act(page, "attach", filename="a.txt", text="hello")
    confluence_sandbox.act(page, "label", names=["new"])
    confluence_sandbox.restrict(page, f"user:{ADMIN}")
    confluence_sandbox.act(page, "archive")
    confluence_sandbox.set_space_permissions("SEC", "group:staff")
    events = [json.loads(body)["event"] for _, _, body in receiver.wait(7)]
    assert events == ["page_created", "page_moved", "attachment_created", "label_added",
                      "content_permissions_updated", "page_archived", "space_permissions_updated"]  # fmt: skip


def test_connect_jwt(confluence_sandbox: ConfluenceSandbox, receiver: Receiver) -> None:
    secret = "a shared secret of more than thirty-two bytes"
    confluence_sandbox.add_webhook(
        f"{receiver.url}/hook?b=2&a=x%20y",
        "page_created",
        kind="connect-jwt",
        client_key="acme",
        shared_secret=secret,
    )
    confluence_sandbox.add_page("ENG", "Fresh")
    [(_, headers, _)] = receiver.wait(1)
    scheme, _, token = headers["Authorization"].partition(" ")
    claims = jwt.decode(token, secret, algorithms=["HS256"])
    assert (scheme, claims["iss"]) == ("JWT", "acme")
    assert claims["qsh"] == hashlib.sha256(b"POST&/hook&a=x%20y&b=2").hexdigest()


def test_failed_deliveries_are_tried_again(confluence_sandbox: ConfluenceSandbox, receiver: Receiver) -> None:
    receiver.answers = [500, 503]
    confluence_sandbox.add_webhook(receiver.url, "page_created")
    confluence_sandbox.add_page("ENG", "Fresh")
    got = receiver.wait(3)
    assert len({body for _, _, body in got}) == 1
    time.sleep(0.1)
    outcomes = confluence_sandbox.state()["webhooks"]
    assert [(one["attempt"], one["status"], one["delivered"]) for one in outcomes] == [
        (1, 500, False), (2, 503, False), (3, 200, True)]  # fmt: skip


def test_a_slow_receiver_does_not_hold_up_the_api(
    confluence_sandbox: ConfluenceSandbox, receiver: Receiver
) -> None:
    receiver.pause_s = 1.5
    confluence_sandbox.add_webhook(receiver.url, "page_updated")
    began = time.monotonic()
    confluence_sandbox.edit_page("1002", append="<p>1</p>")
    assert time.monotonic() - began < 1.0
    receiver.wait(1)


def test_a_refused_edit_tells_nobody(confluence_sandbox: ConfluenceSandbox, receiver: Receiver) -> None:
    confluence_sandbox.add_webhook(receiver.url, "*")
    with pytest.raises(requests.HTTPError):
        confluence_sandbox.edit_page("1002", title="Home")
    confluence_sandbox.edit_page("1002", title="Run book")
    [(_, _, body)] = receiver.wait(1)
    assert json.loads(body)["page"]["title"] == "Run book"
