"""What a whole transcription job costs over bare faster-whisper with the same model and options, run by turns.

    python -m benchmarks.speech_overhead --minutes 10 --pairs 5
    python -m benchmarks.speech_overhead --model /models/large-v3

The job is the product's own: probing, listening for levels, windows cut at silence, guards, word times, every window
saved in Postgres. Bare is one call of BatchedInferencePipeline.transcribe over the file, with VAD. Both hear the same
sound: the clips that the tests' tiny Whisper reads, over and over. Each pair is run in the other order than the last;
what counts is the median over the pairs of their ratio, of processor time (this process and ffmpeg) and of wall time.
"""

import argparse
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.in_process import compute_as_a_worker, run_waiting, temporary_context
from benchmarks.report import Figure, add_out, finish

ROOT = Path(__file__).resolve().parents[1]
TINY = ROOT / "tests" / "data" / "tiny_whisper"
CLIPS = ROOT / "tests" / "data" / "tiny_whisper_speech"
MOST_OVERHEAD = 0.05


def make_sound(folder: Path, minutes: float) -> Path:
    """The clips one after the other until `minutes` are full, as a 16 kHz FLAC."""
    parts = sorted(CLIPS.glob("*.ogg"))
    listed, target = folder / "clips.txt", folder / "meeting.flac"
    listed.write_text("".join(f"file '{part}'\n" for part in parts * (int(minutes * 60 / 40) + 2)))
    command = ["ffmpeg", "-v", "error", "-y", "-f", "concat", "-safe", "0", "-i", str(listed)]
    subprocess.run([*command, "-t", str(minutes * 60), "-ar", "16000", "-ac", "1", str(target)], check=True)
    return target


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """(processor seconds of this process and its children, wall seconds)."""
    before, started = _processor_s(), time.perf_counter()
    work()
    return _processor_s() - before, time.perf_counter() - started


def _processor_s() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def measure(options: argparse.Namespace) -> list[Figure]:
    """Pairs of the two roads over one loaded model, so that neither pays for loading."""
    from faster_whisper import BatchedInferencePipeline

    from connectors.recordings.transcribers.whisper import BEAM_SIZE, VAD
    from workers.add_recording import LocalRecording, add_local

    with (
        tempfile.TemporaryDirectory() as name,
        temporary_context(
            imp_transcriber=f"faster-whisper:{options.model}", imp_window_s=options.window_s
        ) as context,
    ):
        sound = make_sound(Path(name), options.minutes)
        engine: Any = context.transcriber
        bare = BatchedInferencePipeline(model=engine._model)
        added = add_local(context, LocalRecording(sound, title="meeting"))  # no word of it is a hotword

        def job() -> None:
            from sqlalchemy import text

            with context.factory.begin() as session:
                session.execute(text("DELETE FROM jobs"))
                from core import jobs

                jobs.enqueue(
                    session, "transcribe_recording", str(added.recording_id), recording_id=added.recording_id
                )
            assert run_waiting(context, "transcribe_recording") == 1

        def plain() -> None:
            segments, _ = bare.transcribe(
                str(sound), beam_size=BEAM_SIZE, batch_size=engine.batch_size, word_timestamps=True,
                vad_filter=True, vad_parameters={"min_silence_duration_ms": VAD.min_silence_duration_ms},
            )  # fmt: skip
            list(segments)

        timed(job), timed(plain)  # both once for nothing: caches, lazily made parts
        pairs = []
        for number in range(options.pairs):
            order = (job, plain) if number % 2 == 0 else (plain, job)
            spent = {work: timed(work) for work in order}
            pairs.append((spent[job], spent[plain]))
    return figures(pairs, options)


def figures(
    pairs: list[tuple[tuple[float, float], tuple[float, float]]], options: argparse.Namespace
) -> list[Figure]:
    made = []
    for place, what in enumerate(("processor time", "wall time")):
        ratios = [ours[place] / bare[place] for ours, bare in pairs]
        made.append(
            Figure(
                f"job ÷ bare, {what}",
                statistics.median(ratios),
                "",
                f"{min(ratios):.2f}–{max(ratios):.2f}, n={len(pairs)}, aim {1 + MOST_OVERHEAD}",
            )
        )
        bare_s = statistics.median(bare[place] for _, bare in pairs)
        made.append(Figure(f"bare, {what} ÷ length of the sound", bare_s / (options.minutes * 60), ""))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speech_overhead", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--model", default=str(TINY), help="a CTranslate2 Whisper; default: the tests' tiny one"
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the sound")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--window-s", type=float, default=120.0, help="IMP_WINDOW_S")
    add_out(parser)
    options = parser.parse_args()
    compute_as_a_worker()
    finish("Overhead of a transcription job over bare faster-whisper", measure(options), options)


if __name__ == "__main__":
    main()
