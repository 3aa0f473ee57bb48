"""A Zoom meeting comes in whole, once, whatever is delivered how often; tracks say who spoke."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from core.errors import BadInput, Denied, Unavailable
from tests.connectors.recordings.test_zoom import LATER, SECRET, START, _file, event, signed
from tests.workers.recordings.conftest import TINY_WHISPER, Studio
from workers import take_zoom_webhook
from workers.meeting_files import blob_urls

VTT = b"WEBVTT\n\n1\n00:00:01.000 --> 00:00:03.000\nAda Lovelace: We decided to launch on Friday.\n\n" \
      b"2\n00:00:04.000 --> 00:00:06.000\nBen Ok: I will write the notes.\n\n" \
      b"3\n00:00:07.000 --> 00:00:08.000\nAda Lovelace: Thanks.\n"  # fmt: skip


class Store:
    """What Zoom would hand out: bytes by path, and how often each was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        store = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                store.asked.append((self.path, self.headers.get("Authorization")))
                content = store.files.get(self.path)
                self.send_response(200 if content is not None else 404)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def file(self, kind: str, start: str, content: bytes, **more: Any) -> dict[str, Any]:
        path = f"/{kind}-{len(self.files)}"
        self.files[path] = content
        return {
            **_file(kind, start, **more), "download_url": self.url + path,
        }  # fmt: skip


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.server.shutdown()
    store.server.server_close()


@pytest.fixture
def zoom_studio(make_studio: Callable[..., Studio], store: Store) -> Studio:
    return make_studio(
        imp_transcriber=f"faster-whisper:{TINY_WHISPER}",
        zoom_webhook_secret=SECRET,
        zoom_download_hosts=(store.url,),
    )


def _deliver(studio: Studio, body: bytes) -> str:
    return take_zoom_webhook.take_zoom_webhook(studio.context, signed(body), body)[0]


@pytest.fixture
def film(make_sound: Callable[..., Path]) -> bytes:
    return make_sound("film.mp4", "-f", "lavfi", "-i", "sine=d=9", "-ar", "16000").read_bytes()


def test_film_and_transcript_are_one_recording(zoom_studio: Studio, store: Store, film: bytes) -> None:
    body = event(store.file("MP4", START, film), store.file("TRANSCRIPT", START, VTT))
    assert [_deliver(zoom_studio, body) for _ in range(2)] == ["taken", "known"]
    [job] = zoom_studio.rows("SELECT args::text AS args FROM jobs WHERE kind = 'take_zoom_meeting'")
    assert "tok" not in job.args.replace("token", "")
    outcome = zoom_studio.run("take_zoom_meeting")
    assert {token for _, token in store.asked} == {"Bearer tok"}
    zoom_studio.run("transcribe_recording")
    row = zoom_studio.row(outcome["recording_id"])
    assert (row.title, row.state, row.meeting_key) == (
        "Launch review",
        "transcribed",
        "zoom:4444AAAiAAAAAiAiAiiAii==",
    )
    assert row.started_at.isoformat() == "2026-11-05T09:30:00+00:00"
    assert [one[3] for one in zoom_studio.segments(row.id)] == ["Ada Lovelace", "Ben Ok", "Ada Lovelace"]


def test_the_transcript_may_come_later_and_even_first(zoom_studio: Studio, store: Store, film: bytes) -> None:
    later = event(store.file("TRANSCRIPT", START, VTT), name="recording.transcript_completed")
    _deliver(zoom_studio, later)
    early = zoom_studio.claim(zoom_studio.waiting("take_zoom_meeting"))
    with pytest.raises(Unavailable):
        zoom_studio.run_claimed(early)
    _deliver(zoom_studio, event(store.file("MP4", START, film)))
    recording_id = zoom_studio.run("take_zoom_meeting")["recording_id"]
    _deliver(zoom_studio, later.replace(b'"event_ts": 1', b'"event_ts": 2'))
    zoom_studio.run("take_zoom_meeting")
    zoom_studio.run("transcribe_recording")
    assert "Ada Lovelace" in {one[3] for one in zoom_studio.segments(recording_id)}
    assert len(zoom_studio.rows("SELECT 1 FROM recordings")) == 1


def test_the_same_film_through_three_doors_is_one_meeting(
    zoom_studio: Studio, store: Store, film: bytes, tmp_path: Path
) -> None:
    local = tmp_path / "any name.mp4"
    local.write_bytes(film)
    first = zoom_studio.add(local)
    second = zoom_studio.upload(local)
    _deliver(zoom_studio, event(store.file("MP4", START, film), store.file("MP4", LATER, film[:-1] + b"x")))
    third = zoom_studio.run("take_zoom_meeting")["recording_id"]
    assert first == second == third
    assert len(zoom_studio.rows("SELECT 1 FROM recordings")) == 1
    part = tmp_path / "part.mp4"
    part.write_bytes(film[:-1] + b"x")
    assert zoom_studio.upload(part) == first


