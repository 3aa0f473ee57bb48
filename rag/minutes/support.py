"""How well evidence carries a written line: its words, numbers, names and negations, owner and due date by name."""

import re
from collections.abc import Sequence

from rag.minutes.utterances import Sentence
from rag.minutes.word_classes import listed
from rag.sentences import words
from rag.support import missing_facts, stem

_NEGATION = re.compile(
    r"\b(?:not|no|never|nobody|nothing|none|neither|without|cannot)\b|n't\b", re.IGNORECASE
)
MISSING_FACT = 0.5  # an owner, date, number, name or negation that nobody said halves the support


def support_of(
    text: str, carriers: Sequence[Sentence], *, owner: str | None = None, due_text: str | None = None
) -> float:
    """The share of the line's words found in its evidence, in 0..1, lowered for each fact that is not there.

    Words that wording.py, narrative.py and reporting.py add to tell what was said ("the group discussed") need no evidence and count for nothing.
    """
    evidence = _evidence(carriers)
    said = {stem(word) for word in words(evidence)}
    written = [word for word in words(_plain(text)) if word not in listed("telling")]
    share = sum(stem(word) in said for word in written) / len(written) if written else 0.0
    if owner and not {stem(word) for word in words(owner)} & said:
        share *= MISSING_FACT
    if due_text and not {stem(word) for word in words(due_text)} <= said:
        share *= MISSING_FACT
    if missing_facts(_plain(text), evidence):
        share *= MISSING_FACT
    if _is_negation_lost(text, carriers):
        share *= MISSING_FACT
    return round(share, 3)


def _evidence(carriers: Sequence[Sentence]) -> str:
    """What was said, with contractions also in two words, and who said it."""
    said = [_plain(s.text) for s in carriers]
    return " ".join([*said, *(s.text for s in carriers), *(s.speaker for s in carriers if s.speaker)])


def _plain(text: str) -> str:
    """Letters said one by one joined, possessives and their like cut off."""
    joined = re.sub(r"\b(?:[A-Z]_)+[A-Z]?\b", lambda letters: letters.group().replace("_", ""), text)
    return re.sub(r"'s\b", "", joined)


def _is_negation_lost(text: str, carriers: Sequence[Sentence]) -> bool:
    """Whether the line denies what nobody denied, or a line from one sentence asserts what that denied."""
    denied = [bool(_NEGATION.search(sentence.text)) for sentence in carriers]
    is_denied = bool(_NEGATION.search(text))
    return is_denied != denied[0] if len(denied) == 1 else is_denied and not any(denied)
