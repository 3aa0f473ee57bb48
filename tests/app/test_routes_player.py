"""The player: closed recordings do not exist, media comes in ranges, nothing of a transcript runs as script."""

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from core.tables.meetings import Recording, Segment
from tests.app.conftest import House

SOUND = bytes(range(256)) * 4


@pytest.fixture
def heard(house: House) -> tuple[House, int, dict[str, str]]:
    staff = house.gate("space:MTG", "group:staff")
    recording_id = house.recording(
        SOUND, gate_ids=[staff], title="<img src=x onerror=alert(1)>", duration_s=90.0
    )
    with house.context.factory.begin() as session:
        for position, text in enumerate(["Good morning.", "</script><script>alert(2)</script>"]):
            session.add(
                Segment(recording_id=recording_id, position=position, start_s=position * 60.0,
                        end_s=position * 60.0 + 5, speaker=None, text=text)
            )  # fmt: skip
    return house, recording_id, house.person("ann", "staff").headers


def test_the_page_shows_the_moment_asked_for(
    client: TestClient, heard: tuple[House, int, dict[str, str]]
) -> None:
    _, recording_id, headers = heard
    page = client.get(f"/recordings/{recording_id}?t=61", headers=headers)
    assert page.status_code == 200
    assert "Good morning." in page.text
    assert "Speaker ?" in page.text
    assert 'class="now"' in page.text.partition("&lt;/script&gt;")[0].rpartition("<li")[2]
    assert "<img src=x" not in page.text
    assert "<script>alert(2)" not in page.text


def test_who_may_not_open_it_sees_no_recording(
    client: TestClient, heard: tuple[House, int, dict[str, str]]
) -> None:
    house, recording_id, _ = heard
    hugo = house.person("hugo")
    closed = house.recording(b"closed", gate_ids=None)
    for path in (f"/recordings/{recording_id}", f"/recordings/{recording_id}/media", f"/recordings/{closed}"):
        assert client.get(path, headers=hugo.headers).status_code == 404


@pytest.mark.parametrize("t", ["nan", "inf", "-1", "1e400", "x"])
def test_moments_that_are_none(client: TestClient, heard: tuple[House, int, dict[str, str]], t: str) -> None:
    _, recording_id, headers = heard
    assert client.get(f"/recordings/{recording_id}?t={t}", headers=headers).status_code == 422


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        (None, 200, 0, 1023),
        ("bytes=0-99", 206, 0, 99),
        ("bytes=1000-", 206, 1000, 1023),
        ("bytes=-24", 206, 1000, 1023),
        ("bytes=1000-999999", 206, 1000, 1023),
        ("bytes=-999999", 206, 0, 1023),
        ("bytes=0-1,5-6", 200, 0, 1023),
        ("bytes=" + "9" * 5000 + "-", 200, 0, 1023),
        ("lines=1-2", 200, 0, 1023),
    ],
)
def test_ranges(
    client: TestClient,
    heard: tuple[House, int, dict[str, str]],
    asked: str | None,
    status: int,
    first: int,
    last: int,
) -> None:
    _, recording_id, headers = heard
    reply = client.get(
        f"/recordings/{recording_id}/media", headers={**headers, **({"Range": asked} if asked else {})}
    )
    assert reply.status_code == status
    assert reply.content == SOUND[first : last + 1]
    assert reply.headers["content-length"] == str(last - first + 1)
    if status == 206:
        assert reply.headers["content-range"] == f"bytes {first}-{last}/1024"


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5-4", "bytes=-0"])
def test_ranges_outside_the_file(
    client: TestClient, heard: tuple[House, int, dict[str, str]], asked: str
) -> None:
    _, recording_id, headers = heard
    reply = client.get(f"/recordings/{recording_id}/media", headers={**headers, "Range": asked})
    assert (reply.status_code, reply.headers["content-range"]) == (416, "bytes */1024")


def test_a_file_that_is_gone_is_said_at_once(
    client: TestClient, heard: tuple[House, int, dict[str, str]]
) -> None:
    house, recording_id, headers = heard
    [row] = house.rows("SELECT blob_url FROM recordings")
    with house.context.blobs.local(row.blob_url) as path:
        path.unlink()
    reply = client.get(f"/recordings/{recording_id}/media", headers=headers)
    assert reply.status_code == 404
    assert "gone" in reply.json()["detail"]


def test_what_is_no_media_is_never_shown_as_a_page(client: TestClient, house: House) -> None:
    ann = house.person("ann")
    recording_id = house.recording(b"<script>alert(1)</script>", submitted_by=ann.id, file_name="evil.html")
    reply = client.get(f"/recordings/{recording_id}/media", headers=ann.headers)
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_parts_of_a_meeting_play_at_their_second(client: TestClient, house: House) -> None:
    from workers.meeting_files import NewFile, add_files

    ann, eve = house.person("ann"), house.person("eve")
    recording_id = house.recording(b"first", submitted_by=ann.id)
    other = house.recording(b"other", submitted_by=ann.id)
    with house.context.factory.begin() as session:
        stored = house.context.blobs.put([b"second"], suffix=".wav", max_bytes=10)
        add_files(session, recording_id, [NewFile("part", stored, "two.wav", 1800.0)])
    [row] = house.rows("SELECT id FROM recording_files")
    page = client.get(f"/recordings/{recording_id}?t=1805", headers=ann.headers).text
    assert (
        f'[[0.0, "/recordings/{recording_id}/media"], [1800.0, "/recordings/{recording_id}/media/{row.id}"]]'
        in page
    )
    part = client.get(
        f"/recordings/{recording_id}/media/{row.id}", headers={**ann.headers, "Range": "bytes=0-2"}
    )
    assert (part.status_code, part.content) == (206, b"sec")
    assert part.headers["content-type"].startswith("audio/")
    assert client.get(f"/recordings/{recording_id}/media/{row.id}", headers=eve.headers).status_code == 404
    assert client.get(f"/recordings/{other}/media/{row.id}", headers=ann.headers).status_code == 404


def test_sound_that_expired_is_said_and_the_words_stay(
    client: TestClient, heard: tuple[House, int, dict[str, str]]
) -> None:
    house, recording_id, headers = heard
    with house.context.factory.begin() as session:
        session.get_one(Recording, recording_id).media_expired_at = datetime(2026, 3, 2, tzinfo=UTC)
    page = client.get(f"/recordings/{recording_id}", headers=headers)
    assert "The sound was deleted on 2 March 2026" in page.text
    assert "Good morning." in page.text
    assert "<audio" not in page.text
    media = client.get(f"/recordings/{recording_id}/media", headers=headers)
    assert media.status_code == 404
    assert "2026-03-02" in media.text
