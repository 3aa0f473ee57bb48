"""Uploads: streamed to the store within limits, one recording per content, visible to those who may open it."""

import hashlib
import tempfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.app.conftest import MAX_UPLOAD_BYTES, House, Somebody
from workers.add_recording import MAX_TRANSCRIPT_BYTES


def _upload(client: TestClient, who: Somebody, content: bytes, name: str = "call.wav", **more: object):  # type: ignore[no-untyped-def]
    files = {"file": (name, content, "audio/wav"), **more.pop("files", {})}  # type: ignore[dict-item]
    return client.post("/v1/recordings", files=files, data=more, headers=who.headers)  # type: ignore[arg-type]


def test_an_upload_is_kept_and_queued(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    reply = _upload(
        client,
        ann,
        b"RIFF" * 10,
        title="Weekly",
        started_at="2026-11-05T09:30:00+01:00",
        participant=["Ann", "Ben"],
    )
    assert reply.status_code == 202, reply.text
    said = reply.json()
    assert (said["title"], said["state"], said["participants"]) == ("Weekly", "received", ["Ann", "Ben"])
    assert said["started_at"].startswith("2026-11-05T08:30:00")
    [job] = house.rows("SELECT id, kind, key FROM jobs")
    assert (job.id, job.kind, job.key) == (said["job_id"], "transcribe_recording", str(said["id"]))
    [row] = house.rows("SELECT sha256, blob_url, submitted_by FROM recordings")
    assert row.sha256 == hashlib.sha256(b"RIFF" * 10).hexdigest()
    assert row.submitted_by == ann.id
    with house.context.blobs.open(row.blob_url) as kept:
        assert kept.read() == b"RIFF" * 10


def test_the_same_bytes_are_the_same_recording(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    first = _upload(client, ann, b"same", "a.wav").json()
    second = _upload(client, ann, b"same", "b.mp3", title="Another").json()
    assert second["id"] == first["id"]
    assert second["title"] == "a"
    assert len(house.rows("SELECT 1 FROM recordings")) == len(house.rows("SELECT 1 FROM jobs")) == 1


def test_a_later_transcript_is_taken_once(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    first = _upload(client, ann, b"same").json()
    house_url = "SELECT transcript_url, origin FROM recordings"
    vtt = b"WEBVTT\n\n00:00.000 --> 00:02.000\n<v Ann>Hello</v>\n"
    again = _upload(client, ann, b"same", files={"transcript": ("call.vtt", vtt, "text/vtt")})
    assert again.json()["id"] == first["id"]
    [row] = house.rows(house_url)
    assert row.transcript_url is not None
    assert row.origin["transcript_name"] == "call.vtt"


def test_a_stranger_cannot_replace_the_transcript_of_what_they_may_not_open(
    client: TestClient, house: House
) -> None:
    ann, eve = house.person("ann"), house.person("eve")
    _upload(client, ann, b"secret meeting")
    forged = {"transcript": ("call.vtt", b"WEBVTT\n\n00:00.000 --> 00:02.000\nforged\n", "text/vtt")}
    reply = _upload(client, eve, b"secret meeting", files=forged)
    assert reply.status_code == 409
    assert house.rows("SELECT transcript_url FROM recordings") == [(None,)]


def test_too_large_is_refused_unread(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    reply = client.post(
        "/v1/recordings", content=b"x", headers={**ann.headers, "Content-Length": str(10**12)}
    )
    assert reply.status_code == 413
    assert "limit" in reply.json()["detail"]


def test_too_large_is_refused_by_the_file_and_leaves_nothing(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    reply = _upload(client, ann, b"x" * (MAX_UPLOAD_BYTES + 1))
    assert reply.status_code == 413
    assert house.rows("SELECT 1 FROM recordings") == []
    assert [path for path in Path(house.settings.imp_home).rglob("*") if path.is_file()] == []


def test_a_body_longer_than_announced_is_cut_off(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    block, sent = b"y" * 1_000_000, []

    def endless():  # type: ignore[no-untyped-def]
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        while len(sent) < 200:
            sent.append(1)
            yield block

    before = set(Path(tempfile.gettempdir()).glob("imp-upload-*"))
    headers = {**ann.headers, "Content-Type": "multipart/form-data; boundary=b"}
    reply = client.post("/v1/recordings", content=endless(), headers=headers)
    assert reply.status_code == 413
    limit_mb = (MAX_UPLOAD_BYTES + MAX_TRANSCRIPT_BYTES) // 1_000_000
    assert limit_mb < 200, "the body of this test is longer than the limit"
    assert set(Path(tempfile.gettempdir()).glob("imp-upload-*")) == before


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.wav", "passwd.wav"),
        ("..\\..\\windows\\call.wav", "call.wav"),
        ("x" * 1000 + ".wav", "x" * 296 + ".wav"),
        ("<script>alert(1)<.wav", "<script>alert(1)<.wav"),
        ("会议.mp3", "会议.mp3"),
        ("..", ".."),
    ],
)
def test_hostile_file_names_are_only_text(client: TestClient, house: House, name: str, kept: str) -> None:
    reply = _upload(client, house.person("ann"), name.encode(), name)
    assert reply.status_code == 202, reply.text
    [row] = house.rows("SELECT file_name, blob_url, sha256 FROM recordings")
    assert row.file_name == kept
    assert row.blob_url.startswith(house.settings.blobs_url + "/" + row.sha256[:2])
    assert ".." not in row.blob_url


def test_control_characters_in_a_file_name_are_dropped(client: TestClient, house: House) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a\x00\x01\xff.wav"\r\n\r\n'
    headers = {**house.person("ann").headers, "Content-Type": "multipart/form-data; boundary=b"}
    reply = client.post("/v1/recordings", content=head + b"sound\r\n--b--\r\n", headers=headers)
    assert reply.status_code == 202, reply.text
    [row] = house.rows("SELECT file_name FROM recordings")
    assert row.file_name.startswith("a")
    assert row.file_name.endswith(".wav")
    assert not any(ord(char) < 32 for char in row.file_name)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1e300"])
def test_times_no_meeting_has_are_refused(client: TestClient, house: House, moment: str) -> None:
    reply = _upload(client, house.person("ann"), b"x", started_at=moment)
    assert reply.status_code in (400, 422)
    assert "started_at" in reply.text


def test_only_those_who_pass_the_doors_see_a_recording(client: TestClient, house: House) -> None:
    staff = house.gate("space:MTG", "group:staff")
    open_one, closed = house.recording(b"1", gate_ids=[staff]), house.recording(b"2", gate_ids=None)
    ann, hugo, boss = house.person("ann", "staff"), house.person("hugo"), house.person("boss", is_admin=True)
    assert client.get(f"/v1/recordings/{open_one}", headers=ann.headers).json()["title"] == "Launch review"
    for recording_id, who in [(open_one, hugo), (closed, ann), (closed, boss), (99_999, ann)]:
        reply = client.get(f"/v1/recordings/{recording_id}", headers=who.headers)
        assert (reply.status_code, reply.json()) == (404, {"detail": "no such recording"})


def test_the_newest_minutes_are_named(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    recording_id = house.recording(submitted_by=ann.id)
    with house.context.factory.begin() as session:
        from core.tables.meetings import Minutes

        for version, state in ((1, "superseded"), (2, "published")):
            session.add(
                Minutes(recording_id=recording_id, version=version, state=state, lines=[], engine="x",
                        page_url=f"https://wiki.example/{version}")
            )  # fmt: skip
    said = client.get(f"/v1/recordings/{recording_id}", headers=ann.headers).json()
    assert (said["minutes_state"], said["minutes_url"]) == ("published", "https://wiki.example/2")


def test_nobody_uploads_without_a_token(client: TestClient, house: House) -> None:
    reply = client.post("/v1/recordings", files={"file": ("a.wav", b"x")})
    assert reply.status_code == 401
    assert house.rows("SELECT 1 FROM recordings") == []
