"""Diarization error of every rung of the ladder that can run, by pyannote.metrics, on clips with speaker turns.

    python -m benchmarks.speech_speakers ../shared/data/audio
    python -m benchmarks.speech_speakers FOLDER --diarizer sherpa:SEGMENTATION.onnx,EMBEDDING.onnx

FOLDER holds `NAME.wav` with `NAME.rttm`. No collar, overlap counted (as dscore does without its options). The rungs:
`tracks`: each speaker's turns cut out into a track of their own and heard by voice activity, the road of Zoom's
separate files (an upper bound: the cutting knows who speaks). `transcript`: the turns as a transcript file with names,
written and read back. `one speaker`: one honest "Speaker ?" wherever voice activity hears somebody. `diarizer`: the
configured model. Words play no part: every rung is asked who speaks when.
"""

import argparse
import tempfile
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Figure, add_out, finish
from connectors.recordings.audio import SAMPLE_RATE_HZ, read_windows
from connectors.recordings.diarizers.protocol import Diarizer
from connectors.recordings.diarizers.select import make_diarizer
from connectors.recordings.speakers import Turn, turns_of
from connectors.recordings.transcribers.whisper import speech_spans
from connectors.recordings.transcript_files.parse import parse

Rung = Callable[[Path, list[Turn]], Iterable[Turn]]


def read_rttm(path: Path) -> list[Turn]:
    """Turns of `SPEAKER file 1 start length <NA> <NA> name …` lines."""
    rows = (line.split() for line in path.read_text().splitlines() if line.startswith("SPEAKER"))
    return sorted(Turn(float(row[3]), float(row[3]) + float(row[4]), row[7]) for row in rows)


def one_speaker(path: Path, _: list[Turn]) -> list[Turn]:
    """Somebody speaks wherever a voice is heard; nobody knows who."""
    return [Turn(start, end, "Speaker ?") for start, end in speech_spans(_samples(path))]


def tracks(path: Path, wanted: list[Turn]) -> list[Turn]:
    """Each person's microphone: silent but for their own turns, and heard by voice activity."""
    samples, found = _samples(path), []
    for speaker in sorted({turn.speaker for turn in wanted}):
        own = np.zeros_like(samples)
        for turn in wanted:
            if turn.speaker == speaker:
                piece = slice(int(turn.start_s * SAMPLE_RATE_HZ), int(turn.end_s * SAMPLE_RATE_HZ))
                own[piece] = samples[piece]
        found += [Turn(start, end, speaker) for start, end in speech_spans(own)]
    return found


def transcript(path: Path, wanted: list[Turn]) -> list[Turn]:
    """The turns as Teams would write them, read back."""
    cues = [
        f"{_clock(turn.start_s)} --> {_clock(turn.end_s)}\n<v {turn.speaker}>Words {number}.</v>\n"
        for number, turn in enumerate(wanted)
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "meeting.vtt"
        file.write_text("WEBVTT\n\n" + "\n".join(cues))
        return list(turns_of(parse(file).utterances))


def error(wanted: Iterable[Turn], found: Iterable[Turn], metric: Any, length_s: float) -> float:
    """Diarization error rate of one clip; `metric` sums up over clips."""
    from pyannote.core import Annotation, Segment, Timeline

    def annotation(turns: Iterable[Turn]) -> Any:
        made = Annotation()
        for number, turn in enumerate(turns):
            made[Segment(turn.start_s, turn.end_s), number] = turn.speaker
        return made

    return float(metric(annotation(wanted), annotation(found), uem=Timeline([Segment(0, length_s)])))


def measure(folder: Path, name: str, rung: Rung) -> list[Figure]:
    from pyannote.metrics.diarization import DiarizationErrorRate

    metric, made = DiarizationErrorRate(collar=0.0, skip_overlap=False), []
    for rttm in sorted(folder.glob("*.rttm")):
        sound = rttm.with_suffix(".wav")
        wanted = read_rttm(rttm)
        share = error(wanted, rung(sound, wanted), metric, len(_samples(sound)) / SAMPLE_RATE_HZ)
        made.append(
            Figure(f"{name}: {rttm.stem}", share, "", f"{len({one.speaker for one in wanted})} speakers")
        )
    return [*made, Figure(f"{name}: all clips", abs(metric), "", f"{len(made)} clips")]


def _samples(path: Path) -> Any:
    return np.concatenate([window.as_float32() for window in read_windows(path)])


def _clock(moment_s: float) -> str:
    return f"{int(moment_s // 3600):02}:{int(moment_s // 60 % 60):02}:{moment_s % 60:06.3f}"


def _by(diarizer: Diarizer) -> Rung:
    return lambda path, _: diarizer.turns(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speech_speakers", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path)
    parser.add_argument("--diarizer", help="as IMP_DIARIZER")
    add_out(parser)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    rungs: dict[str, Rung] = {"transcript": transcript, "tracks": tracks, "one speaker": one_speaker}
    if options.diarizer:
        diarizer = make_diarizer(options.diarizer)
        rungs[diarizer.name] = _by(diarizer)
    figures = [one for name, rung in rungs.items() for one in measure(options.folder, name, rung)]
    finish("Diarization error rate", figures, options)


if __name__ == "__main__":
    main()
