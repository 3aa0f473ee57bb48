"""The door to transcript files: any supported dialect in, one `Transcript` out, or BadInput and nothing else."""

import json
import logging
import math
import re
import tempfile
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from connectors.files.extract import extract
from connectors.recordings.transcript_files.annotations import read_annotations
from connectors.recordings.transcript_files.cues import Cue, continue_speakers, join_cues
from connectors.recordings.transcript_files.limits import TranscriptLimits, decode_text
from connectors.recordings.transcript_files.spoken_json import read_json
from connectors.recordings.transcript_files.spoken_text import read_spoken_text
from connectors.recordings.transcript_files.subtitles import read_subtitles
from core.errors import BadInput
from core.transcript import Transcript

ZIP = b"PK\x03\x04"
ESTIMATED = {"Meet document": ("Times between the transcript's own (every few minutes) are estimated.",)}
logger = logging.getLogger(__name__)


def parse(
    source: Path | bytes,
    name: str | None = None,
    *,
    limits: TranscriptLimits = TranscriptLimits(),
) -> Transcript:
    """Read a transcript file; its content decides the dialect, never its name.

    Args:
        source: the file, or its bytes.
        name: the file name for messages, and for NXT the speaker's letter; a path's own name by default.
        limits: bounds on bytes and cues.

    Returns:
        Utterances ordered by start, consecutive cues of one speaker joined; `engine` names the dialect.

    Raises:
        BadInput: unreadable, too large, or without a single spoken cue.
    """
    shown = name or (source.name if isinstance(source, Path) else "transcript")
    raw = _read(source, shown, limits) if isinstance(source, Path) else source
    text = _document_text(raw, shown) if raw.startswith(ZIP) else decode_text(raw, name=shown, limits=limits)
    cues, dialect = _cues(text, shown)
    if len(cues) > limits.max_cues:
        raise BadInput(f"{shown}: {len(cues)} cues are over the limit of {limits.max_cues}")
    usable = [_bounded(cue, limits) for cue in cues if _is_usable(cue, limits)]
    if not usable:
        raise BadInput(f"{shown}: no speech: not one timed line with text is in it")
    utterances = join_cues(continue_speakers(usable))
    logger.info(
        "transcript_file_read", extra={"dialect": dialect, "n_cues": len(cues), "n_used": len(usable)}
    )
    return Transcript(
        utterances=utterances,
        engine=f"transcript file ({dialect})",
        duration_s=max(utterance.end_s for utterance in utterances),
        warnings=_warnings(len(cues) - len(usable), shown) + ESTIMATED.get(dialect, ()),
    )


def _read(path: Path, shown: str, limits: TranscriptLimits) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limits.max_bytes + 1)
    except (OSError, ValueError) as exc:
        raise BadInput(f"{shown}: cannot be opened: {exc}") from exc


def _cues(text: str, name: str) -> tuple[list[Cue], str]:
    start = text.lstrip()[:1]
    if start == "<":
        return read_annotations(text.lstrip(), name=name)
    if start in ("{", "["):
        document = _json(text)
        if document is not None:
            return read_json(document, name=name)
    cues, dialect = read_subtitles(text)
    return read_spoken_text(text) or (cues, dialect) if not cues else (cues, dialect)


def _document_text(raw: bytes, name: str) -> str:
    """Paragraphs of a Word document, as Teams and Meet save transcripts; read in a process with limits."""
    with tempfile.NamedTemporaryFile(prefix="imp-transcript-", suffix=".docx") as file:
        file.write(raw)
        file.flush()
        markdown = extract(Path(file.name), file_name=f"{PurePosixPath(name).stem}.docx").markdown
    return re.sub(r"\\([^\w\s])", r"\1", markdown)


def _json(text: str) -> Any:
    """The document, or None: a subtitle may start with `[Music]`. Deep nesting ends in RecursionError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_usable(cue: Cue, limits: TranscriptLimits) -> bool:
    is_timed = math.isfinite(cue.end_s) and 0 <= cue.start_s <= cue.end_s <= limits.max_duration_s
    return is_timed and 0 < len(cue.text) <= limits.max_cue_chars


def _bounded(cue: Cue, limits: TranscriptLimits) -> Cue:
    """A speaker's name cut to what a column and a page can show."""
    if cue.speaker and len(cue.speaker) > limits.max_speaker_chars:
        return replace(cue, speaker=cue.speaker[: limits.max_speaker_chars])
    return cue


def _warnings(n_left_out: int, name: str) -> tuple[str, ...]:
    if not n_left_out:
        return ()
    return (f"{n_left_out} lines of {name} have no usable time or text and are left out.",)
