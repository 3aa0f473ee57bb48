"""Uploads in pieces: what arrived is kept, a piece counts once, everything ends in a recording or in nothing."""

import asyncio
import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.routes.uploads import facts_of
from core import jobs
from core.errors import BadInput
from core.running_job import RunningJob
from tests.app.conftest import MAX_UPLOAD_BYTES, House, Somebody
from workers import take_upload, uploads

TUS = {"Tus-Resumable": "1.0.0"}


def _meta(**said: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


def _begin(client: TestClient, who: Somebody, size: int, **said: str) -> str:
    headers = {**who.headers, **TUS, "Upload-Length": str(size), "Upload-Metadata": _meta(**said)}
    reply = client.post("/v1/recordings", headers=headers)
    assert reply.status_code == 201, reply.text
    return "/v1/recordings/uploads/" + reply.headers["location"].rpartition("/")[2]


def _patch(client: TestClient, who: Somebody, at: str, offset: int, piece: bytes, **more: str) -> Response:
    headers = {
        **who.headers,
        **TUS,
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
    }
    return client.patch(at, content=piece, headers={**headers, **more})


def _run(house: House) -> dict[str, Any]:
    [row] = house.rows("SELECT id FROM jobs WHERE kind = 'take_upload' AND state = 'queued'")
    with house.context.factory.begin() as session:
        claimed = jobs.claim(session, row.id, worker="test", stale_s=30)
    assert claimed is not None
    return take_upload.run(house.context, RunningJob(claimed, house.context.factory, heartbeat_s=60))


def _pieces(house: House) -> list[Path]:
    return [path for path in (house.settings.imp_home / "blobs" / "uploads").rglob("*") if path.is_file()]


def test_pieces_become_one_recording(client: TestClient, house: House) -> None:
    ann, content = house.person("ann"), bytes(range(256)) * 400
    digest = hashlib.sha256(content).hexdigest()
    at = _begin(client, ann, len(content), filename="a/b/call.wav", title="Weekly", participants="Ann, Ben",
                started_at="2026-11-05T09:30:00+01:00", sha256=digest)  # fmt: skip
    assert _patch(client, ann, at, 0, content[:1000]).headers["upload-offset"] == "1000"
    assert client.head(at, headers={**ann.headers, **TUS}).headers["upload-offset"] == "1000"
    assert _patch(client, ann, at, 1000, content[1000:]).status_code == 204
    assert client.get(at, headers=ann.headers).json()["state"] == "complete"
    _run(house)
    said = client.get(at, headers=ann.headers).json()
    assert said["state"] == "taken"
    [row] = house.rows(
        "SELECT id, sha256, file_name, title, started_at, participants, submitted_by FROM recordings"
    )
    assert (row.id, row.sha256, row.file_name, row.title) == (
        said["recording_id"],
        digest,
        "call.wav",
        "Weekly",
    )
    assert (row.started_at.hour, row.participants, row.submitted_by) == (8, ["Ann", "Ben"], ann.id)
    assert _pieces(house) == []


def test_the_same_piece_twice_counts_once(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    at = _begin(client, ann, 10, filename="a.wav")
    assert _patch(client, ann, at, 0, b"12345").status_code == 204
    again = _patch(client, ann, at, 0, b"12345")
    assert again.status_code == 409
    assert "ends at 5" in again.json()["detail"]
    assert client.head(at, headers={**ann.headers, **TUS}).headers["upload-offset"] == "5"
    assert len(_pieces(house)) == 1


def test_what_arrived_before_the_line_broke_is_kept(
    client: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.routes.uploads.PIECE_BYTES", 4)
    ann = house.person("ann")
    at = _begin(client, ann, 12, filename="a.wav")

    _break_after(client, ann, at, [b"12345", b"678"])
    assert client.head(at, headers={**ann.headers, **TUS}).headers["upload-offset"] == "8"
    assert _patch(client, ann, at, 8, b"9abc").status_code == 204
    _run(house)
    assert house.rows("SELECT sha256 FROM recordings") == [(hashlib.sha256(b"123456789abc").hexdigest(),)]


def _break_after(client: TestClient, who: Somebody, at: str, blocks: list[bytes]) -> None:
    """A request of which only these blocks arrive, as the server sees it."""
    headers = {**who.headers, **TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    scope = {
        "type": "http", "method": "PATCH", "path": at, "raw_path": at.encode(), "query_string": b"", "root_path": "",
        "scheme": "http", "server": ("testserver", 80), "client": ("test", 1), "http_version": "1.1",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    arriving = iter([*({"type": "http.request", "body": one, "more_body": True} for one in blocks)])

    async def receive() -> Any:
        return next(arriving, {"type": "http.disconnect"})

    async def send(_: Any) -> None:
        return None

    asyncio.run(client.app(scope, receive, send))  # type: ignore[arg-type]


def test_limits_and_bad_headers(client: TestClient, house: House) -> None:
    ann, ben = house.person("ann"), house.person("ben")
    begin = {**ann.headers, **TUS}
    assert (
        client.post(
            "/v1/recordings", headers={**begin, "Upload-Length": str(MAX_UPLOAD_BYTES + 1)}
        ).status_code
        == 413
    )
    for length in ("0", "-1", "x", "1e3"):
        assert client.post("/v1/recordings", headers={**begin, "Upload-Length": length}).status_code == 400
    assert (
        client.post(
            "/v1/recordings", headers={**begin, "Upload-Length": "5", "Tus-Resumable": "0.2"}
        ).status_code
        == 412
    )
    assert client.post("/v1/recordings", headers={**TUS, "Upload-Length": "5"}).status_code == 401
    at = _begin(client, ann, 5)
    assert _patch(client, ann, at, 0, b"123456").status_code == 400
    assert _patch(client, ann, at, 0, b"1", **{"Content-Type": "text/plain"}).status_code == 415
    assert _patch(client, ben, at, 0, b"1").status_code == 404
    assert client.head(at, headers={**ben.headers, **TUS}).status_code == 404
    assert client.delete(at, headers={**ben.headers, **TUS}).status_code == 404
    assert _pieces(house) == []
    options = client.options("/v1/recordings")
    assert (options.status_code, options.headers["tus-max-size"]) == (204, str(MAX_UPLOAD_BYTES))


def test_an_upload_is_thrown_away(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    at = _begin(client, ann, 5)
    _patch(client, ann, at, 0, b"12")
    assert client.delete(at, headers={**ann.headers, **TUS}).status_code == 204
    assert client.head(at, headers={**ann.headers, **TUS}).status_code == 404
    assert _pieces(house) == []


def test_what_expired_is_swept_and_what_is_whole_is_not(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    old, whole = _begin(client, ann, 5), _begin(client, ann, 2)
    _patch(client, ann, old, 0, b"12")
    _patch(client, ann, whole, 0, b"12")
    with house.context.factory.begin() as session:
        from sqlalchemy import text

        session.execute(text("UPDATE uploads SET expires_at = now() - interval '1 hour'"))
    assert client.head(old, headers={**ann.headers, **TUS}).status_code == 404
    assert uploads.sweep(house.context) == 1
    assert uploads.sweep(house.context) == 0
    assert len(_pieces(house)) == 1
    _run(house)
    assert len(house.rows("SELECT 1 FROM recordings")) == 1


def test_damaged_on_the_way_is_said(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    at = _begin(client, ann, 4, filename="a.wav", sha256="0" * 64)
    _patch(client, ann, at, 0, b"1234")
    with pytest.raises(BadInput, match="SHA-256"):
        _run(house)
    said = client.get(at, headers=ann.headers).json()
    assert (said["state"], said["recording_id"]) == ("failed", None)
    assert "SHA-256" in said["error"]
    assert _pieces(house) == []


def test_forms_still_work_beside_tus(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    reply = client.post("/v1/recordings", files={"file": ("a.wav", b"sound")}, headers=ann.headers)
    assert reply.status_code == 202


@pytest.mark.parametrize(
    "metadata", ["filename ***", "title //79", "sha256 YWJj", "started_at bm93", "x" * 9000]
)
def test_bad_metadata_is_refused(metadata: str) -> None:
    with pytest.raises(BadInput):
        facts_of(metadata)


def test_names_are_no_paths() -> None:
    assert facts_of(_meta(filename="..\\..\\etc/passwd.wav"))["file_name"] == "passwd.wav"
    assert facts_of("")["file_name"] == "recording"
