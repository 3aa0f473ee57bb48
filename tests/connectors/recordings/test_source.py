import os
import uuid
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest

from connectors.recordings import source
from connectors.recordings.source import fingerprints, scan, settled
from core.errors import BadInput, Denied, NotConfigured, NotFound, Unavailable


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in [
        "b/talk.mp4",
        "b/talk.vtt",
        "b/talk.ics",
        "a.MP3",
        "notes.txt",
        "half.mp4.part",
        ".hidden.wav",
        "~lock.wav",
    ]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * 10)
    return tmp_path


def test_finds_media_with_what_belongs_to_it(folder):
    os.utime(folder / "a.MP3", (1_700_000_000, 1_700_000_000))
    first, second = scan(str(folder))
    assert (Path(first.path).name, first.size_bytes, first.transcript_path, first.ics_path) == (
        "a.MP3",
        10,
        None,
        None,
    )
    assert first.modified_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert second.path.endswith("b/talk.mp4")
    assert second.transcript_path.endswith("b/talk.vtt") and second.ics_path.endswith("b/talk.ics")
    assert scan(folder.as_uri()) == (first, second)


def test_a_store_that_is_no_disk():
    store, root = fsspec.filesystem("memory"), f"/{uuid.uuid4().hex}"
    for name in (
        "GMT20240115-100512_Recording_1920x1080.mp4",
        "GMT20240115-100512_Recording.m4a",
        "GMT20240115-100512_Recording.transcript.vtt",
        "GMT20240116-100512_Recording.m4a",
    ):
        store.pipe(f"{root}/{name}", b"x")
    film, sound = scan(f"memory:/{root}")
    assert film.path.endswith("1920x1080.mp4") and film.transcript_path.endswith(".transcript.vtt")
    assert sound.path.endswith("GMT20240116-100512_Recording.m4a") and sound.transcript_path is None


def test_half_written_files_wait(folder):
    growing, empty = folder / "growing.wav", folder / "empty.wav"
    growing.write_bytes(b"x" * 5)
    empty.touch()
    seen = fingerprints(scan(str(folder)))
    assert settled(scan(str(folder)), {}) == ()
    growing.write_bytes(b"x" * 9)
    now = scan(str(folder))
    assert [Path(one.path).name for one in settled(now, seen)] == ["a.MP3", "talk.mp4"]
    later = settled(scan(str(folder)), fingerprints(now))
    assert [Path(one.path).name for one in later] == ["a.MP3", "talk.mp4", "growing.wav"]


def test_same_size_with_another_time_has_changed(folder):
    seen = fingerprints(scan(str(folder)))
    os.utime(folder / "a.MP3", (1, 1))
    assert [Path(one.path).name for one in settled(scan(str(folder)), seen)] == ["talk.mp4"]


@pytest.mark.parametrize(
    ("url", "error"),
    [("nope://x", NotConfigured), ("/no/such/folder", NotFound), ("memory://none", NotFound)],
)
def test_addresses_that_lead_nowhere(url, error):
    with pytest.raises(error):
        scan(url)


class NoCredentialsError(Exception):
    """Named as botocore names it; it is no OSError."""


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (PermissionError("no"), Denied),
        (NoCredentialsError(), Denied),
        (ConnectionResetError(), Unavailable),
        (RuntimeError(), Unavailable),
    ],
)
def test_faults_of_a_store_are_translated(folder, monkeypatch, fault, error):
    def fail(*_, **__):
        raise fault

    monkeypatch.setattr(fsspec.implementations.local.LocalFileSystem, "find", fail)
    with pytest.raises(error):
        scan(str(folder))


def test_a_folder_of_everything_is_refused(folder, monkeypatch):
    monkeypatch.setattr(source, "MOST_FILES", 3)
    with pytest.raises(BadInput, match="narrower"):
        scan(str(folder))
