"""Questions the meeting left open: said to be open, or asked and met with "no idea" or silence."""

from collections.abc import Sequence

from rag.minutes import wording
from rag.minutes.candidates import Candidate
from rag.minutes.cues import Cues
from rag.minutes.replies import following
from rag.minutes.utterances import Sentence

DECLARED, UNKNOWN, UNANSWERED = 0.8, 0.75, 0.56
REACH = 6
MIN_TERMS = 2
MIN_WORDS = 4
MAX_WORDS = 40
ANSWER_WORDS = 4


def questions(spoken: Sequence[Sentence], cues: Cues, taken: frozenset[int]) -> list[Candidate]:
    """Open questions, unranked. `taken` are sentences that already carry an action or a decision."""
    found: list[Candidate] = []
    used: set[int] = set(taken)
    for index in range(len(spoken)):
        candidate = None if index in used else _open_question(spoken, index, cues)
        if candidate:
            found.append(candidate)
            used.update(candidate.carriers)
    return found


def _open_question(spoken: Sequence[Sentence], index: int, cues: Cues) -> Candidate | None:
    sentence = spoken[index]
    if sentence.n_words > MAX_WORDS or sentence.is_reaction or wording.dangles(sentence.text):
        return None
    if not sentence.is_question:
        return _declared(spoken, index, cues)
    if (
        len(sentence.terms) < MIN_TERMS
        or sentence.n_words < MIN_WORDS
        or cues.not_a_question.search(sentence.text)
    ):
        return None
    return _asked(spoken, index, cues)


def _declared(spoken: Sequence[Sentence], index: int, cues: Cues) -> Candidate | None:
    sentence = spoken[index]
    if not cues.open_question.search(sentence.text) or len(sentence.terms) < MIN_TERMS:
        return None
    return Candidate("question", wording.as_line(sentence.text), (index,), DECLARED)


def _asked(spoken: Sequence[Sentence], index: int, cues: Cues) -> Candidate | None:
    sentence = spoken[index]
    ahead = list(following(spoken, index, REACH))
    for i in ahead:
        reply = spoken[i]
        if reply.speaker == sentence.speaker and reply.speaker is not None:
            if not reply.is_question and reply.n_words > ANSWER_WORDS and i == index + 1:
                return None  # rhetorical, or a lead-in: the speaker goes on
            continue
        if reply.n_words <= 20 and (cues.unknown.search(reply.text) or cues.open_question.search(reply.text)):
            text = wording.finished(sentence.text)
            return (
                None
                if _answered(spoken, i, sentence, cues)
                else Candidate("question", text, (index, i), UNKNOWN)
            )
        if _is_answer(reply, cues):
            return None
    at_end = index + REACH >= len(spoken)
    if at_end and len(sentence.terms) > MIN_TERMS:
        return Candidate("question", wording.finished(sentence.text), (index,), UNANSWERED)
    return None


def _answered(spoken: Sequence[Sentence], unknown: int, question: Sentence, cues: Cues) -> bool:
    """Whether somebody knew after all: a statement soon after that takes up the question's words."""
    asked = set(question.terms)
    for i in following(spoken, unknown, 4):
        reply = spoken[i]
        is_open = cues.unknown.search(reply.text) or cues.open_question.search(reply.text)
        if not reply.is_question and not is_open and len(asked.intersection(reply.terms)) >= MIN_TERMS:
            return True
    return False


def _is_answer(reply: Sentence, cues: Cues) -> bool:
    if reply.is_question:
        return False
    return (
        reply.n_words >= ANSWER_WORDS
        or bool(reply.terms)
        or bool(cues.accept.search(reply.text) or cues.refuse.search(reply.text))
    )
