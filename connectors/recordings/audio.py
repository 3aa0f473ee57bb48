"""Turns a probed media file into 16 kHz mono windows cut where it is quiet, never holding more than one window.

Knows no speech engine; `channels.py` says whether channels are to be read one by one.
"""

import select
import subprocess
import tempfile
import time
import wave
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from connectors.recordings.ffmpeg import MAX_STDERR_BYTES, MediaLimits, input_arguments, tool_path
from core.errors import BadInput

SAMPLE_RATE_HZ = 16_000
BYTES_PER_SAMPLE = 2
READ_BYTES = 1 << 18
# Five minutes: long enough for a batched engine to fill its batch of 30 s chunks, short enough to lose little.
WINDOW_S = 300.0
# How far before its end a window may be cut, and how wide the quiet place is that we look for.
CUT_SEARCH_S = 30.0
QUIET_S = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class AudioWindow:
    """A stretch of one recording.

    `samples` is int16 of shape (n_samples,), mono at 16 kHz; `start_s` is its place in the recording.
    `channel` is None for all channels mixed, else the channel it was read from, counted from 0.
    """

    index: int
    start_s: float
    samples: NDArray[np.int16]
    channel: int | None = None

    @property
    def duration_s(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ

    @property
    def end_s(self) -> float:
        return self.start_s + self.duration_s

    def as_float32(self) -> NDArray[np.float32]:
        """Samples in -1..1, as neural engines want them; shape (n_samples,)."""
        return self.samples.astype(np.float32) / np.float32(32768.0)


def read_windows(
    path: Path,
    *,
    track: int = 0,
    channel: int | None = None,
    window_s: float = WINDOW_S,
    first_window: int = 0,
    limits: MediaLimits = MediaLimits(),
) -> Iterator[AudioWindow]:
    """Decode one audio track, yielding windows of at most `window_s` that join without gap or overlap.

    Each window but the last ends at the quietest 0.3 s of its last 30 s, so that words stay whole. The same file
    and `window_s` give the same windows each time: to resume, ask for `first_window=N`. Skipped windows are decoded
    again (some hundred times faster than real time) but not kept; seeking instead would shift times in VBR files.

    Raises:
        BadInput: undecodable, without sound, stalled, or longer than the limit.
        NotConfigured: ffmpeg is not installed.
    """
    window_samples = max(1, round(window_s * SAMPLE_RATE_HZ))
    pending = np.empty(0, np.int16)
    index, start = 0, 0
    for block in _blocks(path, track=track, channels=[channel], limits=limits):
        pending = np.concatenate([pending, block[:, 0]])
        while len(pending) >= window_samples:
            cut = quietest_cut(pending[:window_samples])
            if index >= first_window:
                yield AudioWindow(index, start / SAMPLE_RATE_HZ, pending[:cut].copy(), channel)
            pending, index, start = pending[cut:], index + 1, start + cut
    if len(pending) and index >= first_window:
        yield AudioWindow(index, start / SAMPLE_RATE_HZ, pending, channel)


def read_channels(
    path: Path,
    *,
    n_channels: int,
    track: int = 0,
    limits: MediaLimits = MediaLimits(),
) -> Iterator[NDArray[np.int16]]:
    """Decode a track into blocks of shape (n_samples, n_channels) at 16 kHz; raises like `read_windows`."""
    yield from _blocks(path, track=track, channels=list(range(n_channels)), limits=limits)


def quietest_cut(samples: NDArray[np.int16]) -> int:
    """Where to cut: the sample in the middle of the quietest 0.3 s of the last 30 s (at most the last half).

    Of equally quiet places the latest wins; a window too short to look into is kept whole.
    """
    hop = int(0.02 * SAMPLE_RATE_HZ)
    searched = min(int(CUT_SEARCH_S * SAMPLE_RATE_HZ), len(samples) // 2)
    n_frames = searched // hop
    n_quiet = int(QUIET_S * SAMPLE_RATE_HZ) // hop
    if n_frames < n_quiet:
        return len(samples)
    tail = samples[len(samples) - n_frames * hop :].astype(np.float64).reshape(n_frames, hop)
    energy = np.convolve((tail**2).mean(axis=1), np.ones(n_quiet), mode="valid")
    quietest = len(energy) - 1 - int(np.argmin(energy[::-1]))
    return len(samples) - n_frames * hop + quietest * hop + n_quiet * hop // 2


def write_wav(
    path: Path,
    target: Path,
    *,
    track: int = 0,
    limits: MediaLimits = MediaLimits(),
) -> float:
    """Normalize a track to a 16 kHz mono 16-bit WAV at `target`; returns its length in seconds."""
    n_samples = 0
    with wave.open(str(target), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(BYTES_PER_SAMPLE)
        wav.setframerate(SAMPLE_RATE_HZ)
        for block in _blocks(path, track=track, channels=[None], limits=limits):
            wav.writeframes(block.astype("<i2").tobytes())
            n_samples += len(block)
    return n_samples / SAMPLE_RATE_HZ


def _blocks(
    path: Path, *, track: int, channels: list[int | None], limits: MediaLimits
) -> Iterator[NDArray[np.int16]]:
    """Blocks of shape (n_samples, len(channels)); the sum of all is checked against the limits."""
    frame_bytes = BYTES_PER_SAMPLE * len(channels)
    most_bytes = int(limits.max_duration_s * SAMPLE_RATE_HZ) * frame_bytes
    n_bytes, rest = 0, b""
    for raw in _decode(path, track=track, channels=channels, limits=limits):
        n_bytes += len(raw)
        if n_bytes > most_bytes:
            raise BadInput(
                f"{path.name}: it plays longer than the limit of {limits.max_duration_s / 3600:.1f} h"
            )
        raw = rest + raw
        whole = len(raw) - len(raw) % frame_bytes
        rest = raw[whole:]
        if whole:
            yield np.frombuffer(raw[:whole], "<i2").astype(np.int16).reshape(-1, len(channels))
    if n_bytes < frame_bytes:
        raise BadInput(f"{path.name}: its audio track holds no sound")


def _decode(path: Path, *, track: int, channels: list[int | None], limits: MediaLimits) -> Iterator[bytes]:
    """Raw little-endian PCM from ffmpeg; the process is killed when it stalls or the reader stops early."""
    with (
        tempfile.TemporaryFile() as complaints,
        _running(_command(path, track, channels), complaints) as ffmpeg,
    ):
        assert ffmpeg.stdout is not None
        waited_s, asked_at = 0.0, time.monotonic()
        while raw := _read(ffmpeg.stdout, path, limits.stall_timeout_s):
            waited_s += time.monotonic() - asked_at
            if waited_s > limits.max_decode_s:
                raise BadInput(
                    f"{path.name}: decoding takes longer than {limits.max_decode_s / 60:.0f} minutes"
                )
            yield raw
            asked_at = time.monotonic()
        returncode = ffmpeg.wait(timeout=limits.stall_timeout_s)
        if returncode != 0:
            raise BadInput(f"{path.name}: cannot be decoded ({_last_complaint(complaints)})")


def _command(path: Path, track: int, channels: list[int | None]) -> list[str]:
    """`aresample` fills gaps and a late start with silence, so that sample times are recording times."""
    sound = f"aresample={SAMPLE_RATE_HZ}:async=1:first_pts=0"
    if channels != [None]:
        wanted = "|".join(f"c{place}=c{channel}" for place, channel in enumerate(channels))
        sound = f"pan={len(channels)}c|{wanted},{sound}"
    return [
        *[tool_path("ffmpeg"), "-nostdin", "-hide_banner", "-loglevel", "error"],
        *input_arguments(path),
        *["-map", f"0:a:{track}", "-vn", "-sn", "-dn", "-af", sound],
        *["-ac", str(len(channels)), "-f", "s16le", "-"],
    ]


@contextmanager
def _running(command: list[str], complaints: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, bufsize=0
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _read(stdout: IO[bytes], path: Path, stall_timeout_s: float) -> bytes:
    ready, _, _ = select.select([stdout], [], [], stall_timeout_s)
    if not ready:
        raise BadInput(f"{path.name}: decoding stood still for {stall_timeout_s:.0f} s and was stopped")
    return stdout.read(READ_BYTES)


def _last_complaint(complaints: IO[bytes]) -> str:
    size = complaints.seek(0, 2)
    complaints.seek(max(0, size - MAX_STDERR_BYTES))
    lines = deque(complaints.read().decode("utf-8", "replace").strip().splitlines(), maxlen=1)
    return lines[0].rpartition(": ")[2][:200] if lines else "no reason given"
