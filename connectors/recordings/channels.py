"""Listens to a recording once: how long and loud it is, and whether each channel is one person's microphone.

Knows levels only, no words and no engine.
"""

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectors.recordings.audio import SAMPLE_RATE_HZ, read_channels
from connectors.recordings.ffmpeg import MediaLimits
from connectors.recordings.probe import AudioTrack
from core.errors import BadInput

logger = logging.getLogger(__name__)

FRAME_SAMPLES = int(0.02 * SAMPLE_RATE_HZ)
# Below this a frame is silence: a 16-bit recording's own noise lies near -90 dBFS, whispering above -60.
SILENCE_DBFS = -65.0
# Sound that lasts less than this in a whole recording is a click, not speech.
LEAST_SOUND_S = 0.3
# Channels count as two people's microphones when their waves hardly agree and most sounding frames belong
# clearly (10 dB) to one side, each side having its share. A room in stereo stays far below that.
MOST_CORRELATION = 0.3
CLEAR_DIFFERENCE_DB = 10.0
LEAST_ONE_SIDED = 0.6
LEAST_SHARE_OF_SIDE = 0.05


@dataclass(frozen=True, slots=True)
class SoundFacts:
    """`peak_dbfs` is at most 0; `sound_s` is the time above silence; `correlation` is -1..1 (None for mono)."""

    duration_s: float
    peak_dbfs: float
    sound_s: float
    correlation: float | None = None
    one_person_per_channel: bool = False


def listen(
    path: Path,
    track: AudioTrack,
    *,
    limits: MediaLimits = MediaLimits(),
) -> SoundFacts:
    """Decode the track once and measure it; only stereo is compared channel by channel.

    Raises:
        BadInput: the recording is silent ("no speech"), or cannot be decoded.
    """
    n_channels = 2 if track.channels == 2 else 1
    facts = measure(read_channels(path, n_channels=n_channels, track=track.index, limits=limits))
    if facts.sound_s < LEAST_SOUND_S:
        raise BadInput(
            f"{path.name}: no speech: the recording is silent ({facts.sound_s:.1f} s of sound, peak {facts.peak_dbfs:.0f} dBFS)"
        )
    logger.info("recording_listened", extra={"duration_s": facts.duration_s, "sound_s": facts.sound_s})
    return facts


def channels_to_read(facts: SoundFacts) -> tuple[int | None, ...]:
    """(None,) to read all channels mixed, (0, 1) when each is one person and gets a pass of its own."""
    return (0, 1) if facts.one_person_per_channel else (None,)


def measure(blocks: Iterable[NDArray[np.int16]]) -> SoundFacts:
    """Levels over blocks of shape (n_samples, n_channels) at 16 kHz, n_channels being 1 or 2."""
    n_samples, peak = 0, 0
    products = np.zeros((2, 2))
    levels: list[NDArray[np.float64]] = []
    rest: NDArray[np.float64] | None = None
    for block in blocks:
        wave = block.astype(np.float64) / 32768.0
        n_samples += len(block)
        peak = max(peak, int(np.abs(block.astype(np.int32)).max(initial=0)))
        if wave.shape[1] == 2:
            products += wave.T @ wave
        unframed = wave if rest is None else np.concatenate([rest, wave])
        levels.append(_frame_levels(unframed))
        rest = unframed[len(unframed) - len(unframed) % FRAME_SAMPLES :]
    level = np.concatenate(levels) if levels else np.empty((0, 1))
    sounding = level.max(axis=1, initial=-200.0) > SILENCE_DBFS
    correlation = _correlation(products) if level.shape[1] == 2 else None
    return SoundFacts(
        duration_s=n_samples / SAMPLE_RATE_HZ,
        peak_dbfs=20 * math.log10(peak / 32768) if peak else -math.inf,
        sound_s=float(sounding.sum() * FRAME_SAMPLES / SAMPLE_RATE_HZ),
        correlation=correlation,
        one_person_per_channel=correlation is not None and _are_apart(level[sounding], correlation),
    )


def _frame_levels(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """Level of each 20 ms in dBFS, shape (n_frames, n_channels); what is left over is dropped.

    The mean is taken off first, or a microphone's constant offset would count as sound.
    """
    n_frames = len(wave) // FRAME_SAMPLES
    frames = wave[: n_frames * FRAME_SAMPLES].reshape(n_frames, FRAME_SAMPLES, wave.shape[1])
    power = frames.var(axis=1)
    levels: NDArray[np.float64] = 10 * np.log10(np.maximum(power, 1e-20))
    return levels


def _correlation(products: NDArray[np.float64]) -> float:
    """Pearson's r of two zero-mean channels; 0 where one of them is all silence."""
    scale = math.sqrt(products[0, 0] * products[1, 1])
    return float(products[0, 1] / scale) if scale > 0 else 0.0


def _are_apart(level: NDArray[np.float64], correlation: float) -> bool:
    if len(level) == 0 or abs(correlation) > MOST_CORRELATION:
        return False
    difference = level[:, 0] - level[:, 1]
    left = float((difference > CLEAR_DIFFERENCE_DB).mean())
    right = float((difference < -CLEAR_DIFFERENCE_DB).mean())
    return left + right >= LEAST_ONE_SIDED and min(left, right) >= LEAST_SHARE_OF_SIDE
