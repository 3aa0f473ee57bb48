"""A cue is one timed piece of a transcript file; here its times are read and cues become utterances.

Knows no file format.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.transcript import Utterance, Word

# `hh:mm:ss.mmm` as seen in the wild: no leading zeros (Teams), no hours (WebVTT), comma (SRT), no fraction.
TIME = r"(?:(?P<{0}h>\d{{1,4}}):)?(?P<{0}m>\d{{1,4}}):(?P<{0}s>\d{{1,2}})(?:[.,](?P<{0}f>\d{{1,9}}))?"
SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]]*$")
# Cues of one speaker are joined into passages that a citation can point into: never over a pause, never longer
# than half a minute, and past a dozen seconds only to finish a sentence.
LONGEST_PAUSE_S = 2.0
ENOUGH_S = 12.0
LONGEST_S = 30.0
# Half a minute of the fastest speech; files may claim that hundreds of cues share one moment.
MOST_CHARS = 1500
# Without a name on it a cue only continues the one before when that stopped in the middle of a sentence.
LONGEST_GAP_IN_SENTENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Cue:
    """Times are seconds from the start of the recording; `speaker` is None where the file names nobody."""

    start_s: float
    end_s: float
    text: str
    speaker: str | None = None
    words: tuple[Word, ...] = ()


def seconds(match: re.Match[str], prefix: str) -> float:
    """The time that the groups of `TIME.format(prefix)` caught."""
    hours, minutes, whole, fraction = (match.group(prefix + part) for part in "hmsf")
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(whole) + float(f"0.{fraction or 0}")


def continue_speakers(cues: Sequence[Cue]) -> list[Cue]:
    """Carry a name over to unnamed cues that finish its sentence; captions name a speaker only at the change.

    An unnamed cue that starts a new sentence stays unnamed: whoever speaks is not guessed.
    """
    named: list[Cue] = []
    for cue in cues:
        before = named[-1] if named else None
        if cue.speaker is None and before is not None and before.speaker and _finishes(before, cue):
            cue = replace(cue, speaker=before.speaker)
        named.append(cue)
    return named


def join_cues(cues: Iterable[Cue]) -> tuple[Utterance, ...]:
    """Utterances in order of start: consecutive cues of one speaker joined, first start to last end kept."""
    utterances: list[Utterance] = []
    for cue in sorted(cues, key=lambda cue: (cue.start_s, cue.end_s)):
        if utterances and _belongs(utterances[-1], cue):
            utterances[-1] = _joined(utterances[-1], cue)
        else:
            utterances.append(Utterance(cue.start_s, cue.end_s, cue.text, cue.speaker, words=cue.words))
    return tuple(utterances)


def _finishes(before: Cue | Utterance, cue: Cue) -> bool:
    is_open = not SENTENCE_END.search(before.text)
    return is_open and abs(cue.start_s - before.end_s) <= LONGEST_GAP_IN_SENTENCE_S


def _belongs(utterance: Utterance, cue: Cue) -> bool:
    if utterance.speaker != cue.speaker or cue.end_s - utterance.start_s > LONGEST_S:
        return False
    if len(utterance.text) + len(cue.text) > MOST_CHARS:
        return False
    if cue.speaker is None or cue.end_s - utterance.start_s > ENOUGH_S:
        return _finishes(utterance, cue)
    return cue.start_s - utterance.end_s <= LONGEST_PAUSE_S


def _joined(utterance: Utterance, cue: Cue) -> Utterance:
    return replace(
        utterance,
        end_s=max(utterance.end_s, cue.end_s),
        text=f"{utterance.text} {cue.text}",
        words=utterance.words + cue.words,
    )
