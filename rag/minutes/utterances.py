"""Turns raw utterances into clean sentences that remember their positions; knows nothing of minutes.

Removes what speech leaves behind (fillers, stutters, transcriber's marks) and joins one speaker's fragments
across the listener's "mm-hmm".
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from core.transcript import Utterance
from rag.minutes.cues import Cues
from rag.sentences import sentence_spans, words

MAX_SENTENCE_CHARS = 600  # patterns and readers both give up beyond this
MAX_JOINED_WORDS = 60
MAX_GAP_S = 8.0
MAX_POSITIONS_BETWEEN = 4
_MARKS = re.compile(
    r"\{[^{}]{0,40}\}|\[[^\[\]]{0,40}\]|<[^<>]{0,80}>|[@#*_]{1,}(?=\s|$)|[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\ufeff]"
)
_TOKENISED = (
    (re.compile(r"(?<=\w) (?='(?:s|re|ve|ll|d|m|t)\b)"), ""),
    (re.compile(r"(?<=\w) n't\b"), "n't"),
    (re.compile(r"(?<=\w) - (?=\w)"), "-"),
)
_STUTTER = re.compile(r"\b((?:[\w']+ ){0,2}[\w']+)(?:[ ,]+\1\b)+", re.IGNORECASE)
_LONE_LETTER = re.compile(r"(?<![\w'’.-])(?![aioyIAOYàéó]\b)[a-z] (?=[a-z])")
_MESS = (
    (re.compile(r"\s+([,.;:?!…])"), r"\1"),
    (re.compile(r"([,;:])(?: *[,;:])+"), r"\1"),
    (re.compile(r"[,;:]+(?=[.?!])"), ""),
    (re.compile(r"([.?!])[,;:]+"), r"\1"),
    (re.compile(r"(?<!\.)\.\.(?!\.)"), "."),
    (re.compile(r"^[\s,;:.\-–—]+"), ""),
    (re.compile(r"\s{2,}"), " "),
)
_AFTER_STOP = re.compile(r"[.?!] +[a-z]")  # where " ." ends sentences, small letters begin them
_FALSE_START = re.compile(r"(?<![\w'])([a-z]{1,4}) (?=\1[a-z])", re.IGNORECASE)  # "y yellow", "th the"
_DOUBLED_ALLOWED = frozenset(
    {"had", "that", "very", "really", "no", "yes", "bye", "ha", "so", "many", "long", "far", "much"}
)
_END = re.compile(r"[.?!…][\"'”’)\]]*$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One cleaned sentence. `first..last` are utterance positions.

    `is_reaction` marks pure listening noises and short assents ("yeah, okay"), which matter as replies only.
    """

    text: str
    speaker: str | None
    first: int
    last: int
    start_s: float
    end_s: float
    confidence: float | None
    terms: tuple[str, ...]
    n_words: int
    is_question: bool
    is_reaction: bool


@dataclass(slots=True)
class _Run:
    """One speaker's utterances on their way to becoming sentences: `(offset in text, position, utterance)`."""

    text: str = ""
    parts: list[tuple[int, int, Utterance]] = field(default_factory=list)

    def add(self, text: str, position: int, utterance: Utterance) -> None:
        self.text = f"{self.text.rstrip(',')} {text}" if self.text else text
        self.parts.append((len(self.text) - len(text), position, utterance))

    def between(self, start: int, end: int) -> list[tuple[int, Utterance]]:
        """The positions and utterances behind `text[start:end]`."""
        ends = [offset for offset, _, _ in self.parts[1:]] + [len(self.text) + 1]
        spans = zip(self.parts, ends, strict=True)
        return [
            (position, utterance)
            for (offset, position, utterance), stop in spans
            if offset < end and start < stop
        ]


def sentences(utterances: Sequence[Utterance], cues: Cues) -> list[Sentence]:
    """Clean sentences in spoken order."""
    found = [sentence for run in _runs(utterances, cues) for sentence in _sentences_of(run, cues)]
    return sorted(found, key=lambda sentence: sentence.first)


