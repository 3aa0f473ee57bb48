"""Do two questions ask for the same? Strict on purpose: a confirmed answer to the wrong question is worse than none.

Measured on the SQuAD 2.0 development articles of `../shared/data/rag` (13,831 pairs of different questions about one
paragraph, many made to look alike; 54 pairs with the same answer): the cosine of all-MiniLM-L6-v2 alone, from 0.9, would
have served 825 wrong ones. With the rules below it is 1 ("Boleslaw II of Masovia" against "Masovia II of Boleslaw"),
for 2 of the 54: what is put in other words is answered afresh.
"""

import re
from collections import Counter

from rag.sentences import words
from rag.support import content_words, facts, stem

LEAST_SIMILAR = 0.9
_ASKS = {"whom": "who", "whose": "who", "which": "what", "welche": "was", "welcher": "was", "welches": "was"}
_ASKING_LIST = (
    "who whom whose what which when where why how wer wem wen was welche welcher welches wann wo warum wie"
)
_ASKING = frozenset(_ASKING_LIST.split())
# Small words that turn a question round: who did it to whom, before or after, with or without.
_TURNING_LIST = (
    "not no never none without nicht kein keine nie ohne by from to with against before after since until between "
    "von an mit gegen vor nach seit bis zwischen many much long often viele viel lange oft"
)
_TURNING = frozenset(_TURNING_LIST.split())


def question_key(question: str) -> str:
    """The question without case, punctuation and spacing: equal keys are the same question."""
    return " ".join(re.findall(r"\w+", question.lower()))[:2_000]


def is_same_question(one: str, other: str, similarity: float) -> bool:
    """True for the same words in another order or dress.

    Args:
        similarity: cosine of both questions' vectors.
    """
    if question_key(one) == question_key(other):
        return True
    return similarity >= LEAST_SIMILAR and _asked(one) == _asked(other)


def _asked(question: str) -> tuple[Counter[str], frozenset[str], Counter[str], Counter[str]]:
    said = words(question)
    return (
        Counter(_ASKS.get(word, word) for word in said if word in _ASKING),
        frozenset(stem(word) for word in content_words(question)),
        Counter(word for word in said if word in _TURNING),
        Counter(fact.lower() for fact in facts(question)),
    )
