"""Cuts timed words into utterances, and tells text that an engine made up; knows no engine."""

import re
import zlib
from collections.abc import Iterable, Sequence

from core.transcript import Utterance, Word

SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]]*$")
# Written without spaces between words (as openai/whisper's tokenizer lists them).
UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
# A pause that ends an utterance; after a finished sentence a short one is enough.
PAUSE_S = 1.0
SHORT_PAUSE_S = 0.3
ENOUGH_S = 15.0
LONGEST_S = 30.0
# Whisper's own thresholds (openai/whisper, transcribe.py).
MOST_COMPRESSION = 2.4
MOST_NO_SPEECH = 0.6
LEAST_LOGPROB = -1.0
# A phrase said this often in a row is a decoder's loop. People do say "no" five times.
LOOP_OF_WORD = 7
LOOP_OF_PHRASE = 4
LONGEST_PHRASE = 8
LEAST_COMPRESSED_CHARS = 60
LEAST_ECHO_WORDS = 3


def utterances_of(
    words: Iterable[Word], *, speaker: str | None, language: str | None = None
) -> tuple[Utterance, ...]:
    """Utterances ending at pauses and, past 15 s, at sentence ends; confidence is the mean over words.

    Words are joined by spaces, but in languages written without them.
    """
    space = "" if language in UNSPACED else " "
    runs: list[list[Word]] = []
    for word in words:
        if not runs or _ends_before(runs[-1], word):
            runs.append([])
        runs[-1].append(word)
    return tuple(_utterance(run, speaker, space) for run in runs)


def _ends_before(run: Sequence[Word], word: Word) -> bool:
    pause_s = word.start_s - run[-1].end_s
    length_s = word.end_s - run[0].start_s
    if pause_s >= PAUSE_S or length_s > LONGEST_S:
        return True
    return bool(SENTENCE_END.search(run[-1].text)) and (pause_s >= SHORT_PAUSE_S or length_s > ENOUGH_S)


def _utterance(run: Sequence[Word], speaker: str | None, space: str) -> Utterance:
    known = [word.confidence for word in run if word.confidence is not None]
    return Utterance(
        start_s=run[0].start_s,
        end_s=max(word.end_s for word in run),
        text=space.join(word.text for word in run),
        speaker=speaker,
        confidence=sum(known) / len(known) if known else None,
        words=tuple(run),
    )


def is_silence(no_speech_prob: float, avg_logprob: float) -> bool:
    """Whether the engine itself doubts that anybody spoke, and doubts its own words."""
    return no_speech_prob > MOST_NO_SPEECH and avg_logprob < LEAST_LOGPROB


def is_echo(text: str, hotwords: str | None) -> bool:
    """Whether an engine reads its list of hotwords aloud, as some do in silence: a run of it, several words long."""
    said = re.findall(r"\w+", text.lower())
    if hotwords is None or len(said) < LEAST_ECHO_WORDS:
        return False
    listed = re.findall(r"\w+", hotwords.lower())
    # One name may well be said in full; an echo goes on into the next entry of the list.
    crosses = all(
        " ".join(said) not in " ".join(re.findall(r"\w+", one.lower())) for one in hotwords.split(",")
    )
    return crosses and any(listed[at : at + len(said)] == said for at in range(len(listed) - len(said) + 1))


def is_loop(text: str) -> bool:
    """Whether a text repeats itself as no speaker does: by its compression, or by a phrase said over and over."""
    raw = text.encode()
    if len(raw) >= LEAST_COMPRESSED_CHARS and len(raw) / len(zlib.compress(raw)) > MOST_COMPRESSION:
        return True
    words = re.findall(r"\w+", text.lower())
    return any(
        _longest_repeat(words, n_words) >= (LOOP_OF_WORD if n_words == 1 else LOOP_OF_PHRASE)
        for n_words in range(1, LONGEST_PHRASE + 1)
    )


def _longest_repeat(words: Sequence[str], n_words: int) -> int:
    """How often, at most, a phrase of `n_words` words follows itself without a break; 1 for never."""
    longest = run = 0
    for place in range(n_words, len(words)):
        run = run + 1 if words[place] == words[place - n_words] else 0
        longest = max(longest, run)
    return 1 + longest // n_words