def clean(text: str, cues: Cues) -> str:
    """`text` without marks, fillers and stutters, spacing mended."""
    text = _MARKS.sub(" ", text[: 20 * MAX_SENTENCE_CHARS].replace("’", "'"))
    is_tokenised = " ." in text or " ?" in text
    text = _tidy(text)
    if " '" in text or " n't" in text or " - " in text:
        for pattern, replacement in _TOKENISED:
            text = pattern.sub(replacement, text)
    text = _without_fillers(text, cues)
    text = _FALSE_START.sub(
        lambda start: start.group() if start.group(1).lower() in cues.stopwords else "",
        _LONE_LETTER.sub("", text),
    )
    text = _without_fillers(_STUTTER.sub(_once, text), cues)
    return _AFTER_STOP.sub(lambda stop: stop.group().upper(), text) if is_tokenised else text


def _without_fillers(text: str, cues: Cues) -> str:
    shorter = cues.fillers.sub(" ", text)
    return text if shorter == text else _tidy(shorter)


def is_term(word: str, cues: Cues) -> bool:
    """Whether a lower-cased word carries content: no stopword, no lone letter, no long number."""
    return (
        len(word) > 1
        and word not in cues.stopwords
        and "'" not in word
        and not (word.isdigit() and len(word) > 4)
    )


def _runs(utterances: Sequence[Utterance], cues: Cues) -> list[_Run]:
    is_punctuated = _is_punctuated(utterances)
    runs: list[_Run] = []
    open_run: _Run | None = None
    for position, utterance in enumerate(utterances):
        text = clean(utterance.text, cues)
        if not text:
            continue
        is_aside = _is_reaction(words(text), cues)
        if not is_aside and open_run and is_punctuated and _continues(open_run, utterance, position):
            open_run.add(text, position, utterance)
            continue
        run = _Run()
        run.add(text, position, utterance)
        runs.append(run)
        if not is_aside:  # real words by anybody close what the others had begun, listening noises do not
            open_run = run
    return runs


def _continues(run: _Run, utterance: Utterance, position: int) -> bool:
    _, last_position, last = run.parts[-1]
    return (
        utterance.speaker is not None
        and utterance.speaker == last.speaker
        and not _END.search(run.text)
        and position - last_position <= MAX_POSITIONS_BETWEEN
        and utterance.start_s - last.end_s <= MAX_GAP_S
        and run.text.count(" ") < MAX_JOINED_WORDS
    )


def _sentences_of(run: _Run, cues: Cues) -> Iterator[Sentence]:
    for start, end in _spans(run.text):
        text = _without_fillers(_tidy(run.text[start:end]), cues)
        spoken = words(text)
        if not spoken:
            continue
        behind = run.between(start, end)
        confidences = [u.confidence for _, u in behind if u.confidence is not None]
        yield Sentence(
            text=text[0].upper() + text[1:],
            speaker=behind[0][1].speaker,
            first=behind[0][0],
            last=behind[-1][0],
            start_s=min(u.start_s for _, u in behind),
            end_s=max(u.end_s for _, u in behind),
            confidence=min(confidences) if confidences else None,
            terms=tuple(word for word in spoken if is_term(word, cues)),
            n_words=len(spoken),
            is_question=text.endswith("?")
            or (not _END.search(text) and bool(cues.question_start.search(text))),
            is_reaction=_is_reaction(spoken, cues),
        )


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Sentence borders; what is longer than a sentence may be is cut at a comma or a space."""
    for start, end in sentence_spans(text):
        while end - start > MAX_SENTENCE_CHARS:
            cut = max(
                text.rfind(mark, start + MAX_SENTENCE_CHARS // 2, start + MAX_SENTENCE_CHARS) for mark in ", "
            )
            cut = cut + 1 if cut > start else start + MAX_SENTENCE_CHARS
            yield start, cut
            start = cut
        yield start, end


def _is_punctuated(utterances: Sequence[Utterance]) -> bool:
    """Whether sentence ends are marked at all; a rough recognizer writes none, then an utterance is a sentence."""
    spoken = [utterance.text.rstrip() for utterance in utterances if utterance.text.strip()]
    return 4 * sum(bool(_END.search(text[-8:])) for text in spoken) > len(spoken)


def _is_reaction(spoken: Sequence[str], cues: Cues) -> bool:
    return len(spoken) <= 6 and all(word in cues.backchannels for word in spoken)


def _once(match: re.Match[str]) -> str:
    if match.group(1).casefold() in _DOUBLED_ALLOWED:
        return match.group()
    return match.group(1)


def _tidy(text: str) -> str:
    for pattern, replacement in _MESS:
        text = pattern.sub(replacement, text)
    return text.strip()