def test_tracks_say_who_spoke_also_at_the_same_time(
    zoom_studio: Studio,
    store: Store,
    film: bytes,
    speak: Callable[..., Path],
    make_sound: Callable[..., Path],
) -> None:
    ada = speak("ada.wav", "we will send the report on friday").read_bytes()
    ben = speak("ben.wav", "the team can start on monday").read_bytes()
    muted = make_sound("muted.wav", "-f", "lavfi", "-i", "anullsrc=d=5:r=16000").read_bytes()
    tracks = (
        store.file("M4A", START, ada, file_name="Audio only - Ada Lovelace"),
        store.file("M4A", "2026-11-05T09:30:06Z", ben, file_name="Audio only - Ben Ok"),
        store.file("M4A", START, muted, file_name="Audio only - Cy Quiet"),
    )
    _deliver(zoom_studio, event(store.file("MP4", START, film), tracks=tracks))
    recording_id = zoom_studio.run("take_zoom_meeting")["recording_id"]
    zoom_studio.run("transcribe_recording")
    row = zoom_studio.row(recording_id)
    assert (row.state, sorted(row.participants)) == ("transcribed", ["Ada Lovelace", "Ben Ok", "Cy Quiet"])
    said = zoom_studio.segments(recording_id)
    assert {one[3] for one in said} == {"Ada Lovelace", "Ben Ok"}
    first = {
        speaker: min(one[1] for one in said if one[3] == speaker) for speaker in ("Ada Lovelace", "Ben Ok")
    }
    ends = max(one[2] for one in said if one[3] == "Ada Lovelace")
    assert 0 <= first["Ada Lovelace"] < 1.0 <= first["Ben Ok"] < ends, "overlap is kept, on one clock"
    assert not [one for one in row.warnings if "muted" in one or "missing" in one]
    with zoom_studio.context.factory() as session:
        assert len(blob_urls(session, recording_id)) == 4


def test_stretches_of_one_meeting_follow_each_other(
    zoom_studio: Studio, store: Store, speak: Callable[..., Path]
) -> None:
    one = speak("one.wav", "we will send the report on friday").read_bytes()
    two = speak("two.wav", "the team can start on monday").read_bytes()
    _deliver(zoom_studio, event(store.file("MP4", START, one), store.file("MP4", LATER, two)))
    recording_id = zoom_studio.run("take_zoom_meeting")["recording_id"]
    zoom_studio.run("transcribe_recording")
    starts = [one[1] for one in zoom_studio.segments(recording_id)]
    assert starts == sorted(starts)
    assert starts[0] < 10
    assert starts[-1] >= 1800
    assert zoom_studio.row(recording_id).duration_s > 1800


def test_a_bad_stretch_is_missing_and_said(
    zoom_studio: Studio, store: Store, speak: Callable[..., Path]
) -> None:
    one = speak("good.wav", "we will send the report on friday").read_bytes()
    _deliver(zoom_studio, event(store.file("MP4", START, one)))
    recording_id = zoom_studio.run("take_zoom_meeting")["recording_id"]
    from workers.meeting_files import NewFile, add_files

    with zoom_studio.context.factory.begin() as session:
        stored = zoom_studio.context.blobs.put([b"no media"], suffix=".mp4", max_bytes=100)
        add_files(session, recording_id, [NewFile("part", stored, "broken.mp4", 600.0)])
    zoom_studio.run("transcribe_recording")
    row = zoom_studio.row(recording_id)
    assert row.state == "transcribed"
    assert any("broken.mp4" in warning for warning in row.warnings)


def test_what_is_no_media_or_too_large_or_elsewhere_fails_alone(
    zoom_studio: Studio, make_studio: Callable[..., Studio], store: Store, film: bytes
) -> None:
    _deliver(zoom_studio, event(store.file("MP4", START, b"<html>please sign in</html>")))
    with pytest.raises(BadInput):
        zoom_studio.run("take_zoom_meeting")
    elsewhere = json.loads(event(_file("MP4", LATER)))
    elsewhere["payload"]["object"]["recording_files"][0]["download_url"] = (
        "https://169.254.169.254/latest/meta-data"
    )
    _deliver(zoom_studio, json.dumps(elsewhere).encode())
    with pytest.raises(BadInput, match="no allowed host"):
        zoom_studio.run("take_zoom_meeting")
    assert zoom_studio.rows("SELECT 1 FROM recordings") == []
    closed = make_studio()
    with pytest.raises(Denied):
        _deliver(closed, event())


def test_a_second_run_fetches_nothing_twice(zoom_studio: Studio, store: Store, film: bytes) -> None:
    _deliver(zoom_studio, event(store.file("MP4", START, film), store.file("TRANSCRIPT", START, VTT)))
    vtt_path = next(path for path in store.files if path.startswith("/TRANSCRIPT"))
    content = store.files.pop(vtt_path)
    job = zoom_studio.claim(zoom_studio.waiting("take_zoom_meeting"))
    from core.errors import NotFound
    from workers import take_zoom_meeting

    with pytest.raises(NotFound):
        take_zoom_meeting.run(zoom_studio.context, job)
    store.files[vtt_path] = content
    take_zoom_meeting.run(zoom_studio.context, job)
    assert sum(path.startswith("/MP4") for path, _ in store.asked) == 1
