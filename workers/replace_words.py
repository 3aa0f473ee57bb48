"""Puts one wording in the place of another, in whole words, in text and in timed words; knows no table."""

import calendar
import difflib
import re
from collections.abc import Sequence
from typing import Any

# `[start_s, end_s, text, confidence]`, as segments keep their words.
TimedWord = list[Any]
LEADING, TRAILING = re.compile(r"^\W+"), re.compile(r"\W+$")
EDGE = re.compile(r"^\W+|\W+$")
MOST_PAIR_WORDS = 4
# What is misheard is spelt alike: larkmore and Larkmoor share 0.88 of their letters, Friday and Monday 0.5.
LEAST_ALIKE = 0.65
CALENDAR = frozenset(name.casefold() for name in (*calendar.day_name, *calendar.month_name) if name)


def pattern_of(wording: str) -> re.Pattern[str]:
    """Finds a wording as whole words, whatever its case and however wide its spaces are."""
    parts = r"\s+".join(re.escape(part) for part in wording.split())
    return re.compile(rf"(?<!\w){parts}(?!\w)", re.IGNORECASE)


def replaced(text: str, wrong: str, right: str) -> str:
    """`text` with `right` wherever `wrong` stood as whole words; `right` is taken as it is, never as a pattern."""
    return pattern_of(wrong).sub(lambda _: right, text)


def replaced_in_words(words: Sequence[TimedWord], wrong: str, right: str) -> list[TimedWord]:
    """Timed words with `right` in the place of each run that says `wrong`; it takes the run's whole time.

    Punctuation around the run stays, and so does its lowest confidence: somebody corrected the word, not the sound.
    """
    wanted = [_bare(part) for part in wrong.split()]
    kept: list[TimedWord] = []
    place = 0
    while place < len(words):
        run = words[place : place + len(wanted)]
        if wanted and [_bare(str(word[2])) for word in run] == wanted:
            kept.append(_joined(run, right))
            place += len(wanted)
        else:
            kept.append(list(words[place]))
            place += 1
    return kept


def retimed(words: Sequence[TimedWord], text: str) -> list[TimedWord]:
    """Timed words that say `text`: equal ones keep their times, new ones share the time of those they replace."""
    said = text.split()
    matcher = difflib.SequenceMatcher(
        a=[_bare(str(word[2])) for word in words], b=[_bare(one) for one in said]
    )
    timed: list[TimedWord] = []
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            for word, one in zip(words[start:end], said[new_start:new_end], strict=True):
                timed.append([word[0], word[1], one, word[3]])
        else:
            from_s, to_s = _room(words, start, end)
            share_s = (to_s - from_s) / max(1, new_end - new_start)
            for number, one in enumerate(said[new_start:new_end]):
                timed.append([from_s + number * share_s, from_s + (number + 1) * share_s, one, None])
    return timed


def learned_pairs(before: str, after: str) -> list[tuple[str, str]]:
    """(wrong, right) pairs worth remembering from an edit: short runs replaced by a name or term.

    A name or term has a capital letter inside its sentence, or a digit, and is spelt much like what was heard:
    `their` for `there` teaches nothing, since both are right somewhere, nor does `Monday` for `Friday`.
    """
    old, new = before.split(), after.split()
    matcher = difflib.SequenceMatcher(
        a=[_bare(one) for one in old], b=[_bare(one) for one in new], autojunk=False
    )
    pairs = []
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind != "replace" or max(end - start, new_end - new_start) > MOST_PAIR_WORDS:
            continue
        wrong, right = _trimmed(" ".join(old[start:end])), _trimmed(" ".join(new[new_start:new_end]))
        opens_sentence = new_start == 0 or new[new_start - 1][-1:] in ".!?"
        if len(wrong) > 2 and _is_term(right, opens_sentence=opens_sentence) and _sound_alike(wrong, right):
            pairs.append((wrong, right))
    return pairs


def _is_term(wording: str, *, opens_sentence: bool) -> bool:
    marked = [word for word in wording.split() if any(char.isupper() or char.isdigit() for char in word)]
    # At the start of a sentence every word has a capital; two of them, or one further inside, make a name.
    return len(marked) > 1 or (
        bool(marked) and (not opens_sentence or any(c.isupper() for c in marked[0][1:]))
    )


def _sound_alike(wrong: str, right: str) -> bool:
    """Most letters agree, and the two are not both days or months: those are corrected facts, not mishearings."""
    left, other = ("".join(wording.casefold().split()) for wording in (wrong, right))
    if left in CALENDAR and other in CALENDAR:
        return False
    return difflib.SequenceMatcher(a=left, b=other, autojunk=False).ratio() >= LEAST_ALIKE


def _joined(run: Sequence[TimedWord], right: str) -> TimedWord:
    before, after = LEADING.match(str(run[0][2])), TRAILING.search(str(run[-1][2]))
    known = [word[3] for word in run if word[3] is not None]
    return [run[0][0], run[-1][1], f"{_text(before)}{right}{_text(after)}", min(known) if known else None]


def _text(match: re.Match[str] | None) -> str:
    return match[0] if match else ""


def _room(words: Sequence[TimedWord], start: int, end: int) -> tuple[float, float]:
    """The time of `words[start:end]`; of nothing, the gap there."""
    if end > start:
        return float(words[start][0]), float(words[end - 1][1])
    left = float(words[start - 1][1]) if start > 0 else (float(words[0][0]) if words else 0.0)
    right = float(words[start][0]) if start < len(words) else left
    return left, max(left, right)


def _bare(word: str) -> str:
    return EDGE.sub("", word).casefold()


def _trimmed(wording: str) -> str:
    return EDGE.sub("", wording)
