"""Speaks held-out lines to a tiny Whisper through faster-whisper and prints its word error rates.

With `--clips DIR` it also writes the spoken clips that the tests read; it trains nothing.
Run: `python tests/data/measure_tiny_whisper.py tests/data/tiny_whisper --lines 200`.
"""

import argparse
import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel
from tiny_whisper_sentences import normalized, sentence, word_errors, word_salad
from tiny_whisper_voices import SAMPLE_RATE, Voice, is_held_out, random_voice, waveform

Reader = Callable[[np.ndarray], str]


def readers(model: WhisperModel) -> dict[str, Reader]:
    """The four roads through faster-whisper, each from samples to text."""
    batched = BatchedInferencePipeline(model)
    roads: dict[str, Callable[..., tuple]] = {
        "plain": lambda audio: model.transcribe(audio, language="en"),
        "vad": lambda audio: model.transcribe(audio, language="en", vad_filter=True),
        "word times": lambda audio: model.transcribe(audio, language="en", word_timestamps=True),
        "batched": lambda audio: batched.transcribe(audio, language="en", batch_size=4),
    }
    return {name: lambda audio, road=road: text_of(road(audio)[0]) for name, road in roads.items()}


def text_of(segments: object) -> str:
    return " ".join(segment.text.strip() for segment in segments)


def held_out(make: Callable[[], str], n_lines: int) -> list[str]:
    """Lines that training leaves out, in the order made."""
    lines: list[str] = []
    while len(lines) < n_lines:
        line = make()
        if is_held_out(line) and line not in lines:
            lines.append(line)
    return lines


def spoken(lines: list[str], rng: random.Random, voices: Callable[[], Voice]) -> np.ndarray:
    """The lines one after the other with pauses of 0.4 to 1.8 s, each by a voice of its own."""
    parts = [np.zeros(SAMPLE_RATE // 3, np.float32)]
    for line in lines:
        parts += [waveform(line, voices()), np.zeros(int(SAMPLE_RATE * rng.uniform(0.4, 1.8)), np.float32)]
    return np.concatenate(parts)


def rate(pairs: list[tuple[str, str]]) -> float:
    """Word errors over words wanted, of (wanted, heard) texts."""
    wanted = sum(len(normalized(text)) for text, _ in pairs)
    return sum(word_errors(text, heard) for text, heard in pairs) / wanted


def measure(model: WhisperModel, n_lines: int, seed: int) -> None:
    rng = random.Random(seed)
    grammar = held_out(lambda: sentence(rng), n_lines)
    salad = held_out(lambda: word_salad(rng, rng.randint(3, 6)), n_lines // 2)
    meetings = [grammar[start : start + 15] for start in range(0, n_lines - 14, 15)]
    sets = {
        "grammar lines": [[line] for line in grammar],
        "random words": [[line] for line in salad],
        "meetings of 15 lines": meetings,
    }
    for name, texts in sets.items():
        clips = [(" ".join(lines), spoken(lines, rng, lambda: random_voice(rng))) for lines in texts]
        length_s = sum(len(audio) for _, audio in clips) / SAMPLE_RATE / len(clips)
        for road, read in readers(model).items():
            errors = rate([(text, read(audio)) for text, audio in clips])
            print(
                f"{name:22} {length_s:5.1f} s each, {len(clips):3} clips, {road:10} WER {errors:.3f}",
                flush=True,
            )


CLIPS = {
    "decisions": ["decision", "decision", "status"],
    "actions": ["action", "action", "action", "small"],
    "questions": ["question", "question", "question"],
    "meeting": [*["status", "decision", "action", "question"] * 3, "action", "small"],
}
CLIP_VOICES = [
    Voice("espeak-ng", "en-us", 1.0, 50),
    Voice("flite", "slt", 1.0, 0),
    Voice("espeak-ng", "en-gb", 0.95, 45),
    Voice("flite", "rms", 1.0, 0),
]


def write_clips(folder: Path, seed: int) -> None:
    """Speaks four clips of held-out lines to Ogg Opus, and their texts to `texts.json`."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {}
    for name, kinds in CLIPS.items():
        lines = [held_out(lambda kind=kind: sentence(rng, kind), 1)[0] for kind in kinds]
        voices = [rng.choice(CLIP_VOICES)] if name != "meeting" else CLIP_VOICES
        samples = spoken(lines, rng, lambda voices=voices: rng.choice(voices))
        raw = ["-f", "f32le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", "-"]
        opus = ["-c:a", "libopus", "-b:a", "13k", "-fflags", "+bitexact", str(folder / f"{name}.ogg")]
        subprocess.run(["ffmpeg", "-y", "-v", "error", *raw, *opus], input=samples.tobytes(), check=True)
        texts[f"{name}.ogg"] = lines
    (folder / "texts.json").write_text(json.dumps(texts, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--lines", type=int, default=200)
    parser.add_argument("--clips", type=Path, help="folder to write the test clips to")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    if options.clips:
        write_clips(options.clips, options.seed)
    measure(
        WhisperModel(str(options.model), device="cpu", compute_type="int8", cpu_threads=1),
        options.lines,
        options.seed,
    )


if __name__ == "__main__":
    main()
