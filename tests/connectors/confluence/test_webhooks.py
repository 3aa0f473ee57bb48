"""The three doors of webhooks: the right sender is let in, everyone else is not, and ids are text."""

import json
import time
from typing import Any

import jwt
import pytest

from connectors.confluence.webhooks import SECRET_HEADER, WebhookEvent, accept, query_hash
from core.errors import BadInput, Denied

SECRET = "a-secret-of-at-least-thirty-two-bytes!"
PAGE = {"page": {"id": 98305, "contentType": "page", "spaceKey": "ENG"}}


def signature(body: bytes, secret: str = SECRET) -> str:
    import hashlib
    import hmac

    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def token(secret: str = SECRET, **claims: Any) -> str:
    now = int(time.time())
    told = {"iss": "key", "iat": now, "exp": now + 180, "qsh": query_hash("POST", "/hooks", "a=1"), **claims}
    return jwt.encode(told, secret, algorithm="HS256")


def test_data_center_signs_the_raw_body() -> None:
    body = json.dumps({"event": "page_updated", **PAGE}).encode()
    found = accept(
        {"X-Hub-Signature": signature(body), "X-Request-Id": "r-1"}, body, "whatever_the_url", SECRET
    )
    assert found == WebhookEvent("r-1", "page_updated", "98305", "page", "98305", "ENG")


@pytest.mark.parametrize("body", [b'{"event":"page_updated" }', b'{"event":"page_removed"}', b""])
def test_a_changed_body_is_denied(body: bytes) -> None:
    with pytest.raises(Denied, match="X-Hub-Signature"):
        accept({"x-hub-signature": signature(b'{"event":"page_updated"}')}, body, "page_updated", SECRET)


def test_an_app_sends_a_token_over_the_request() -> None:
    headers = {"Authorization": f"JWT {token()}"}
    found = accept(headers, json.dumps(PAGE).encode(), "page_trashed", SECRET, path="/hooks", query="a=1")
    assert (found.event, found.page_id) == ("page_trashed", "98305")


@pytest.mark.parametrize(
    "told",
    [
        {"secret": "another-secret-of-thirty-two-bytes-or-so"},
        {"exp": 1},
        {"qsh": query_hash("POST", "/hooks", "a=2")},
        {"qsh": "context-qsh"},
        {"iss": "stranger"},
    ],
    ids=lambda told: next(iter(told)),
)
def test_a_wrong_token_is_denied(told: dict[str, Any]) -> None:
    headers = {"authorization": f"JWT {token(**told)}"}
    with pytest.raises(Denied):
        accept(
            headers, json.dumps(PAGE).encode(), "x_y", SECRET, path="/hooks", query="a=1", client_key="key"
        )


def test_an_unsigned_token_is_denied() -> None:
    claims = {
        "iss": "key",
        "iat": int(time.time()),
        "exp": int(time.time()) + 9,
        "qsh": query_hash("POST", "/", ""),
    }
    with pytest.raises(Denied):
        accept({"authorization": f"JWT {jwt.encode(claims, None, algorithm='none')}"}, b"{}", "x_y", SECRET)


def test_an_automation_rule_sends_a_header() -> None:
    found = accept({SECRET_HEADER: SECRET}, b'{"pageId": "77"}', "page_created", SECRET)
    assert (found.content_id, found.page_id) == ("77", "77")
    with pytest.raises(Denied):
        accept({SECRET_HEADER: SECRET[:-1]}, b"{}", "page_created", SECRET)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}, {"authorization": "Basic x"}])
def test_nobody_comes_in_without_a_signature(headers: dict[str, str]) -> None:
    with pytest.raises(Denied, match="not signed"):
        accept(headers, b"{}", "page_updated", SECRET)
    with pytest.raises(Denied, match="off"):
        accept({SECRET_HEADER: ""}, b"{}", "page_updated", "")


@pytest.mark.parametrize("body", [b"[]", b"nope", b'"x"', b"{" * 100_000, b"\xff\xfe"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        accept({SECRET_HEADER: SECRET}, body, "page_updated", SECRET)


def test_a_body_too_large_is_refused_before_it_is_hashed() -> None:
    with pytest.raises(BadInput, match="larger"):
        accept({SECRET_HEADER: SECRET}, b" " * 1_100_000, "page_updated", SECRET)


@pytest.mark.parametrize(
    ("body", "page_id", "kind"),
    [
        ({"comment": {"id": 5, "contentType": "comment", "parent": {"id": "9"}}}, "9", "comment"),
        (
            {"attachments": [{"id": "att5", "contentType": "attachment"}], "attachedTo": {"id": 9}},
            "9",
            "attachment",
        ),
        ({"blog": {"idAsString": "9", "id": 9.1}}, "9", "blogpost"),
        ({"labeled": {"id": "9", "contentType": "page"}, "label": {"name": "x"}}, "9", "page"),
        ({"page": {"id": "../../9"}}, None, "page"),
        ({"page": None, "space": {"key": "ENG"}}, None, None),
    ],
)
def test_the_page_of_every_kind_of_body(body: dict[str, Any], page_id: str | None, kind: str | None) -> None:
    found = accept({SECRET_HEADER: SECRET}, json.dumps(body).encode(), "some_event", SECRET)
    assert (found.page_id, found.content_type) == (page_id, kind)


def test_the_same_delivery_has_the_same_id_and_another_event_has_not() -> None:
    body = json.dumps(PAGE).encode()
    ids = [
        accept({SECRET_HEADER: SECRET}, body, event, SECRET).delivery_id
        for event in ("a_b_c", "a_b_c", "a_b_d")
    ]
    assert ids[0] == ids[1] != ids[2]
