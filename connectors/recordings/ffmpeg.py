"""Starts ffprobe and ffmpeg on untrusted files: one file in, no network, bounded in time and in output.

Knows no format's meaning and no speech; `probe.py` and `audio.py` give the arguments and read the answer.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.errors import BadInput, NotConfigured

GIB = 1024**3
MAX_STDERR_BYTES = 4_000
# One piece of memory inside ffmpeg: a frame of film needs 100 MB at most, a header that claims gigabytes is a bomb.
MAX_ALLOCATION_BYTES = 256 * 1024**2

# Demuxers that read exactly the one file they are given. Playlists (hls, dash, concat, ffconcat, sdp, …) and
# devices (lavfi, alsa, …) are left out on purpose: they open other files or addresses named inside the file.
SINGLE_FILE_FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,"
    "mp3,mpeg,mpegts,mxf,ogg,w64,wav,wv"
)


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """How much of a recording is taken on.

    `probe_timeout_s` bounds each ffprobe call; `stall_timeout_s` is how long ffmpeg may stay silent while we
    wait for sound (the consumer may be as slow as it likes), `max_decode_s` how long we wait for all of it: six
    hours decode in a minute or two.
    """

    max_bytes: int = 5 * GIB
    max_duration_s: float = 6 * 3600.0
    probe_timeout_s: float = 60.0
    stall_timeout_s: float = 60.0
    max_decode_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """`stdout` is cut at the end that was asked for, `complaint` is the last of stderr."""

    returncode: int
    stdout: bytes
    complaint: str


def tool_path(name: str) -> str:
    """Where `ffmpeg` or `ffprobe` is installed; NotConfigured when it is not."""
    found = shutil.which(name)
    if found is None:
        raise NotConfigured(f"{name} is not installed: apt-get install ffmpeg")
    return found


def input_arguments(path: Path) -> list[str]:
    """The guarded `-i` of an untrusted file; `file:` keeps odd names (`-x`, `concat:a|b`) plain names."""
    return [
        "-max_alloc",
        str(MAX_ALLOCATION_BYTES),
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        SINGLE_FILE_FORMATS,
        "-i",
        f"file:{path.absolute()}",
    ]


def run_tool(
    arguments: Sequence[str], *, what: str, timeout_s: float, keep_last_bytes: int = 4_000_000
) -> ToolAnswer:
    """Run to the end or kill after `timeout_s`.

    Output goes through temporary files, so that a chatty tool costs disk, not memory.

    Raises:
        BadInput: it took longer than `timeout_s`; `what` names the file for people.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            done = subprocess.run(
                arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired as exc:
            raise BadInput(f"{what}: reading its structure took longer than {timeout_s:.0f} s") from exc
        complaint = _tail(err, MAX_STDERR_BYTES).decode("utf-8", "replace").strip()
        return ToolAnswer(done.returncode, _tail(out, keep_last_bytes), complaint)


def _tail(file: IO[bytes], n_bytes: int) -> bytes:
    size = file.seek(0, 2)
    file.seek(max(0, size - n_bytes))
    return file.read()
