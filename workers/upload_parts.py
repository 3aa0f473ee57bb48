"""Pieces of unfinished uploads, beside the blobs so that every web process and worker finds them; knows no table."""

import contextlib
import shutil
import uuid
from collections.abc import Iterator, Sequence
from typing import IO, Any

import fsspec

from core.errors import NotFound, Unavailable

FOLDER = "uploads"
BLOCK_BYTES = 1024 * 1024


class UploadParts:
    """Pieces by upload, each under a name of its own: two writers never write into each other's."""

    def __init__(self, blobs_url: str) -> None:
        self._store, root = fsspec.core.url_to_fs(blobs_url)
        self._root = f"{str(root).rstrip('/')}/{FOLDER}"

    def write(self, upload_id: str, source: IO[bytes]) -> str:
        """Keep a piece; returns its name. Raises Unavailable."""
        name = uuid.uuid4().hex
        try:
            self._store.makedirs(f"{self._root}/{upload_id}", exist_ok=True)
            with self._open(f"{self._root}/{upload_id}/{name}", "wb") as target:
                shutil.copyfileobj(source, target, BLOCK_BYTES)
        except OSError as exc:
            raise Unavailable(f"the upload cannot be kept: {type(exc).__name__}") from exc
        return name

    def read(self, upload_id: str, names: Sequence[str]) -> Iterator[bytes]:
        """The pieces one after the other, in blocks. Raises NotFound when one is gone."""
        for name in names:
            try:
                with self._open(f"{self._root}/{upload_id}/{name}", "rb") as source:
                    while block := source.read(BLOCK_BYTES):
                        yield block
            except FileNotFoundError as exc:
                raise NotFound("a piece of this upload is gone; send it again") from exc

    def remove(self, upload_id: str, name: str | None = None) -> None:
        """Forget one piece, or all of an upload; what is gone already is no error."""
        path = f"{self._root}/{upload_id}" + (f"/{name}" if name else "")
        with contextlib.suppress(FileNotFoundError):
            self._store.rm(path, recursive=name is None)

    def _open(self, path: str, mode: str) -> Any:
        return self._store.open(path, mode)
