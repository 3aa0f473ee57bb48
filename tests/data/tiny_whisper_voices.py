"""Speaks lines with espeak-ng and flite, many voices and speeds, and keeps their mel energies in a cache folder.

It knows which lines are held out from training, and nothing of the model.
"""

import hashlib
import math
import random
import shutil
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from scipy.signal import resample_poly
from tiny_whisper_sentences import normalized, sentence, word_salad, words
from torch import Tensor
from transformers import WhisperFeatureExtractor

SAMPLE_RATE = 16_000
N_MELS = 80
CACHE = Path(tempfile.gettempdir()) / "tiny_whisper_speech"


@dataclass(frozen=True)
class Voice:
    """One way to speak: the program, its voice, a speed factor (1 is the voice's own) and a pitch (espeak's 0-99)."""

    program: str
    name: str
    speed: float
    pitch: int

    def command(self, text: str, wav: Path) -> list[str]:
        if self.program == "flite":
            stretch = f"duration_stretch={1 / self.speed:.3f}"
            return ["flite", "-voice", self.name, "--setf", stretch, "-t", text, "-o", str(wav)]
        words_per_minute = str(round(165 * self.speed))
        return [
            "espeak-ng",
            "-v",
            self.name,
            "-s",
            words_per_minute,
            "-p",
            str(self.pitch),
            "-w",
            str(wav),
            text,
        ]


@dataclass(frozen=True)
class Spoken:
    """A text and its unnormalised log10 mel energies `(n_frames, 80)`, silence trimmed."""

    text: str
    mel: np.ndarray

    @property
    def n_frames(self) -> int:
        return len(self.mel)


ESPEAK_VOICES = ["en-us", "en-gb", "en-us+f3", "en-us+m3", "en-gb+f2"]
FLITE_VOICES = ["slt", "rms", "awb", "kal16"]


def random_voice(rng: random.Random) -> Voice:
    if shutil.which("flite") and rng.random() < 0.5:
        return Voice("flite", rng.choice(FLITE_VOICES), rng.uniform(0.85, 1.2), 0)
    return Voice("espeak-ng", rng.choice(ESPEAK_VOICES), rng.uniform(0.8, 1.2), rng.randint(35, 65))


def waveform(text: str, voice: Voice) -> np.ndarray:
    """Speaks the text: float32 samples at 16 kHz between -1 and 1, silence at both ends cut to 50 ms."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        subprocess.run(voice.command(text, wav), check=True, capture_output=True)
        with wave.open(str(wav)) as sound:
            rate = sound.getframerate()
            samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16) / 32_768
    divisor = math.gcd(SAMPLE_RATE, rate)
    samples = resample_poly(samples, SAMPLE_RATE // divisor, rate // divisor).astype(np.float32)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    margin = SAMPLE_RATE // 20
    return samples[max(0, loud[0] - margin) : loud[-1] + margin]


@cache
def mel_filters() -> Tensor:
    return torch.tensor(WhisperFeatureExtractor(N_MELS).mel_filters, dtype=torch.float32)


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Whisper's log10 mel energies before its normalisation, `(n_frames, 80)`; 100 frames a second."""
    spectrum = torch.stft(torch.tensor(samples), 400, 160, window=torch.hann_window(400), return_complex=True)
    energies = mel_filters().T @ spectrum[:, :-1].abs().square()
    return energies.clamp(min=1e-10).log10().T.numpy()


def speak(text: str, voice: Voice) -> Spoken:
    """The text spoken, from the cache folder when the same voice has said it before."""
    cached = CACHE / f"{hashlib.sha1(f'{voice}|{text}'.encode()).hexdigest()}.npy"
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        np.save(cached, log_mel(waveform(text, voice)).astype(np.float16))
    return Spoken(text, np.load(cached))


def is_held_out(text: str) -> bool:
    """True for one text in ten; such texts are measured on and never trained on."""
    return len(normalized(text)) > 2 and hashlib.sha1(text.encode()).digest()[0] < 26


def corpus(seed: int, n_words: int, n_salads: int, n_sentences: int) -> list[Spoken]:
    """Single words, random words and grammar lines, each by a random voice; none of a held-out text."""
    rng = random.Random(seed)
    texts = [word[0].upper() + word[1:] + "." for word in rng.choices(words(), k=n_words)]
    texts += [word_salad(rng, rng.randint(2, 6)) for _ in range(n_salads)]
    texts += [sentence(rng) for _ in range(n_sentences)]
    return [speak(text, random_voice(rng)) for text in texts if not is_held_out(text)]
