"""A folder as a source: finished files come in once with what lies beside them, a bad one fails alone."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import jobs
from core.errors import NotFound
from core.tables.documents import Source
from tests.workers.recordings.conftest import Studio
from workers import scan_recordings

VTT = b"WEBVTT\n\n00:00:00.500 --> 00:00:02.000\n<v Ann Able>We launch on Monday.</v>\n"
EVENT = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\nBEGIN:VEVENT\nUID:1\nSUMMARY:Platform weekly\n"
    "DTSTART:20261105T093000Z\nDTEND:20261105T100000Z\nEND:VEVENT\nEND:VCALENDAR\n"
)


class Folder:
    def __init__(self, studio: Studio, path: Path, url: str) -> None:
        self.studio, self.path = studio, path
        with studio.context.factory.begin() as session:
            source = Source(name="meetings", kind="recordings", settings={"url": url})
            session.add(source)
            session.flush()
            self.source_id = source.id

    def look(self) -> dict[str, Any]:
        with self.studio.context.factory.begin() as session:
            jobs.enqueue(session, "scan_recordings", str(self.source_id), source_id=self.source_id)
        return self.studio.run("scan_recordings")

    def alerts(self) -> list[str]:
        return [
            row.message
            for row in self.studio.rows("SELECT message FROM alerts WHERE closed_at IS NULL ORDER BY id")
        ]

    def source(self) -> Any:
        return self.studio.rows("SELECT * FROM sources WHERE id = :id", id=self.source_id)[0]


@pytest.fixture
def folder(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(scan_recordings, "SETTLE_S", 0.0)
    path = tmp_path / "meetings"
    path.mkdir()
    return Folder(studio, path, path.as_uri())


@pytest.fixture(scope="module")
def tone(make_sound: Callable[..., Path]) -> Path:
    return make_sound("tone.wav", "-f", "lavfi", "-i", "sine=duration=3")


def test_a_finished_file_comes_in_with_what_lies_beside_it(folder: Folder, tone: Path) -> None:
    shutil.copy(tone, folder.path / "weekly.wav")
    (folder.path / "weekly.vtt").write_bytes(VTT)
    (folder.path / "weekly.ics").write_text(EVENT)
    assert folder.look() == {"n_found": 1, "n_taken": 0, "n_refused": 0, "n_unsettled": 1}
    assert folder.look() == {"n_found": 1, "n_taken": 1, "n_refused": 0, "n_unsettled": 0}
    assert folder.look()["n_taken"] == 0
    [row] = folder.studio.rows("SELECT * FROM recordings")
    assert (row.title, row.source_id, row.file_name) == ("Platform weekly", folder.source_id, "weekly.wav")
    assert row.origin["path"].endswith("/meetings/weekly.wav")
    assert row.transcript_url is not None
    folder.studio.run("transcribe_recording")
    assert folder.studio.segments(row.id)[0][4] == "We launch on Monday."
    assert folder.source().state == "ready"


def test_a_file_still_being_written_waits(folder: Folder, tone: Path) -> None:
    growing = folder.path / "growing.wav"
    growing.write_bytes(tone.read_bytes()[:1000])
    folder.look()
    growing.write_bytes(tone.read_bytes())
    assert folder.look()["n_taken"] == 0
    assert folder.look()["n_taken"] == 1


def test_two_looks_in_one_breath_are_one(folder: Folder, tone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_recordings, "SETTLE_S", 3600.0)
    shutil.copy(tone, folder.path / "a.wav")
    folder.look()
    first = folder.source().cursor["looked_at"]
    folder.look()
    assert folder.source().cursor["looked_at"] == first


def test_one_bad_file_fails_alone_until_it_is_mended(folder: Folder, tone: Path) -> None:
    (folder.path / "broken.mp3").write_bytes(b"no sound in here" * 100)
    shutil.copy(tone, folder.path / "good.wav")
    folder.look()
    assert folder.look() == {"n_found": 2, "n_taken": 1, "n_refused": 1, "n_unsettled": 0}
    [alert] = folder.alerts()
    assert "broken.mp3" in alert
    assert folder.look() == {"n_found": 2, "n_taken": 0, "n_refused": 1, "n_unsettled": 0}
    assert len(folder.studio.rows("SELECT 1 FROM recordings")) == 1
    shutil.copy(tone, folder.path / "broken.mp3")
    os.utime(folder.path / "broken.mp3", (1, 1))
    folder.look()
    folder.look()
    assert folder.alerts() == []
    assert folder.source().cursor["refused"] == {}


def test_an_alert_ends_with_its_file(folder: Folder) -> None:
    (folder.path / "broken.mp3").write_bytes(b"no sound in here" * 100)
    folder.look()
    folder.look()
    assert len(folder.alerts()) == 1
    (folder.path / "broken.mp3").unlink()
    folder.look()
    assert folder.alerts() == []


def test_a_transcript_that_comes_later_is_taken(folder: Folder, tone: Path) -> None:
    shutil.copy(tone, folder.path / "weekly.wav")
    folder.look()
    folder.look()
    (folder.path / "weekly.vtt").write_bytes(VTT)
    assert folder.look()["n_taken"] == 1
    [row] = folder.studio.rows("SELECT transcript_url, origin FROM recordings")
    assert row.transcript_url is not None
    assert row.origin["transcript_name"] == "weekly.vtt"


def test_a_death_before_the_cursor_was_saved_takes_nothing_twice(
    folder: Folder, tone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(tone, folder.path / "weekly.wav")
    folder.look()

    class Killed(BaseException):
        pass

    def dying(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(scan_recordings, "_keep", dying)
        with pytest.raises(Killed):
            folder.look()
    folder.studio.rows("UPDATE jobs SET state = 'failed' WHERE kind = 'scan_recordings' RETURNING id")
    assert folder.look()["n_taken"] == 1
    assert len(folder.studio.rows("SELECT 1 FROM recordings")) == 1
    assert len(folder.studio.rows("SELECT 1 FROM jobs WHERE kind = 'transcribe_recording'")) == 1


def test_a_folder_that_is_gone_is_said_on_the_source(folder: Folder) -> None:
    folder.path.rmdir()
    with pytest.raises(NotFound):
        folder.look()
    assert "there is no folder" in folder.source().error
    folder.path.mkdir()
    folder.look()
    assert folder.source().error is None


def test_uploads_have_no_folder(studio: Studio, tmp_path: Path) -> None:
    uploads = Folder(studio, tmp_path, "")
    studio.rows("UPDATE sources SET settings = '{}' WHERE id = :id RETURNING id", id=uploads.source_id)
    assert "skipped" in uploads.look()


def test_a_bucket_works_like_a_folder(
    studio: Studio, tmp_path: Path, tone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    monkeypatch.setattr(scan_recordings, "SETTLE_S", 0.0)
    store = fsspec.filesystem("memory")
    store.pipe_file("/meetings/2026/weekly.wav", tone.read_bytes())
    store.pipe_file("/meetings/2026/weekly.vtt", VTT)
    bucket = Folder(studio, tmp_path, "memory://meetings")
    try:
        bucket.look()
        assert bucket.look()["n_taken"] == 1
    finally:
        store.rm("/meetings", recursive=True)
    [row] = studio.rows("SELECT file_name, transcript_url FROM recordings")
    assert row.file_name == "weekly.wav"
    assert row.transcript_url is not None
