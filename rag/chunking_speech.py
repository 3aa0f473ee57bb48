"""Speech to passages along its turns. Knows utterances and a token counter, no engine, no file and no table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from core.transcript import Utterance
from rag.passage import CountTokens, Passage
from rag.sentences import sentence_spans, words

UNKNOWN_SPEAKER = "Speaker ?"
_MAX_NAME_CHARS = 80
# What people say to show they listen; alone in a turn it carries nothing to search for.
_BACKCHANNEL_LIST = (
    "yeah yep yes no nope okay ok right mm hmm mm-hmm uh-huh huh uh um oh ah hm mhm alright sure so well cool "
    "disfmarker vocalsound gap pause ja nein genau gut äh ähm"
)
_SENTENCE_ENDS = (".", "!", "?", "…", "。", ":", ";", '"', "”", ")")
_BACKCHANNELS = frozenset(_BACKCHANNEL_LIST.split())


@dataclass(frozen=True, slots=True)
class _Turn:
    """A stretch of one speaker within the bound; `position` is its utterance, `n_tokens` counts the name too."""

    position: int
    speaker: str
    text: str
    start_s: float
    end_s: float
    n_tokens: int


def chunk_speech(
    title: str,
    utterances: Sequence[Utterance],
    *,
    count_tokens: CountTokens,
    held_on: date | None = None,
    space: str | None = None,
    max_tokens: int = 300,
    overlap: int = 50,
) -> list[Passage]:
    """Passages of a meeting in the order spoken, as `Name: what they said` lines.

    A line names its speaker when the speaker changes and at a passage's start. Times are seconds from the start of
    the recording; a cut inside one long utterance shares out its time by characters. Turns of backchannels only
    ("yeah", "mm-hmm") are left out of the text when something else is left to say; they stay inside the position span.

    Args:
        held_on: the day of the meeting, for the context.
        max_tokens: upper bound of a passage's text, without its context.
    """
    if not 0 <= overlap < max_tokens:
        raise ValueError("overlap must be at least 0 and below max_tokens")
    turns = [turn for turn in _turns(utterances, count_tokens, max_tokens) if not _is_backchannel(turn.text)]
    turns = turns or list(_turns(utterances, count_tokens, max_tokens))
    passages: list[Passage] = []
    for window in _windows(turns, max_tokens, overlap):
        passages.append(_passage(window, len(passages), title, held_on, space, count_tokens))
    return _without_gaps(passages, len(utterances)) if passages else []


def meeting_context(
    title: str, held_on: date | None, speakers: Sequence[str], space: str | None = None
) -> str:
    """`Title, 2024-05-01 (SPACE): Ann, Bob`."""
    line = " ".join(title.split())
    if held_on is not None:
        line = f"{line}, {held_on.isoformat()}" if line else held_on.isoformat()
    if space:
        line = f"{line} ({space})"
    names = ", ".join(speakers[:8])
    return f"{line}: {names}" if names else line


def _turns(utterances: Sequence[Utterance], count_tokens: CountTokens, max_tokens: int) -> Iterator[_Turn]:
    n_name_tokens: dict[str, int] = {}
    for position, utterance in enumerate(utterances):
        text = " ".join(utterance.text.split())
        if not text:
            continue
        speaker = " ".join((utterance.speaker or "").split())[:_MAX_NAME_CHARS] or UNKNOWN_SPEAKER
        if speaker not in n_name_tokens:
            n_name_tokens[speaker] = count_tokens(f"{speaker}: ")
        budget = max(max_tokens - n_name_tokens[speaker], 1)
        for start, end in _spans_within(text, count_tokens, budget):
            part = text[start:end].strip()
            seconds = max(utterance.end_s - utterance.start_s, 0.0) / len(text)
            yield _Turn(
                position=position,
                speaker=speaker,
                text=part,
                start_s=utterance.start_s + start * seconds,
                end_s=utterance.start_s + end * seconds if end < len(text) else utterance.end_s,
                n_tokens=n_name_tokens[speaker] + count_tokens(part),
            )


def _spans_within(text: str, count_tokens: CountTokens, budget: int) -> Iterator[tuple[int, int]]:
    """Runs of whole sentences within `budget` tokens; a longer sentence is halved at a space until it fits."""
    if count_tokens(text) <= budget:
        yield 0, len(text)
        return
    run: tuple[int, int] | None = None
    for start, end in sentence_spans(text):
        if run is not None and count_tokens(text[run[0] : end]) <= budget:
            run = (run[0], end)
            continue
        if run is not None:
            yield from _halved(text, *run, count_tokens, budget)
        run = (start, end)
    if run is not None:
        yield from _halved(text, *run, count_tokens, budget)


def _halved(
    text: str, start: int, end: int, count_tokens: CountTokens, budget: int
) -> Iterator[tuple[int, int]]:
    if not text[start:end].strip():
        return
    if end - start < 2 or count_tokens(text[start:end]) <= budget:
        yield start, end
        return
    middle = (start + end) // 2
    left, right = text.rfind(" ", start + 1, middle), text.find(" ", middle, end - 1)
    cuts = [cut for cut in (left, right) if cut > start]
    cut = min(cuts, key=lambda at: abs(at - middle)) if cuts else middle
    yield from _halved(text, start, cut, count_tokens, budget)
    yield from _halved(text, cut, end, count_tokens, budget)


def _is_backchannel(text: str) -> bool:
    said = words(text)
    return bool(said) and all(word in _BACKCHANNELS for word in said)


def _windows(turns: Sequence[_Turn], max_tokens: int, overlap: int) -> Iterator[list[_Turn]]:
    window: list[_Turn] = []
    used = n_new = 0
    for turn in turns:
        if n_new and used + turn.n_tokens > max_tokens:
            yield window
            window, n_new = _tail(window, min(overlap, max_tokens - turn.n_tokens)), 0
            used = sum(kept.n_tokens for kept in window)
        window.append(turn)
        used += turn.n_tokens
        n_new += 1
    if n_new:
        yield window


def _tail(window: Sequence[_Turn], overlap: int) -> list[_Turn]:
    tail: list[_Turn] = []
    used = 0
    for turn in reversed(window):
        used += turn.n_tokens
        if used > overlap:
            break
        tail.insert(0, turn)
    return tail


def _lines(window: Sequence[_Turn]) -> str:
    """`Name: text`, one line a speaker's run; an utterance that ends without a full stop ends its line.

    Engines that write no punctuation mark a sentence only by their pauses, which the line break keeps.
    """
    text, before = "", None
    for turn in window:
        if before is not None and _continues(before, turn):
            text += f" {turn.text}"
        else:
            text += f"\n{turn.speaker}: {turn.text}" if text else f"{turn.speaker}: {turn.text}"
        before = turn
    return text


def _continues(before: _Turn, turn: _Turn) -> bool:
    if turn.speaker != before.speaker:
        return False
    return turn.position == before.position or before.text.endswith(_SENTENCE_ENDS)


def _passage(
    window: Sequence[_Turn],
    position: int,
    title: str,
    held_on: date | None,
    space: str | None,
    count_tokens: CountTokens,
) -> Passage:
    speakers = tuple(dict.fromkeys(turn.speaker for turn in window if turn.speaker != UNKNOWN_SPEAKER))
    text = _lines(window)
    return Passage(
        position=position,
        text=text,
        context=meeting_context(title, held_on, speakers, space),
        n_tokens=count_tokens(text),
        speakers=speakers,
        start_s=window[0].start_s,
        end_s=max(turn.end_s for turn in window),
        first_position=window[0].position,
        last_position=window[-1].position,
    )


def _without_gaps(passages: list[Passage], n_utterances: int) -> list[Passage]:
    """Left-out backchannels belong to the passage before them, so that positions leave no hole."""
    firsts = [passage.first_position or 0 for passage in passages[1:]] + [n_utterances]
    whole = [
        replace(passage, last_position=max(passage.last_position or 0, following - 1))
        for passage, following in zip(passages, firsts, strict=True)
    ]
    return [replace(whole[0], first_position=0), *whole[1:]]
