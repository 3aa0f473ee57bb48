"""Reads cues from WebVTT, SRT and SBV as meeting tools really write them; knows no recording.

webvtt-py is strict about times and rejects what Teams exports (`0:0:5.320`), so the lines are read here; the tests
hold this reader against webvtt-py on every file that both accept.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator

from pydantic import BaseModel, Field, ValidationError

from connectors.recordings.transcript_files.cues import TIME, Cue, seconds

ARROW = re.compile(rf"^\s*{TIME.format('a')}\s*-{{1,3}}>\s*{TIME.format('b')}(?:\s.*)?$")
SBV_TIMES = re.compile(rf"^\s*{TIME.format('a')},{TIME.format('b')}\s*$")
COUNTER = re.compile(r"^\s*\d{1,9}\s*$")
# Teams: "4e2c…-…/18-0"; a line of its own above the times.
CUE_ID = re.compile(r"^\s*[0-9a-fA-F]{8}-[0-9a-fA-F-]{27,}(?:/[\w-]+)?\s*$")
VOICE = re.compile(r"<v(?:\.[^\s>]*)?[ \t\n]{1,9}([^>]{1,300})>", re.IGNORECASE)
TAG = re.compile(r"<[^<>]{0,300}>")
# Zoom: "Ada Lovelace: Good morning". A name is at most six words without a sentence's punctuation.
NAME_PREFIX = re.compile(r"^(?P<name>[^\W\d_][^:.!?<>\n]{0,79}):\s+(?P<said>\S.*)$", re.DOTALL)
MOST_NAME_WORDS = 6
# Names count as names when most cues carry one and they come again, or when every cue of a VTT carries a
# capitalized one: a lone "Note: …" is text.
LEAST_NAMED_SHARE = 0.5
SKIPPED_BLOCKS = ("NOTE", "STYLE", "REGION")

RawCue = tuple[float, float, str]


def read_subtitles(text: str) -> tuple[list[Cue], str]:
    """Cues in file order and the dialect: `Teams VTT`, `Zoom VTT`, `WebVTT`, `SRT` or `SBV`.

    Teams closes every voice it opens; captions by hand open a voice where the speaker changes. Cues with unreadable times or without text are left out. No cue at all gives an empty list.
    """
    is_vtt = text.lstrip("\ufeff \n\t").startswith("WEBVTT")
    raw = list(_raw_cues(text))
    is_sbv = not is_vtt and any(SBV_TIMES.match(line) for line in text.splitlines()[:200])
    dialect = "WebVTT" if is_vtt else "SBV" if is_sbv else "SRT"
    voiced = [cue for one in raw for cue in _split_voices(one)]
    if any(cue.speaker for cue in voiced):
        is_teams = is_vtt and all(body.rstrip().endswith(("</v>", "}")) for _, _, body in raw)
        return voiced, "Teams VTT" if is_teams else dialect
    named = _split_names(voiced, is_vtt=is_vtt)
    if named is not None:
        return named, "Zoom VTT" if is_vtt else dialect
    return voiced, dialect


def _raw_cues(text: str) -> Iterator[RawCue]:
    """Times and text of each cue. A blank line ends a cue, so does the next line of times."""
    times: tuple[float, float] | None = None
    lines: list[str] = []
    is_skipped = False
    for line in [*text.split("\n"), ""]:
        match = ARROW.match(line) or SBV_TIMES.match(line)
        if match is None and line.strip():
            is_skipped = is_skipped or (times is None and line.split(" ")[0] in SKIPPED_BLOCKS)
            lines.append(line.strip())
            continue
        if times and not is_skipped:
            body = lines[:-1] if match and lines and _is_label(lines[-1]) else lines
            if body:
                yield *times, "\n".join(body)
        times = (seconds(match, "a"), seconds(match, "b")) if match else None
        lines, is_skipped = [], False


def _is_label(line: str) -> bool:
    """A counter or cue id directly above the next times, in files that leave out the blank line."""
    return bool(COUNTER.match(line) or CUE_ID.match(line))


def _split_voices(raw: RawCue) -> Iterator[Cue]:
    """One cue a voice: `<v A>yes <v B>no` is two people in one cue. Text before the first voice is nobody's."""
    start_s, end_s, text = raw
    if text.startswith("{") and (spoken := _graph_metadata(text)):
        yield Cue(
            start_s, max(start_s, end_s), _plain(spoken.spoken_text), _plain(spoken.speaker_name) or None
        )
        return
    pieces = VOICE.split(text)
    for speaker, said in zip([None, *pieces[1::2]], pieces[::2], strict=True):
        plain = _plain(said)
        if plain:
            yield Cue(start_s, max(start_s, end_s), plain, _plain(speaker) or None if speaker else None)


class GraphMetadata(BaseModel):
    """The payload of a cue in Microsoft Graph's `metadataContent`."""

    spoken_text: str = Field(alias="spokenText", min_length=1)
    speaker_name: str = Field("", alias="speakerName")


def _graph_metadata(text: str) -> GraphMetadata | None:
    try:
        return GraphMetadata.model_validate_json(text)
    except ValidationError:
        return None


def _plain(text: str) -> str:
    return " ".join(html.unescape(TAG.sub("", text)).split())


def _split_names(cues: list[Cue], *, is_vtt: bool) -> list[Cue] | None:
    """Cues with `Name: ` moved from text to speaker, or None when this file does not write names that way."""
    matches = [NAME_PREFIX.match(cue.text) for cue in cues]
    names = Counter(match["name"] for match in matches if match and _is_name(match["name"]))
    n_named = names.total()
    come_again = n_named >= LEAST_NAMED_SHARE * len(cues) and 2 * len(names) <= n_named
    are_all_names = is_vtt and n_named == len(cues) and all(name.istitle() for name in names)
    if not cues or not (come_again or are_all_names):
        return None
    return [
        Cue(cue.start_s, cue.end_s, match["said"], match["name"].strip())
        if match and match["name"] in names
        else cue
        for cue, match in zip(cues, matches, strict=True)
    ]


def _is_name(text: str) -> bool:
    return len(text.split()) <= MOST_NAME_WORDS
