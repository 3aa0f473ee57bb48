"""Reads cues from transcripts written for people: Google Meet's and Teams' documents, and texts like them.

They give a time a paragraph (Teams: `Ada Lovelace   0:03`) or one every few minutes (Meet: a line `00:05:00`); in
between, times follow from how much was said.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.recordings.transcript_files.cues import Cue

CLOCK = r"(?:(?P<h>\d{1,2}):)?(?P<m>\d{1,2}):(?P<s>\d{2})"
NAME = r"(?P<name>[^\W\d_][^\n:\t\[\]<>]{0,79}?)"
# "Ada Lovelace   0:03", "Ada Lovelace  00:05:10", "[00:05:10] Ada Lovelace"; the words follow on the next lines.
NAME_AND_TIME = re.compile(rf"^\**{NAME}\**(?:\s{{2,}}|\t+|\s+[-–—|]\s+)\[?\(?{CLOCK}\)?\]?\s*$")
TIME_AND_NAME = re.compile(rf"^\[?\(?{CLOCK}\)?\]?\s+{NAME}\s*:?\s*$")
# "00:05:00" alone: everything up to the next such line was said from then on.
TIME_ALONE = re.compile(rf"^[#*\s]*{CLOCK}[*\s]*$")
NAME_AND_WORDS = re.compile(rf"^\**{NAME}:\**\s+(?P<said>\S.*)$")
ENDED = re.compile(rf"^(?:meeting|transcription) ended (?:after|at) {CLOCK}", re.IGNORECASE)
# Speech runs at about 15 characters a second; Meet's blocks are five minutes long.
CHARS_PER_SECOND = 15.0
LEAST_BLOCKS = 2
MOST_NAME_WORDS = 6


@dataclass(frozen=True, slots=True)
class _Said:
    """What one person said; `at_s` is None where the text gives no time of its own."""

    speaker: str
    text: str
    at_s: float | None


def read_spoken_text(text: str) -> tuple[list[Cue], str] | None:
    """Cues and the dialect, `Teams document` or `Meet document`; None for a text that is no transcript.

    Paragraphs with times of their own decide; else blocks between times, whose lines all begin with a name that
    comes again. Ordinary prose has neither.
    """
    lines = [line.strip() for line in text.split("\n")]
    timed = list(_timed_paragraphs(lines))
    if len(timed) >= LEAST_BLOCKS:
        return _ends_at_next(timed), "Teams document"
    if not any(TIME_ALONE.match(line) or ENDED.match(line) for line in lines):
        return None
    blocks = list(_blocks(lines))
    names = Counter(one.speaker for _, said in blocks for one in said)
    if not names or (len(names) > 1 and 2 * len(names) > names.total() + 1):
        return None
    cues = [cue for place in range(len(blocks)) for cue in _spread(blocks, place, _end_s(lines))]
    return cues, "Meet document"


def _timed_paragraphs(lines: Sequence[str]) -> Iterator[_Said]:
    speaker, at_s, words = "", None, []
    for line in [*lines, "end   0:00"]:
        match = NAME_AND_TIME.match(line) or TIME_AND_NAME.match(line)
        if match is None or len(match["name"].split()) > MOST_NAME_WORDS:
            words.append(line)
            continue
        said = " ".join(" ".join(words).split())
        if at_s is not None and said:
            yield _Said(speaker, said, at_s)
        speaker, at_s, words = match["name"].strip(), _seconds(match), []


def _ends_at_next(said: Sequence[_Said]) -> list[Cue]:
    """Each ends when the next begins, or when its words are spoken, whichever is first."""
    cues = []
    for place, one in enumerate(said):
        start_s = one.at_s or 0.0
        end_s = start_s + max(1.0, len(one.text) / CHARS_PER_SECOND)
        later = next(
            (next_one.at_s for next_one in said[place + 1 :] if (next_one.at_s or 0.0) > start_s), None
        )
        cues.append(Cue(start_s, min(end_s, later) if later is not None else end_s, one.text, one.speaker))
    return cues


def _blocks(lines: Sequence[str]) -> Iterator[tuple[float, list[_Said]]]:
    """(start, what was said) between lines of time; what stands before the first `Name: words` is a heading."""
    start_s, said = 0.0, list[_Said]()
    for line in lines:
        time, spoken = TIME_ALONE.match(line), NAME_AND_WORDS.match(line)
        if ENDED.match(line):
            break
        if time:
            if said:
                yield start_s, said
            start_s, said = _seconds(time), []
        elif spoken and len(spoken["name"].split()) <= MOST_NAME_WORDS:
            said.append(_Said(spoken["name"].strip(), spoken["said"], None))
        elif line and said:
            said[-1] = _Said(said[-1].speaker, f"{said[-1].text} {line}", None)
    if said:
        yield start_s, said


def _spread(blocks: Sequence[tuple[float, list[_Said]]], place: int, ended_s: float | None) -> Iterator[Cue]:
    """A block's cues one after the other, each as long as its share of the block's text."""
    start_s, said = blocks[place]
    n_chars = sum(len(one.text) for one in said)
    until_s = blocks[place + 1][0] if place + 1 < len(blocks) else ended_s
    spoken_s = n_chars / CHARS_PER_SECOND
    length_s = spoken_s if until_s is None or until_s <= start_s else min(spoken_s, until_s - start_s)
    at_s = start_s
    for one in said:
        end_s = at_s + length_s * len(one.text) / max(1, n_chars)
        yield Cue(at_s, end_s, one.text, one.speaker)
        at_s = end_s


def _end_s(lines: Sequence[str]) -> float | None:
    return next((_seconds(match) for line in lines if (match := ENDED.match(line))), None)


def _seconds(match: re.Match[str]) -> float:
    return int(match["h"] or 0) * 3600 + int(match["m"]) * 60 + int(match["s"])
