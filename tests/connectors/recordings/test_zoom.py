"""Zoom's webhooks: who may speak, what makes up a meeting, and where files are fetched from."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from connectors.recordings import guarded_download, zoom
from connectors.recordings.guarded_download import check_address, download
from core.errors import BadInput, Denied, NotFound, Unavailable

SECRET = "zoom-secret"


def signed(body: bytes, *, secret: str = SECRET, at_s: float | None = None) -> dict[str, str]:
    stamp = str(int(time.time() if at_s is None else at_s))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Zm-Request-Timestamp": stamp, "x-zm-signature": f"v0={digest}"}


def _file(kind: str, start: str, **more: Any) -> dict[str, Any]:
    return {
        "id": more.get("recording_type", kind), "recording_start": start, "file_type": kind, "status": "completed",
        "download_url": f"https://us02web.zoom.us/rec/download/{kind}-{start}", **more,
    }  # fmt: skip


def event(
    *files: dict[str, Any], tracks: tuple[dict[str, Any], ...] = (), name: str = "recording.completed"
) -> bytes:
    meeting = {
        "uuid": "4444AAAiAAAAAiAiAiiAii==", "id": 4444, "topic": "Launch review", "host_email": "ada@example.com",
        "start_time": "2026-11-05T09:30:00Z", "timezone": "UTC", "recording_files": list(files),
        "participant_audio_files": list(tracks),
    }  # fmt: skip
    return json.dumps(
        {"event": name, "event_ts": 1, "payload": {"object": meeting}, "download_token": "tok"}
    ).encode()


START, LATER = "2026-11-05T09:30:05Z", "2026-11-05T10:00:05Z"


def test_set_up_is_answered_as_zoom_asks() -> None:
    body = (
        b'{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1}'
    )
    asked = zoom.accept(signed(body), body, SECRET)
    assert asked.challenge == "qgg8vlvZRS6UYooatFL8Aw"
    digest = hmac.new(SECRET.encode(), b"qgg8vlvZRS6UYooatFL8Aw", hashlib.sha256).hexdigest()
    assert zoom.challenge_answer(asked.challenge, SECRET) == {
        "plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": digest,
    }  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(b"{}", secret="other"),
        signed(b"other body"),
        signed(b"{}", at_s=time.time() - 90_000),
        signed(b"{}", at_s=time.time() + 90_000),
        {**signed(b"{}"), "X-Zm-Request-Timestamp": "٣"},
        {**signed(b"{}"), "x-zm-signature": "v0=ü"},
    ],
)
def test_strangers_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Denied):
        zoom.accept(headers, b"{}", SECRET)
    with pytest.raises(Denied):
        zoom.accept(signed(b"{}", secret=""), b"{}", "")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"\xff", b'{"event":"recording.completed","payload":{"object":{}}}']
)
def test_what_zoom_does_not_send_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        zoom.accept(signed(body), body, SECRET)


def test_other_events_bring_nothing() -> None:
    body = json.dumps({"event": "meeting.started", "payload": {"object": {"uuid": "x"}}}).encode()
    assert zoom.accept(signed(body), body, SECRET).meeting is None


def test_one_film_a_stretch_with_tracks_and_transcript() -> None:
    body = event(
        _file("M4A", START, recording_type="audio_only"),
        _file("MP4", START, recording_type="gallery_view"),
        _file("MP4", START, recording_type="shared_screen_with_speaker_view"),
        _file("MP4", LATER, recording_type="active_speaker"),
        _file("CHAT", START), _file("TIMELINE", START), _file("TRANSCRIPT", START), _file("CC", START),
        _file("MP4", "2026-11-05T11:00:00Z", status="processing"),
        tracks=(_file("M4A", START, file_name="Audio only - Ada Lovelace.m4a"), _file("M4A", LATER, file_name="odd")),
    )  # fmt: skip
    found = zoom.accept(signed(body), body, SECRET)
    assert found.meeting is not None
    assert found.download_token == "tok"
    wanted = zoom.wanted_files(found.meeting)
    assert [(one.role, one.speaker) for one in wanted] == [
        ("media", None), ("media", None), ("track", "Ada Lovelace"), ("track", None), ("transcript", None),
    ]  # fmt: skip
    assert wanted[0].url.endswith(f"MP4-{START}")
    assert wanted[0].name == "GMT20261105-093005_Recording.mp4"
    assert zoom.participants(wanted) == ("Ada Lovelace",)
    again = zoom.meeting_from_json(zoom.meeting_json(found.meeting))
    assert zoom.wanted_files(again) == wanted


ALLOWED = ("zoom.us", "http://127.0.0.1:9999")


@pytest.mark.parametrize(
    "url",
    [
        "https://zoom.us/rec", "https://us02web.zoom.us:443/rec?x=1", "https://a.b.zoom.us./rec", "http://127.0.0.1:9999/x",
    ],
)  # fmt: skip
def test_allowed_addresses(url: str) -> None:
    assert check_address(url, ALLOWED)


@pytest.mark.parametrize(
    "url",
    [
        "http://zoom.us/rec", "https://zoom.us.evil.com/", "https://evilzoom.us/", "https://zoom.us@evil.com/",
        "https://user:pass@zoom.us/", "https://zoom.us:8443/", "file:///etc/passwd", "https://169.254.169.254/",
        "http://127.0.0.1:9998/", "https://127.0.0.1:9999/", "gopher://zoom.us/", "//zoom.us/", "", "https://[::1]/",
        "https://zoom.us:port/", "https://[zoom.us/",
    ],
)  # fmt: skip
def test_addresses_of_others_are_refused(url: str) -> None:
    with pytest.raises(BadInput):
        check_address(url, ALLOWED)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.8",
        "192.168.1.1",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
    ],
)
def test_an_allowed_name_that_leads_inside_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers = [(0, 0, 0, "", ("8.8.8.8", 443)), (0, 0, 0, "", (address, 443))]
    monkeypatch.setattr(guarded_download.socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(BadInput, match="not public"):
        download("https://files.zoom.us/x", tmp_path / "x", allowed=["zoom.us"], max_bytes=10)


class _Files(BaseHTTPRequestHandler):
    """Redirects, a file, a file that breaks off, refusals; remembers who sent which token where."""

    seen: list[tuple[str, str | None]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization")))
        what, _, more = self.path.lstrip("/").partition("/")
        if what == "to":
            self.send_response(302)
            self.send_header("Location", more if "://" in more else f"/{more}")
            self.end_headers()
            return
        if what == "status":
            self.send_error(int(more))
            return
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"0123456789" if what == "file" else b"0123")

    def log_message(self, *_: Any) -> None:
        return None


@pytest.fixture
def origin() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    Thread(target=server.serve_forever, daemon=True).start()
    _Files.seen.clear()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_is_fetched_with_its_token_through_redirects(origin: str, tmp_path: Path) -> None:
    got = download(
        f"{origin}/to/to/file/x",
        tmp_path / "x",
        allowed=[origin],
        max_bytes=10,
        headers={"Authorization": "Bearer t"},
    )
    assert (got, (tmp_path / "x").read_bytes()) == (10, b"0123456789")
    assert {token for _, token in _Files.seen} == {"Bearer t"}


def test_a_redirect_elsewhere_is_refused_and_never_asked(origin: str, tmp_path: Path) -> None:
    for onward in ("http://169.254.169.254/latest", "http://localhost:1/", "file:///etc/passwd"):
        with pytest.raises(BadInput, match="no allowed host"):
            download(f"{origin}/to/{onward}", tmp_path / "x", allowed=[origin], max_bytes=10)
    assert not (tmp_path / "x").exists()


def test_another_allowed_host_does_not_see_the_token(origin: str, tmp_path: Path) -> None:
    other = origin.replace("127.0.0.1", "localhost")
    allowed, token = [origin, other], {"Authorization": "Bearer t"}
    download(f"{origin}/to/{other}/file/x", tmp_path / "x", allowed=allowed, max_bytes=10, headers=token)
    assert _Files.seen[-1] == ("/file/x", None)


@pytest.mark.parametrize(
    ("path", "max_bytes", "error"),
    [
        ("file/x", 9, BadInput), ("short/x", 10, Unavailable), ("status/401", 10, Denied), ("status/404", 10, NotFound),
        ("status/503", 10, Unavailable), ("status/418", 10, BadInput), ("to/" * 8 + "file", 10, BadInput),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_said(
    origin: str, tmp_path: Path, path: str, max_bytes: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        download(f"{origin}/{path}", tmp_path / "x", allowed=[origin], max_bytes=max_bytes)


def test_five_minutes_are_the_limit() -> None:
    body = json.dumps({"event": "meeting.started"}).encode()
    for age_s, is_fresh in ((299, True), (-299, True), (301, False), (-301, False)):
        headers = signed(body, at_s=1_000_000)
        if is_fresh:
            assert zoom.accept(headers, body, SECRET, now_s=1_000_000 + age_s).meeting is None
        else:
            with pytest.raises(Denied):
                zoom.accept(headers, body, SECRET, now_s=1_000_000 + age_s)
