"""Speak the meeting scripts beside this file into `.ogg` recordings, and write the Teams-style VTT where one ships.

Only needed to make the recordings anew (`apt-get install flite sox ffmpeg`); the demo reads the files it left.
"""

import argparse
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
SAMPLE_RATE = 16_000
PEAK_DB = "-3"
LEAD_IN_S = 0.5


@dataclass(frozen=True, slots=True)
class Voice:
    """A flite voice, its stretch (above 1 is slower) and the sox effects that tell it from its sisters."""

    name: str
    stretch: float
    effects: tuple[str, ...] = ()


# One voice a person in every meeting. For the speakers of the recording that has no transcript, name, stretch and
# pitch are those of which PocketSphinx understood most words (see README.md).
VOICES = {
    "Alice Marlow": Voice("slt", 1.1, ("pitch", "-150")),
    "Ben Okafor": Voice("rms", 1.1),
    "Carla Reyes": Voice("slt", 1.05, ("pitch", "220")),
    "Frank Tanaka": Voice("awb", 1.0),
    "George Hill": Voice("kal16", 1.0),
}


def speak(text: str, voice: Voice, folder: Path) -> bytes:
    """Return `text` spoken, as 16-bit mono samples at `SAMPLE_RATE`, peak at `PEAK_DB`."""
    raw, clean = folder / "raw.wav", folder / "clean.wav"
    stretch = f"duration_stretch={voice.stretch}"
    subprocess.run(["flite", "-voice", voice.name, "--setf", stretch, "-t", text, "-o", raw], check=True)
    shape = ["-r", str(SAMPLE_RATE), "-c", "1", "-b", "16"]
    subprocess.run(["sox", "-V1", raw, *shape, clean, *voice.effects, "gain", "-n", PEAK_DB], check=True)
    with wave.open(str(clean)) as reader:
        return bytes(reader.readframes(reader.getnframes()))


def silence(duration_s: float) -> bytes:
    return bytes(2 * round(duration_s * SAMPLE_RATE))


def speak_meeting(script: dict[str, Any], folder: Path) -> tuple[bytes, list[tuple[float, float]]]:
    """Return the meeting's samples and each utterance's (start, end) in seconds, pauses left out."""
    samples, times = bytearray(silence(LEAD_IN_S)), []
    for utterance in script["utterances"]:
        start_s = len(samples) / 2 / SAMPLE_RATE
        samples += speak(utterance["text"], VOICES[utterance["speaker"]], folder)
        times.append((start_s, len(samples) / 2 / SAMPLE_RATE))
        samples += silence(utterance["pause_s"])
    return bytes(samples), times


def write_ogg(samples: bytes, script: dict[str, Any], target: Path) -> None:
    """Compress to Opus, mono, tagged with title and start as a recorder does; no tag changes from run to run."""
    source = ["-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", "-"]
    opus = ["-c:a", "libopus", "-b:a", "32k", "-ac", "1", "-application", "voip", "-fflags", "+bitexact"]
    tags = ["-metadata", f"title={script['title']}", "-metadata", f"creation_time={script['started_at']}"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *source, *opus, *tags, target], input=samples, check=True)


def timestamp(seconds: float) -> str:
    """Write seconds as `HH:MM:SS.mmm`."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def write_vtt(script: dict[str, Any], times: list[tuple[float, float]], target: Path) -> None:
    """Write one cue an utterance, in the dialect Teams downloads have: `<v Name>text</v>`."""
    cues = [
        f"{timestamp(start_s)} --> {timestamp(end_s)}\n<v {said['speaker']}>{said['text']}</v>\n"
        for said, (start_s, end_s) in zip(script["utterances"], times, strict=True)
    ]
    target.write_text("WEBVTT\n\n" + "\n".join(cues), encoding="utf-8")


def make(script_path: Path) -> None:
    script = yaml.safe_load(script_path.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        samples, times = speak_meeting(script, Path(folder))
    write_ogg(samples, script, script_path.parent / script["audio"])
    if script["transcript"]:
        write_vtt(script, times, script_path.parent / script["transcript"])
    print(f"{script['audio']}: {len(samples) / 2 / SAMPLE_RATE:.0f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scripts", nargs="*", type=Path, default=sorted(FOLDER.glob("*.yaml")))
    for path in parser.parse_args().scripts:
        make(path)
