"""Is this sentence carried by its evidence? Words and facts only; knows no model and no table.

A sentence is refused when it brings a number, a date, a code or a name that its evidence does not have, when it
turns a statement round (a negation added or lost), or when too few of its words are found.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.sentences import split_sentences, words

# Share of the sentence's content words that the evidence must hold. Copied sentences score 1; a sentence that
# keeps half its words and invents the other half must fail.
SUPPORTED_FROM = 0.6

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)(?<![\w-])([A-ZÄÖÜ][\w'’-]+|[A-Z]{2,}[\w-]*)")
_NEGATIONS = frozenset(
    {"not", "no", "never", "none", "nobody", "without", "cannot", "nicht", "kein", "keine", "nie"}
)
_FUNCTION_WORD_LIST = (
    "a an and are as at be been but by can could did do does for from had has have he her his how i if in is it its "
    "may might of on or our shall she should so than that the their them then there these they this those to up was "
    "we were what when where which who will with would you your "
    "der die das den dem des ein eine einer und oder ist sind war waren im in zu mit von auf für es er sie wir "
    "le la les un une des et ou est sont dans de du en el los las una y o es son con por para"
)
FUNCTION_WORDS = frozenset(_FUNCTION_WORD_LIST.split())
_SMALL_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ]
    )
}


@dataclass(frozen=True, slots=True)
class Support:
    """How well evidence carries a sentence: `score` in 0..1, `missing` facts and turned statements by name."""

    score: float
    missing: tuple[str, ...] = ()

    @property
    def is_supported(self) -> bool:
        return not self.missing and self.score >= SUPPORTED_FROM


def is_supported(sentence: str, passages: Sequence[str]) -> Support:
    """Compare a sentence with the text of the passages it cites; no passage supports nothing."""
    said = content_words(sentence)
    if not passages or not said:
        return Support(0.0)
    evidence = " ".join(passages)
    known = {stem(word) for word in words(evidence)}
    recall = sum(stem(word) in known for word in said) / len(said)
    missing = missing_facts(sentence, evidence)
    if _is_turned(sentence, passages):
        missing.append("negation")
    return Support(recall, tuple(missing))


def missing_facts(text: str, evidence: str) -> list[str]:
    """Numbers and names of `text` that `evidence` does not hold."""
    known = {stem(word) for word in words(evidence)}
    return [fact for fact in facts(text) if not _holds(evidence, known, fact)]


def content_words(text: str) -> list[str]:
    """Unique words that carry content, lower-case, in order."""
    return [word for word in dict.fromkeys(words(text)) if word not in FUNCTION_WORDS]


def stem(word: str) -> str:
    """A crude stem that lets `decided`, `decides` and `decision` differ but `plan`, `plans`, `planned` meet.

    Only for comparing two texts with each other; the index stems by Postgres.
    """
    word = word.casefold().replace("’", "'").removesuffix("'s")
    word = _SMALL_NUMBERS.get(word, word)
    for ending in (
        "ations",
        "ation",
        "ingly",
        "edly",
        "ings",
        "ing",
        "ies",
        "ied",
        "ers",
        "est",
        "ed",
        "es",
        "er",
        "ly",
        "s",
        "e",
        "y",
    ):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word[-1].isdigit():
            word = word.removesuffix(ending)
            return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word
    return word


def facts(sentence: str) -> list[str]:
    """Numbers (digits) and capitalized names inside the sentence, its first word aside."""
    names = [match[1] for match in _NAME.finditer(sentence)]
    return list(
        dict.fromkeys([*_NUMBER.findall(sentence), *(name for name in names if not _is_function(name))])
    )


def _is_function(name: str) -> bool:
    return name.casefold() in FUNCTION_WORDS


def _holds(evidence: str, known: set[str], fact: str) -> bool:
    if _NUMBER.fullmatch(fact):
        numbers = {_plain_number(number) for number in _NUMBER.findall(evidence)}
        return _plain_number(fact) in numbers or (fact.isdigit() and fact in known)
    return all(stem(part) in known for part in words(fact))


def _plain_number(number: str) -> str:
    """`1,000` and `1000` are one number; `2.50` and `2.5` too."""
    plain = re.sub(r",(?=\d{3}(?!\d))", "", number)
    return plain.rstrip("0").rstrip(".") if "." in plain and plain.count(".") == 1 else plain


def _is_turned(sentence: str, passages: Iterable[str]) -> bool:
    """True when the nearest evidence sentence says the same words with a negation more or less."""
    said = {stem(word) for word in content_words(sentence)} - _NEGATIONS
    nearest, best = "", 0.0
    for passage in passages:
        for candidate in split_sentences(passage):
            there = {stem(word) for word in content_words(candidate)}
            overlap = len(said & there) / len(said) if said else 0.0
            if overlap > best:
                nearest, best = candidate, overlap
    return best >= SUPPORTED_FROM and _is_negated(sentence) != _is_negated(nearest)


def _is_negated(text: str) -> bool:
    return any(word in _NEGATIONS or word.replace("’", "'").endswith("n't") for word in words(text))
