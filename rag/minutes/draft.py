"""Drafts minutes from a transcript: lines are what was said, made readable or told, or written by a model and checked.

Knows no table, no queue and no network; the same transcript gives the same draft.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.errors import BadInput
from core.minutes import MinutesDraft, MinutesLine
from core.transcript import Transcript, Utterance
from rag.generation import Summarizer
from rag.minutes.actions import actions
from rag.minutes.candidates import Candidate, best, line_of
from rag.minutes.cues import Cues, cues_for, language_of
from rag.minutes.decisions import decisions
from rag.minutes.names import people_of
from rag.minutes.narrative import narrative
from rag.minutes.questions import questions
from rag.minutes.summary import summary
from rag.minutes.terms import Embed
from rag.minutes.topics import line_of as topic_line
from rag.minutes.topics import topics
from rag.minutes.utterances import Sentence, sentences
from rag.minutes.written import written
from rag.sentences import words

logger = logging.getLogger(__name__)

ENGINE = "extractive"
MIN_WORDS = 8  # less is a microphone test, not a meeting
FEW_WORDS = 60
SAMPLE_UTTERANCES = 300


@dataclass(frozen=True, slots=True)
class Limits:
    """The most lines of each section, and the most input that is read."""

    max_summary: int = 9
    max_topics: int = 12
    max_decisions: int = 12
    max_actions: int = 20
    max_questions: int = 10
    max_utterances: int = 40_000
    max_chars: int = 4_000_000


def draft(
    transcript: Transcript,
    *,
    started_at: datetime | None,
    participants: Sequence[str] = (),
    embed: Embed | None = None,
    summarizer: Summarizer | None = None,
    limits: Limits | None = None,
) -> MinutesDraft:
    """Minutes of `transcript`, each line with the utterances that prove it.

    Args:
        transcript: all utterances; positions in the evidence count in `transcript.utterances`.
        started_at: the meeting's start in its own time zone; None leaves relative due dates unresolved.
        participants: names from the invitation, also of people who never speak.
        embed: texts to vectors `(n_texts, dim)`; None compares words instead.
        summarizer: a language model that writes the summary; its sentences are checked against the evidence. A reply
            that cannot be read, or nothing that holds, leaves the told summary and a warning.
        limits: caps on lines and input.

    Raises:
        ValueError: the embedder returned the wrong number of vectors.
    """
    began = time.monotonic()
    limits = limits or Limits()
    utterances, warnings = _bounded(transcript, limits)
    cues = _cues(transcript, utterances)
    spoken = sentences(utterances, cues)
    n_words = sum(sentence.n_words for sentence in spoken)
    if n_words < MIN_WORDS:
        lines: tuple[MinutesLine, ...] = ()
        engine = ENGINE
        warnings.append(
            "Almost nothing was said or understood in this recording, so no minutes were drafted."
        )
    else:
        central, remarks = _written(spoken, summarizer, limits) if summarizer else ((), ())
        warnings.extend(remarks)
        lines = tuple(_lines(spoken, cues, started_at, participants, embed, limits, central))
        engine = f"{ENGINE} + {summarizer.name}" if summarizer and central else ENGINE
        warnings.extend(_remarks(spoken, cues, n_words, lines))
    logger.info(
        "minutes_drafted",
        extra={
            "n_utterances": len(utterances),
            "n_lines": len(lines),
            "duration_s": round(time.monotonic() - began, 3),
        },
    )
    return MinutesDraft(lines=lines, engine=engine, warnings=(*transcript.warnings, *warnings))


def _lines(
    spoken: Sequence[Sentence],
    cues: Cues,
    started_at: datetime | None,
    participants: Sequence[str],
    embed: Embed | None,
    limits: Limits,
    central: Sequence[Candidate],
) -> Iterator[MinutesLine]:
    meeting_day = started_at.date() if started_at else None
    decided = best(decisions(spoken, cues), spoken, limits.max_decisions)
    to_do = best(
        actions(spoken, people_of(spoken, participants), cues, meeting_day), spoken, limits.max_actions
    )
    taken = _carriers([*decided, *to_do])
    asked = best(questions(spoken, cues, taken), spoken, limits.max_questions)
    parts = topics(spoken, embed, limits.max_topics)
    if not central and cues.language == "en":
        central = narrative(spoken, parts, taken, limits.max_summary)
    central = central or summary(spoken, parts, taken, embed, limits.max_summary)
    yield from (line_of(candidate, spoken) for candidate in central)
    yield from (topic_line(topic, spoken) for topic in parts)
    yield from (line_of(candidate, spoken) for candidate in (*decided, *to_do, *asked))


def _written(
    spoken: Sequence[Sentence], summarizer: Summarizer, limits: Limits
) -> tuple[tuple[Candidate, ...], tuple[str, ...]]:
    """The model's lines that hold, and what a reader must know of those that did not."""
    try:
        found = written(spoken, summarizer, limits.max_summary)
    except BadInput as exc:
        logger.warning(
            "minutes_summary_refused", extra={"engine": summarizer.name, "reason": type(exc).__name__}
        )
        return (), (f"{summarizer.name} wrote no summary that can be read; it was drafted without it.",)
    remarks = []
    if not found.lines:
        remarks.append(
            f"Nothing {summarizer.name} wrote was carried by what was said; it was drafted without it."
        )
    elif found.n_refused:
        remarks.append(f"{found.n_refused} sentences of {summarizer.name} were left out: nobody said so.")
    return found.lines, tuple(remarks)


def _bounded(transcript: Transcript, limits: Limits) -> tuple[list[Utterance], list[str]]:
    """The utterances that fit the limits, and a warning where some did not."""
    kept: list[Utterance] = []
    n_chars = 0
    for utterance in transcript.utterances[: limits.max_utterances]:
        n_chars += len(utterance.text)
        if n_chars > limits.max_chars:
            break
        speaker = " ".join((utterance.speaker or "").split())[:80] or None
        kept.append(replace(utterance, speaker=speaker))
    if len(kept) == len(transcript.utterances):
        return kept, []
    return kept, [
        f"Only the first {len(kept)} of {len(transcript.utterances)} utterances were read for these minutes."
    ]


def _cues(transcript: Transcript, utterances: Sequence[Utterance]) -> Cues:
    step = max(1, len(utterances) // SAMPLE_UTTERANCES)
    sample = [word for utterance in utterances[::step] for word in words(utterance.text[:400])]
    return cues_for(language_of(transcript.language, sample))


def _remarks(
    spoken: Sequence[Sentence], cues: Cues, n_words: int, lines: Sequence[MinutesLine]
) -> Iterator[str]:
    if not cues.has_lines:
        yield f"Decisions and actions cannot be found in language '{cues.language}'; only a summary and topics were drafted."
    if n_words < FEW_WORDS:
        yield f"Only {n_words} words were understood, so these minutes may miss what mattered."
    if any(line.section == "action" for line in lines) and not any(sentence.speaker for sentence in spoken):
        yield "Nobody knows who spoke, so owners are given only where a name was said."


def _carriers(candidates: Sequence[Candidate]) -> frozenset[int]:
    return frozenset(index for candidate in candidates for index in candidate.carriers)
