"""Reads cues from the JSON that speech services save: Whisper's segments and Fireflies' sentences or sections."""

import math
import re
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError

from connectors.recordings.transcript_files.cues import TIME, Cue, seconds
from core.errors import BadInput

CLOCK = re.compile(rf"^\s*{TIME.format('a')}\s*$")
# Where the pieces lie, in order of preference; `data.transcript` is Fireflies' GraphQL envelope.
HOLDERS = (("data", "transcript"), ("transcript",), ())
LISTS = {"sentences": "Fireflies JSON", "segments": "Whisper JSON", "sections": "Fireflies JSON"}
# A section carries no end; speech runs at about 15 characters a second.
CHARS_PER_SECOND = 15.0


def _to_seconds(value: object) -> float:
    """Seconds from a number, a number in text, or a clock time."""
    match = CLOCK.match(value) if isinstance(value, str) else None
    moment_s = seconds(match, "a") if match else float(str(value))
    if not math.isfinite(moment_s) or moment_s < 0:
        raise ValueError("not a time in the recording")
    return moment_s


Seconds = Annotated[float, BeforeValidator(_to_seconds)]


class Piece(BaseModel):
    """A sentence or segment; keys as Fireflies' API, Fireflies' download and Whisper spell them."""

    text: str = Field(validation_alias=AliasChoices("text", "sentence", "raw_text"))
    start_s: Seconds = Field(validation_alias=AliasChoices("start", "start_time", "startTime"))
    end_s: Seconds = Field(validation_alias=AliasChoices("end", "end_time", "endTime"))
    speaker: str | None = Field(None, validation_alias=AliasChoices("speaker_name", "speakerName", "speaker"))


class Section(BaseModel):
    """A passage as connectors store Fireflies meetings: a link that ends in `?t=seconds`, and `Name: text`."""

    link: str
    text: str


PIECE: TypeAdapter[Piece | Section] = TypeAdapter(Piece | Section)


def read_json(document: Any, *, name: str) -> tuple[list[Cue], str]:
    """Cues and the dialect; pieces that do not read are left out.

    Raises:
        BadInput: no list of spoken pieces is in the document.
    """
    pieces, dialect = _pieces(document, name)
    cues = [cue for piece in pieces if (cue := _cue(piece)) is not None]
    return [cue for cue in cues if cue.text], dialect


def _pieces(document: Any, name: str) -> tuple[list[Any], str]:
    if isinstance(document, list):
        return document, "Fireflies JSON"
    for holder in HOLDERS:
        held = document
        for key in holder:
            held = held.get(key) if isinstance(held, dict) else None
        for key, dialect in LISTS.items():
            if isinstance(held, dict) and isinstance(held.get(key), list):
                return held[key], dialect
    raise BadInput(f"{name}: JSON without a transcript in it (no sentences, segments or sections)")


def _cue(piece: Any) -> Cue | None:
    try:
        one = PIECE.validate_python(piece)
    except ValidationError:
        return None
    if isinstance(one, Section):
        return _section_cue(one)
    return Cue(one.start_s, max(one.start_s, one.end_s), " ".join(one.text.split()), one.speaker or None)


def _section_cue(section: Section) -> Cue | None:
    try:
        start_s = _to_seconds(parse_qs(urlsplit(section.link).query).get("t", [""])[0])
    except ValueError:
        return None
    speaker, colon, said = section.text.partition(": ")
    text = " ".join((said if colon else section.text).split())
    return Cue(
        start_s, start_s + len(text) / CHARS_PER_SECOND, text, speaker.strip() or None if colon else None
    )
