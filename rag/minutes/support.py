"""How well evidence carries a written line: lexical overlap, with owner and due date looked for by name."""

import re
from collections.abc import Sequence

from rag.minutes.utterances import Sentence
from rag.sentences import words

_FRAME = frozenset(  # words that wording.py adds
    {
        "will",
        "they",
        "them",
        "their",
        "theirs",
        "themselves",
        "they're",
        "they've",
        "they'll",
        "they'd",
        "are",
        "to",
    }
)
MISSING_FACT = 0.5  # an owner or date that nobody said halves the support


def support_of(
    text: str, carriers: Sequence[Sentence], *, owner: str | None = None, due_text: str | None = None
) -> float:
    """The share of the line's words found in its evidence, in 0..1, lowered for each fact that is not there."""
    said = {word for s in carriers for word in [*words(s.text), *words(re.sub(r"'s\b", "", s.text))]}
    speakers = {word for sentence in carriers if sentence.speaker for word in words(sentence.speaker)}
    written = [word for word in words(re.sub(r"'s\b", "", text)) if word not in _FRAME]
    share = sum(word in said or word in speakers for word in written) / len(written) if written else 0.0
    if owner and not set(words(owner)) & (said | speakers):
        share *= MISSING_FACT
    if due_text and not set(words(due_text)) <= said:
        share *= MISSING_FACT
    return round(share, 3)
