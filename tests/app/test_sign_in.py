"""Tokens: hashed, revocable, in a header or in the cookie that a personal link makes; no link leads elsewhere."""

import hashlib

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.commands import people
from tests.app.conftest import House
from workers.people import revoke_tokens


def test_only_the_hash_of_a_token_is_kept(house: House) -> None:
    ann = house.person("ann")
    [row] = house.rows("SELECT * FROM api_tokens")
    assert row.token_hash == hashlib.sha256(ann.token.encode()).hexdigest()
    assert ann.token not in repr(row)
    assert len(ann.token) > 40


def test_a_revoked_token_opens_nothing(client: TestClient, house: House) -> None:
    ann, ben = house.person("ann"), house.person("ben")
    with house.context.factory.begin() as session:
        assert revoke_tokens(session, ann.id) == 1
        assert revoke_tokens(session, ann.id) == 0
    assert client.get("/v1/recordings/1", headers=ann.headers).status_code == 401
    assert client.get(f"/login/{ann.token}").status_code == 401
    assert client.get("/v1/recordings/1", headers=ben.headers).status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer imp_wrong", "Bearer \xff"])
def test_wrong_headers_are_nobody(client: TestClient, house: House, header: str) -> None:
    house.person("ann")
    reply = client.get("/v1/recordings/1", headers={"Authorization": header.encode("latin-1")})
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"] == "Bearer"


def test_a_personal_link_signs_the_browser_in(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    recording_id = house.recording(submitted_by=ann.id)
    path = f"/recordings/{recording_id}?t=12"
    assert client.get(path).status_code == 401
    assert "Sign in" in client.get(path).text
    reply = client.get(f"/login/{ann.token}", params={"next": path})
    assert (reply.status_code, reply.headers["location"]) == (303, path)
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "evil.example", "",
     "/\t/evil.example", "javascript:alert(1)", "/\n/evil.example"],
)  # fmt: skip
def test_no_link_leads_to_another_site(client: TestClient, house: House, elsewhere: str) -> None:
    reply = client.get(f"/login/{house.person('ann').token}", params={"next": elsewhere})
    assert reply.status_code == 303
    target = reply.headers["location"]
    assert target == "/docs" or (target.startswith("/") and target[1] not in "/\\\t\n")
    assert "\n" not in target


def test_tokens_are_made_and_revoked_from_the_terminal(
    client: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = house.person("ann")
    monkeypatch.setenv("DATABASE_URL", house.settings.require_database_url())
    monkeypatch.setenv("REDIS_URL", house.settings.require_redis_url())
    monkeypatch.setenv("IMP_HOME", str(house.settings.imp_home))
    made = CliRunner().invoke(people.app, ["token", "ANN@example.org", "--label", "laptop"])
    token = made.output.split()[-1]
    assert client.get("/v1/recordings/1", headers={"Authorization": f"Bearer {token}"}).status_code == 404
    ended = CliRunner().invoke(people.app, ["revoke", "ann@example.org", "--label", "laptop"])
    assert "1 tokens revoked" in ended.output
    assert client.get("/v1/recordings/1", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert client.get("/v1/recordings/1", headers=ann.headers).status_code == 404
