"""Text out of a file, read in a process of its own that may neither run on, nor eat memory, nor write.

Knows where no file comes from; the readers stand in `extraction_process`, which nothing else imports.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from connectors.files.kinds import text_format
from core.errors import BadInput, Unavailable

ROOT = Path(__file__).resolve().parents[2]
MAX_SECONDS = 60.0
MAX_MEMORY_BYTES = 1536 * 1024**2
MAX_CHARS = 5_000_000


@dataclass(frozen=True, slots=True)
class Extracted:
    """Markdown of a file. `warnings` say what is missing from it."""

    markdown: str
    n_pages: int | None = None
    warnings: tuple[str, ...] = ()


def extract(
    path: Path,
    *,
    file_name: str,
    media_type: str = "",
    max_s: float = MAX_SECONDS,
    max_memory_bytes: int = MAX_MEMORY_BYTES,
    max_chars: int = MAX_CHARS,
) -> Extracted:
    """Read one file.

    Args:
        path: where it lies.
        file_name: what people call it; used in errors, and its ending to choose the reader.
        max_s: seconds of wall clock and of processor time; `max_memory_bytes` of address space.
        max_chars: longer text is cut, with a warning.

    Raises:
        BadInput: names the file and what is wrong: unknown kind, password, damage, too large to read.
        Unavailable: the reading process could not be started.
    """
    kind = text_format(file_name, media_type)
    if kind is None:
        raise BadInput(f"{file_name}: no text can be read from this kind of file ({media_type or 'unknown'})")
    check_readable(file_name, media_type)
    argv = [
        sys.executable, "-m", "connectors.files.extraction_process", kind, str(path), str(int(max_s) + 1),
        str(max_memory_bytes), str(max_chars),
    ]  # fmt: skip
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        ended = subprocess.run(
            argv, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=max_s
        )
    except subprocess.TimeoutExpired as exc:
        raise BadInput(f"{file_name}: reading it took longer than {max_s:.0f} s") from exc
    except OSError as exc:
        raise Unavailable(f"cannot start the process that reads files: {exc}") from exc
    return _answer(ended, file_name)


def check_readable(file_name: str, media_type: str = "", *, has_ocr: bool = True) -> None:
    """Raises BadInput for a picture where its text is not wanted (`has_ocr`) or the program to read it is missing."""
    if text_format(file_name, media_type) != "image":
        return
    if not has_ocr:
        raise BadInput(f"{file_name}: text in pictures is not read (IMP_OCR is off)")
    if shutil.which("tesseract", path=os.defpath) is None:
        raise BadInput(
            f"{file_name}: text in pictures is not read: tesseract is not installed (tesseract-ocr)"
        )


def _answer(ended: subprocess.CompletedProcess[bytes], file_name: str) -> Extracted:
    try:
        answer = json.loads(ended.stdout)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        why = "it used up the memory or time it was given" if ended.returncode else "it gave no text"
        raise BadInput(f"{file_name}: cannot be read: {why}")
    if "error" in answer:
        raise BadInput(f"{file_name}: {answer['error']}")
    return Extracted(str(answer["markdown"]), answer.get("n_pages"), tuple(answer.get("warnings", ())))
