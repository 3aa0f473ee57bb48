"""Blobs: kept once by content, whole or not at all, and never outside their folder."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from core import blobs
from core.blobs import Blobs
from core.errors import BadInput, NotFound, Unavailable

CONTENT = b"good morning everybody"


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Blobs]:
    """A local folder, and a store that is remote as far as `Blobs` can tell."""
    yield Blobs((tmp_path / "blobs").as_uri() if request.param == "file" else "memory://blobs")
    memory = fsspec.filesystem("memory")
    if memory.exists("/blobs"):
        memory.rm("/blobs", recursive=True)


def test_bytes_come_back_as_they_went_in(store: Blobs) -> None:
    stored = store.put([CONTENT[:5], CONTENT[5:]], suffix=".WAV", max_bytes=100)
    assert stored.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert (stored.size_bytes, stored.is_new) == (len(CONTENT), True)
    assert stored.url.endswith(f"/{stored.sha256[:2]}/{stored.sha256}.wav")
    with store.open(stored.url) as stream:
        stream.seek(5)
        assert stream.read() == CONTENT[5:]
    with store.local(stored.url) as path:
        assert path.read_bytes() == CONTENT
        assert path.suffix == ".wav"


def test_the_same_bytes_are_kept_once(store: Blobs) -> None:
    first = store.put([CONTENT], suffix=".wav", max_bytes=100)
    second = store.put([CONTENT], suffix=".wav", max_bytes=100)
    assert (second.url, second.is_new) == (first.url, False)


def test_a_limit_is_a_limit(store: Blobs) -> None:
    with pytest.raises(BadInput, match="limit"):
        store.put((b"x" * 10 for _ in range(1000)), suffix="", max_bytes=55)
    assert store.put([b"x" * 55], suffix="", max_bytes=55).size_bytes == 55


def test_an_interrupted_upload_leaves_nothing(tmp_path: Path) -> None:
    def cut() -> Iterator[bytes]:
        yield CONTENT
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        Blobs(str(tmp_path / "blobs")).put(cut(), suffix=".wav", max_bytes=100)
    assert not list(tmp_path.rglob("*.*"))


def test_a_write_that_breaks_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Blobs(str(tmp_path / "blobs"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store._fs, "mv", full)
    with pytest.raises(Unavailable, match="No space left"):
        store.put([CONTENT], suffix=".wav", max_bytes=100)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    monkeypatch.undo()
    assert store.put([CONTENT], suffix=".wav", max_bytes=100).is_new


def test_two_uploads_of_the_same_bytes_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, both = Blobs(str(tmp_path / "blobs")), threading.Barrier(2, timeout=10)
    move, failures = store._fs.mv, []

    def together(*arguments: str) -> None:
        both.wait()
        move(*arguments)

    monkeypatch.setattr(store._fs, "mv", together)

    def upload() -> None:
        try:
            store.put([CONTENT], suffix=".wav", max_bytes=100)
        except Exception as exc:
            failures.append(exc)

    threads = [threading.Thread(target=upload) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []
    [kept] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept.read_bytes() == CONTENT


def test_half_a_blob_of_a_dead_process_is_written_again(tmp_path: Path) -> None:
    store = Blobs(str(tmp_path / "blobs"))
    stored = store.put([CONTENT], suffix=".wav", max_bytes=100)
    with store.local(stored.url) as path:
        path.write_bytes(CONTENT[:4])
    assert store.put([CONTENT], suffix=".wav", max_bytes=100).is_new
    with store.open(stored.url) as stream:
        assert stream.read() == CONTENT


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "{base}/../secret", "{base}/aa/../../secret", "{base}", ""]
)
def test_nothing_outside_the_store_is_opened(tmp_path: Path, url: str) -> None:
    (tmp_path / "secret").write_text("secret")
    base = (tmp_path / "blobs").as_uri()
    store = Blobs(base)
    for opening in (store.open, lambda given: store.local(given).__enter__()):
        with pytest.raises(NotFound):
            opening(url.replace("{base}", base))


def test_a_blob_that_is_gone_is_said(store: Blobs) -> None:
    stored = store.put([CONTENT], suffix=".wav", max_bytes=100)
    gone = stored.url.replace(stored.sha256, "0" * 64)
    with pytest.raises(NotFound, match="gone"):
        store.open(gone)
    with pytest.raises(NotFound, match="gone"), store.local(gone):
        pass


@pytest.mark.parametrize(("suffix", "kept"), [(".MP4", ".mp4"), ("/../../x", ".x"), ("", ""), (".ü", ""), ("." + "a" * 99, ".aaaaaaaa")])  # fmt: skip
def test_a_suffix_is_only_letters(suffix: str, kept: str) -> None:
    assert blobs._safe(suffix) == kept


def test_a_store_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    Blobs(str(tmp_path / "blobs")).check()
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(Unavailable, match="cannot write"):
        Blobs(str(tmp_path / "file" / "blobs")).check()
    with pytest.raises(BadInput, match="IMP_BLOBS"):
        Blobs("nosuchscheme://x")
