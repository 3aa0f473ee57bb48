"""Peak memory of hearing one long recording: this process and ffmpeg, at growing lengths.

    python -m benchmarks.speech_memory --hours 0.5 2 6
    python -m benchmarks.speech_memory --hours 6 --model /models/large-v3

A recording of each length is made of the clips of the tests. A process of its own does for it what the
transcription job does (probing, levels of both channels, windows, voice activity, decoding) and keeps only what the
job keeps. Bounded means: the peak does not grow with the length. `--no-words` leaves the speech model's decoding out,
since that takes hours; the model is loaded all the same.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.report import Figure, add_out, finish
from benchmarks.speech_overhead import CLIPS, TINY

BUDGET_MB = 1_500


def hear(path: Path, model: str, *, with_words: bool) -> tuple[int, int]:
    """(windows, utterances) of a recording, heard as the job does; nothing is kept but counts."""
    from connectors.recordings.audio import read_windows
    from connectors.recordings.channels import listen
    from connectors.recordings.probe import probe
    from connectors.recordings.transcribers.whisper import FasterWhisper, speech_spans

    facts = probe(path)
    listen(path, facts.audio_tracks[0])
    engine = FasterWhisper(model, device="cpu")
    windows = read_windows(path, window_s=120.0)
    if not with_words:
        n_spans = [len(speech_spans(window.as_float32())) for window in windows]
        return len(n_spans), sum(n_spans)
    counts = [len(result.utterances) for result in engine.transcribe(windows)]
    return len(counts), sum(counts)


def join_clips(folder: Path, minutes: float) -> Path:
    """The clips of the tests one after the other, as they are: six hours in a second, less the two that the limit cuts."""
    parts = sorted(CLIPS.glob("*.ogg"))
    listed, target = folder / "clips.txt", folder / "meeting.ogg"
    listed.write_text("".join(f"file '{part}'\n" for part in parts * (int(minutes * 60 / 40) + 2)))
    command = ["ffmpeg", "-v", "error", "-y", "-f", "concat", "-safe", "0", "-i", str(listed)]
    subprocess.run([*command, "-t", str(minutes * 60 - 2), "-c", "copy", str(target)], check=True)
    return target


def peak_mb(path: Path, model: str, *, with_words: bool) -> tuple[float, float, str]:
    """(peak of the process, peak of its largest child, what was heard), measured by the process itself."""
    words = ["--words"] if with_words else []
    command = [
        sys.executable,
        "-m",
        "benchmarks.speech_memory",
        "--hear",
        str(path),
        "--model",
        model,
        *words,
    ]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return (
        float(said[0]),
        float(said[1]),
        f"{said[2]} windows, {said[3]} {'utterances' if with_words else 'spans'}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speech_memory", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--hours", type=float, nargs="+", default=[0.5, 2.0, 6.0])
    parser.add_argument("--model", default=str(TINY))
    parser.add_argument("--no-words", action="store_true")
    parser.add_argument("--hear", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--words", action="store_true", help=argparse.SUPPRESS)
    add_out(parser)
    options = parser.parse_args()
    if options.hear:
        counts = hear(options.hear, options.model, with_words=options.words)
        own, child = (
            resource.getrusage(who).ru_maxrss * 1.024 / 1000
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        print(own, child, *counts)
        return
    figures = []
    with tempfile.TemporaryDirectory() as name:
        for hours in options.hours:
            sound = join_clips(Path(name), hours * 60)
            own, child, heard = peak_mb(sound, options.model, with_words=not options.no_words)
            figures.append(
                Figure(
                    f"peak at {hours:g} h",
                    own,
                    "MB",
                    f"and ffmpeg {child:.0f} MB; {heard}; budget {BUDGET_MB:,} MB + model",
                )
            )
    figures.append(Figure("growth, longest ÷ shortest", figures[-1].value / figures[0].value, ""))
    finish("Memory of a long recording", figures, options)


if __name__ == "__main__":
    main()
