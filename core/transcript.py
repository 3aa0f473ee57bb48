"""What was said in a recording, as plain values; knows no engine, no file format and no table."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word. Times are seconds from the start of the recording."""

    start_s: float
    end_s: float
    text: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """One stretch of speech by one speaker.

    `speaker` is a name when one is known, None when nobody knows (shown as "Speaker ?", never guessed).
    `confidence` is in 0..1, None when the engine gives none (a transcript file).
    """

    start_s: float
    end_s: float
    text: str
    speaker: str | None = None
    confidence: float | None = None
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """All utterances of one recording, ordered by start.

    `engine` is the name shown to people (`transcript file (Teams VTT)`, `faster-whisper large-v3`, …).
    `warnings` are sentences a reader of the minutes must see, such as that the engine is a rough one.
    """

    utterances: tuple[Utterance, ...]
    engine: str
    language: str | None = None
    duration_s: float | None = None
    warnings: tuple[str, ...] = field(default=())
