"""Recordings and files by fsspec URL: a local folder, a bucket, whatever fsspec opens.

Names are content hashes chosen here, so nothing from outside ever becomes a path.
"""

import contextlib
import hashlib
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import fsspec

from core.errors import BadInput, NotFound, Unavailable

BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """A blob that is safely kept."""

    url: str
    sha256: str
    size_bytes: int
    is_new: bool


class Blobs:
    """A folder of immutable files named by their SHA-256."""

    def __init__(self, base_url: str) -> None:
        try:
            self._fs, root = fsspec.core.url_to_fs(base_url)
        except (ValueError, ImportError) as exc:
            raise BadInput(f"IMP_BLOBS is not a URL that can be opened: {exc}") from exc
        self._root = str(root).rstrip("/")
        self._base_url = base_url.rstrip("/")

    def put(self, chunks: Iterable[bytes], *, suffix: str, max_bytes: int) -> Stored:
        """Keep a stream. The same bytes are kept once; an interrupted upload leaves nothing behind.

        Args:
            chunks: the content in pieces; never held in memory as a whole.
            suffix: file ending with its dot, such as `.mp4`; letters and digits only.
            max_bytes: more than this is refused.

        Raises:
            BadInput: too large.
            Unavailable: the store could not be written.
        """
        digest, size = hashlib.sha256(), 0
        with tempfile.NamedTemporaryFile(prefix="imp-upload-") as spool:
            for chunk in chunks:
                size += len(chunk)
                if size > max_bytes:
                    raise BadInput(f"larger than the limit of {max_bytes / 1024**2:.0f} MiB")
                digest.update(chunk)
                spool.write(chunk)
            spool.flush()
            return self._keep(Path(spool.name), digest.hexdigest(), size, _safe(suffix))

    def put_file(self, path: Path, *, max_bytes: int) -> Stored:
        """Keep a local file; see `put`."""
        return self.put(_read(path), suffix=path.suffix, max_bytes=max_bytes)

    @contextmanager
    def local(self, url: str) -> Iterator[Path]:
        """The blob as a local file for as long as the block runs; a copy when the store is remote."""
        path = self._path(url)
        try:
            if "file" in _protocols(self._fs):
                if not Path(path).exists():
                    raise NotFound(f"the stored file is gone: {url}")
                yield Path(path)
                return
            with tempfile.NamedTemporaryFile(prefix="imp-blob-", suffix=Path(path).suffix) as copy:
                with self._fs.open(path, "rb") as source:
                    shutil.copyfileobj(source, copy, BLOCK)
                copy.flush()
                yield Path(copy.name)
        except FileNotFoundError as exc:
            raise NotFound(f"the stored file is gone: {url}") from exc

    def open(self, url: str) -> IO[bytes]:
        """The blob as a seekable stream of bytes."""
        try:
            stream: IO[bytes] = self._fs.open(self._path(url), "rb")
        except FileNotFoundError as exc:
            raise NotFound(f"the stored file is gone: {url}") from exc
        return stream

    def remove(self, url: str) -> bool:
        """Forget a blob; True when it was there. What is gone already is no error.

        Raises:
            Unavailable: the store could not be written.
        """
        path = self._path(url)
        try:
            if not self._fs.exists(path):
                return False
            self._fs.rm_file(path)
        except FileNotFoundError:
            return False
        except OSError as exc:
            raise Unavailable(f"cannot remove from the blob store {self._base_url}: {exc}") from exc
        return True

    def urls_of(self, sha256: str) -> list[str]:
        """Blobs with exactly these bytes, whatever their ending."""
        if not sha256.isalnum():
            return []
        found = self._fs.glob(f"{self._root}/{sha256[:2]}/{sha256}*")
        return [f"{self._base_url}/{sha256[:2]}/{str(path).rsplit('/', 1)[-1]}" for path in found]

    def check(self) -> None:
        """Write, read and remove a small file; raises what goes wrong as `Unavailable`."""
        path = f"{self._root}/.check"
        try:
            self._fs.makedirs(self._root, exist_ok=True)
            self._fs.pipe_file(path, b"ok")
            self._fs.rm_file(path)
        except OSError as exc:
            raise Unavailable(f"cannot write to the blob store {self._base_url}: {exc}") from exc

    def _keep(self, spool: Path, sha256: str, size: int, suffix: str) -> Stored:
        name = f"{sha256[:2]}/{sha256}{suffix}"
        path, url = f"{self._root}/{name}", f"{self._base_url}/{name}"
        try:
            if self._fs.exists(path) and self._fs.size(path) == size:
                return Stored(url, sha256, size, is_new=False)
            self._fs.makedirs(f"{self._root}/{sha256[:2]}", exist_ok=True)
            # A name of its own: two uploads of the same bytes at once must not write into each other.
            part = f"{path}.{uuid.uuid4().hex}.part"
            try:
                self._fs.put_file(str(spool), part)
                self._fs.mv(part, path)
            except BaseException:
                self._discard(part)
                raise
        except OSError as exc:
            raise Unavailable(f"cannot write to the blob store {self._base_url}: {exc}") from exc
        return Stored(url, sha256, size, is_new=True)

    def _discard(self, path: str) -> None:
        with contextlib.suppress(OSError):
            if self._fs.exists(path):
                self._fs.rm_file(path)

    def _path(self, url: str) -> str:
        if not url.startswith(self._base_url + "/") or ".." in url:
            raise NotFound(f"not a file of this store: {url}")
        return self._root + url[len(self._base_url) :]


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as source:
        while block := source.read(BLOCK):
            yield block


def _safe(suffix: str) -> str:
    ending = "".join(char for char in suffix.lower() if char.isascii() and char.isalnum())[:8]
    return f".{ending}" if ending else ""


def _protocols(fs: object) -> tuple[str, ...]:
    protocol = getattr(fs, "protocol", ())
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)
