"""A question that leans on the one before it becomes one that stands alone. Knows words only: no model, no table.

Nothing is guessed: where no part of the earlier question can be put in its place, both are joined, which a search
over words and meaning reads well.
"""

import re

from rag.query import QUESTION_WORDS
from rag.sentences import words
from rag.support import FUNCTION_WORDS

MAX_CHARS = 2_000
_FEW = 2  # content words up to which a question says too little to stand alone
# "And in 2023?", "What about Berlin?", "Und wer noch?"
_OPENING = re.compile(
    r"^(?:(?:and|but|so|or|und|aber|also|oder)\b[\s,]*)?(?:(?:(?:what|how)\s+)?about\b|was\s+ist\s+mit\b|wie\s+ist\s+es\s+mit\b)?[\s,]*",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(it|its|that|this|these|those|they|them|their|he|him|his|she|her|there|er|sie|es|ihn|ihm|ihr|dort|davon|"
    r"dazu|damit|dessen|deren)\b",
    re.IGNORECASE,
)
# Small words that point only when no noun follows: "that page" names what it means.
_POINTS_ALONE = re.compile(r"\b(that|this|these|those|her|his|their|its)\b(?=\s+\w)", re.IGNORECASE)
_TOPIC = re.compile(
    r"\b(?:about|regarding|concerning|on the topic of|über|bezüglich)\s+(.+?)\s*[?.!]*$", re.IGNORECASE
)
_ASKING = re.compile(
    r"^(?:(?:who|whom|whose|what|which|when|where|why|how(?:\s+(?:many|much|long|often))?|wer|wen|wem|was|wann|wo|"
    r"warum|wie|welche[rsnm]?)\s+)?(?:(?:is|are|was|were|do|does|did|has|have|had|can|could|should|will|would|ist|"
    r"sind|war|waren|hat|haben|wird|werden|kann)\s+)?(?:(?:we|you|they|i|one|there|wir|man|ihr)\s+)?",
    re.IGNORECASE,
)
_ASKING_WORD = re.compile(
    r"(?:who|whom|whose|what|which|when|where|why|how|wer|wen|wem|was|wann|wo|warum|wie|welche)\b",
    re.IGNORECASE,
)
_VERB_FIRST = re.compile(r"^(?:who|what|wer|was)\s+([a-zäöü]+(?:s|ed|t|te))\b", re.IGNORECASE)
_PREPOSITION_AND_NAME = re.compile(r"\b(in|at|for|from|by|with|on|für|bei|von|mit)\s+([A-ZÄÖÜ][\w-]*)")
_NAME = re.compile(r"(?<=\s)[A-ZÄÖÜ][\w-]*(?:\s+[A-ZÄÖÜ][\w-]*)*")
_YEAR_OR_NUMBER = re.compile(r"\b\d[\d.,/-]*\b")
_PRONOUN_LIST = "it that this these those they them he him she her its their his er sie es ihn ihm ihr"
_PRONOUNS = frozenset(_PRONOUN_LIST.split())


def stand_alone(previous: str, question: str) -> str:
    """`question` with what it takes from `previous` put in; unchanged when it takes nothing.

    Both are plain text; more than 2,000 characters of either are not looked at.

        >>> stand_alone("Who leads the office in Paris?", "And in Berlin?")
        'Who leads the office in Berlin?'
        >>> stand_alone("When does the Atlas migration start?", "Who owns it?")
        'Who owns Atlas migration start?'
        >>> stand_alone("What did Ann say about the launch?", "And about the budget?")
        'What did Ann say about the budget?'
    """
    before, now = _clean(previous), _clean(question)
    if not before or not now:
        return now
    opened = _OPENING.match(now)
    rest = now[opened.end() :] if opened else now
    is_opened = rest != now and bool(rest)
    if is_opened and (swapped := _swapped(before, rest)) is not None:
        return swapped
    if not (is_opened or _points_back(now) or _says_little(now)):
        return now
    topic = _topic(before)
    if not topic:
        return now
    place = _pronoun(rest)
    if place is not None:
        return f"{rest[: place.start()]}{topic}{rest[place.end() :]}"
    return f"{now.rstrip(' ?.!')} ({topic})?"


def _clean(text: str) -> str:
    return " ".join(text.replace("\x00", " ").split())[:MAX_CHARS]


def _points_back(question: str) -> bool:
    return _pronoun(question) is not None


def _pronoun(question: str) -> re.Match[str] | None:
    """The first word that stands for something said before."""
    for match in _POINTING.finditer(question):
        if not _POINTS_ALONE.match(question, match.start()):
            return match
    return None


def _says_little(question: str) -> bool:
    is_asking = question.endswith("?") or _ASKING_WORD.match(question) is not None
    return (
        is_asking and len(_content(question)) <= _FEW and not _NAME.search(question) and '"' not in question
    )


def _content(text: str) -> list[str]:
    left_out = FUNCTION_WORDS | QUESTION_WORDS | _PRONOUNS
    return [word for word in words(text) if word not in left_out]


def _swapped(before: str, rest: str) -> str | None:
    """The earlier question with its one name, number or topic replaced by the new one's; None when unclear."""
    if len(_content(rest)) > _FEW + 1:
        return None
    place = _PREPOSITION_AND_NAME.match(rest)
    same = [one for one in _PREPOSITION_AND_NAME.finditer(before) if place and one[1] == place[1].lower()]
    if place and len(same) == 1:
        return f"{before[: same[0].start(2)]}{place[2]}{before[same[0].end(2) :]}"
    for pattern in (_YEAR_OR_NUMBER, _NAME):
        new, old = pattern.findall(f" {rest}"), pattern.findall(before)
        if len(new) == 1 and len(old) == 1:
            return before.replace(old[0], new[0].strip(" ?.!"))
    about = _TOPIC.search(before)
    if about and not _ASKING_WORD.match(rest) and _pronoun(rest) is None:
        return f"{before[: about.start(1)]}{rest.rstrip(' ?.!')}{before[about.end(1) :]}"
    return None


def _topic(question: str) -> str:
    """What a question is about, in its own words: what follows "about", or all but the words of asking."""
    plain = question.rstrip(" ?.!")
    about = _TOPIC.search(question)
    if about and _content(about[1]):
        return about[1]
    verb = _VERB_FIRST.match(plain)
    said = plain[verb.end() :] if verb else _ASKING.sub("", plain, count=1)
    kept = [word for word in said.split() if set(words(word)) - QUESTION_WORDS]
    while kept and set(words(kept[0])) <= FUNCTION_WORDS | _PRONOUNS:
        kept.pop(0)
    return " ".join(kept)
