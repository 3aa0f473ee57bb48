"""Sounds made on the spot by ffmpeg and espeak-ng, and word error rate."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

MakeSound = Callable[..., Path]


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    found = shutil.which("ffmpeg")
    if found is None:
        pytest.skip("ffmpeg is not installed")
    return found


@pytest.fixture
def make_sound(ffmpeg: str, tmp_path: Path) -> MakeSound:
    """`make_sound("a.mp3", "sine=frequency=300:duration=5", *options)` writes one lavfi source to a file."""

    def make(name: str, source: str, *options: str) -> Path:
        target = tmp_path / name
        subprocess.run(
            [ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", source, *options, str(target)], check=True
        )
        return target

    return make


@pytest.fixture
def speak(ffmpeg: str, tmp_path: Path) -> MakeSound:
    """`speak("a.wav", "Hello.")` says a text in a synthetic voice."""
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("espeak-ng is not installed")

    def make(name: str, text: str, voice: str = "en-us") -> Path:
        target = tmp_path / name
        subprocess.run([program, "-v", voice, "-w", str(target), text], check=True, capture_output=True)
        return target

    return make
