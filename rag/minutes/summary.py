"""The few sentences that stand for the whole meeting: near its centre, far from each other, spread over its topics."""

import re
from collections.abc import Sequence

import numpy as np

from rag.minutes import wording
from rag.minutes.candidates import Candidate
from rag.minutes.terms import Embed, Matrix, vectors
from rag.minutes.topics import Topic
from rag.minutes.utterances import Sentence

MIN_WORDS_SAID = 60
MIN_WORDS, MAX_WORDS = 8, 42
MIN_TERMS = 4
ENOUGH_ELSE = 9
MAX_CANDIDATES = 400
RELEVANCE = 0.65  # lambda of maximal marginal relevance (Carbonell & Goldstein 1998)
CARRIES_LINE = 0.15  # a sentence that decides or promises says more about the meeting
WORDS_A_SENTENCE = 1_200
LEAST, MOST = 3, 6
LEANS = 0.1  # what a sentence loses that leans on the one before it
_LEANING = re.compile(
    r"^(?:(?:and|so|but|yeah|well|oh|okay|no|yes|nah)\b[,.]? )*(?:'?cause|because|if|or|which|it|it's|that|that's|they|he|she|this|those|like|'s)\b",
    re.IGNORECASE,
)


def summary(
    spoken: Sequence[Sentence],
    topics: Sequence[Topic],
    important: frozenset[int],
    embed: Embed | None,
    limit: int,
) -> list[Candidate]:
    """Three to six central sentences in spoken order; none when too little was said."""
    n_words = sum(sentence.n_words for sentence in spoken)
    pool = _pool(spoken, important)
    if n_words < MIN_WORDS_SAID or len(pool) < LEAST or limit < 1:
        return []
    matrix = vectors([spoken[i].text for i in pool], [spoken[i].terms for i in pool], embed)
    wanted = min(limit, MOST, max(LEAST, round(n_words / WORDS_A_SENTENCE)))
    topic_of = [
        next((t for t, topic in enumerate(topics) if topic.first <= i <= topic.last), -1) for i in pool
    ]
    bonus = np.array([_bonus(spoken[i], i in important) for i in pool], dtype=np.float32)
    chosen = _diverse(matrix, bonus, topic_of, wanted)
    return [
        Candidate("summary", _text(spoken[pool[row]]), (pool[row],), 0.7)
        for row in sorted(chosen, key=lambda row: pool[row])
    ]


def _pool(spoken: Sequence[Sentence], important: frozenset[int]) -> list[int]:
    """Indices of statements long enough to inform and short enough to read, the richest first kept.

    What stands among decisions and actions is not said twice where the meeting has enough else to say.
    """
    fit = [
        i
        for i, s in enumerate(spoken)
        if MIN_WORDS <= s.n_words <= MAX_WORDS
        and len(set(s.terms)) >= MIN_TERMS
        and not s.is_question
        and not wording.dangles(s.text)
        and s.text[-1] in ".!"
    ]
    if len(fit) < LEAST:  # a recognizer without punctuation
        fit = [i for i, s in enumerate(spoken) if s.n_words >= MIN_WORDS and len(set(s.terms)) >= MIN_TERMS]
    others = [i for i in fit if i not in important]
    if len(others) >= ENOUGH_ELSE:
        fit = others
    richest = sorted(fit, key=lambda i: (-len(set(spoken[i].terms)), i))[:MAX_CANDIDATES]
    return sorted(richest)


def _bonus(sentence: Sentence, is_important: bool) -> float:
    return (CARRIES_LINE if is_important else 0.0) - (LEANS if _LEANING.search(sentence.text) else 0.0)


def _diverse(matrix: Matrix, bonus: Matrix, topic_of: Sequence[int], wanted: int) -> list[int]:
    centre = matrix.mean(axis=0)
    norm = float(np.linalg.norm(centre))
    relevance = (matrix @ centre) / (norm or 1.0) + bonus
    chosen: list[int] = []
    nearest = np.zeros(len(matrix), dtype=np.float32)
    used: list[int] = []
    while len(chosen) < min(wanted, len(matrix)):
        crowding = np.array([used.count(topic) for topic in topic_of], dtype=np.float32)
        score = RELEVANCE * relevance - (1 - RELEVANCE) * nearest - 0.2 * crowding
        score[chosen] = -np.inf
        row = int(np.argmax(score))
        chosen.append(row)
        used.append(topic_of[row])
        nearest = np.maximum(nearest, matrix @ matrix[row])
    return chosen


def _text(sentence: Sentence) -> str:
    speaks_of_self = any(word in f" {sentence.text} " for word in (" I ", " I'", " my ", " me "))
    return wording.quoted(sentence.speaker if speaks_of_self else None, sentence.text)
