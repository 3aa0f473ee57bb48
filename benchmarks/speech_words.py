"""Word errors and real-time factor of each speech engine on clips that carry a transcript.

    python -m benchmarks.speech_words ../shared/data/audio
    python -m benchmarks.speech_words FOLDER --engine pocketsphinx --engine faster-whisper:/models/large-v3

FOLDER holds `manifest.json`: a list of {"file", "language", "transcript"}. The product's own road is taken: windows cut
at silence, guards, no hotwords. Word error rate is insertions, deletions and substitutions over the words of the
transcript, after case and punctuation are gone and numbers are left as they are written; Japanese counts characters.
An engine is asked only for clips in languages it claims to know. The real-time factor is wall time over length.
"""

import argparse
import json
import logging
import re
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import Figure, add_out, finish
from connectors.recordings.audio import read_windows
from connectors.recordings.transcribers.protocol import Transcriber
from connectors.recordings.transcribers.select import make_transcriber
from core.errors import ImpError

UNSPACED = ("ja", "zh", "th")


def words_of(text: str, language: str) -> list[str]:
    """What is counted: words, or characters where none are written apart."""
    plain = re.sub(r"[^\w\s']|_", " ", text.lower())
    return [char for char in plain if not char.isspace()] if language in UNSPACED else plain.split()


def word_errors(wanted: Sequence[str], found: Sequence[str]) -> int:
    """Levenshtein distance between two sequences."""
    row = list(range(len(found) + 1))
    for place, word in enumerate(wanted, start=1):
        before, row[0] = row[0], place
        for column, other in enumerate(found, start=1):
            change = before + (word != other)
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, change)
    return row[-1]


def measure(folder: Path, engine: Transcriber, languages: Sequence[str]) -> list[Figure]:
    """One figure a clip, then all of them together."""
    made, n_errors, n_words, spent_s, length_s = [], 0, 0, 0.0, 0.0
    for clip in json.loads((folder / "manifest.json").read_text()):
        language = str(clip.get("language") or "")[:2]
        if not clip.get("transcript") or language not in languages:
            continue
        started = time.perf_counter()
        try:
            windows = read_windows(folder / clip["file"])
            heard = " ".join(
                one.text
                for result in engine.transcribe(windows, language=language)
                for one in result.utterances
            )
        except ImpError as exc:
            made.append(Figure(clip["file"], 1.0, "", f"failed: {exc}"))
            continue
        spent_s += time.perf_counter() - started
        length_s += float(clip["duration_s"])
        wanted = words_of(clip["transcript"], language)
        errors = word_errors(wanted, words_of(heard, language))
        n_errors, n_words = n_errors + errors, n_words + len(wanted)
        made.append(
            Figure(clip["file"], errors / len(wanted), "", f"{errors} of {len(wanted)} words, {language}")
        )
    if not n_words:
        raise SystemExit(f"no clip in {', '.join(languages)} with a transcript in {folder}")
    return [
        *made,
        Figure("word error rate, all", n_errors / n_words, "", f"{n_errors} of {n_words} words"),
        Figure("real-time factor", spent_s / length_s, "", f"{length_s:.0f} s of sound"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speech_words", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", action="append", help="as IMP_TRANSCRIBER; default: pocketsphinx")
    parser.add_argument(
        "--languages", default=None, help="comma-separated; default: en for pocketsphinx, else all"
    )
    add_out(parser)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    for spec in options.engine or ["pocketsphinx"]:
        engine = make_transcriber(spec)
        default = "en" if spec == "pocketsphinx" else "en,de,es,fr,ja"
        languages = (options.languages or default).split(",")
        finish(f"Words, {engine.name}", measure(options.folder, engine, languages), options)


if __name__ == "__main__":
    main()
