"""Which words of an English sentence are nouns, adjectives and verbs, by dictionary and by what stands before.

Knows no meeting. The dictionary is lemminflect's (from the NIH's SPECIALIST lexicon), without its statistical tagger.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Literal

import yaml

Kind = Literal["noun", "adjective", "verb", "adverb", "function", "number", "stop"]
MAX_PHRASE_WORDS = 4
_TOKEN = re.compile(r"[^\W\d_][\w]*(?:[-'][\w]+)*|\d+(?:[.,]\d+)*|[.,;:?!]")
_SPELLED = re.compile(r"\b(?:[A-Z]_)+[A-Z]?\b")  # "L_C_D_", as transcribers write letters said one by one


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """`words` as said; `before` is the word that led to it, lower-case, empty at the start or inside a longer one."""

    words: tuple[str, ...]
    before: str
    is_inner: bool


def unspelled(text: str) -> str:
    """ "L_C_D_ screen" → "LCD screen"."""
    return _SPELLED.sub(lambda letters: letters.group().replace("_", ""), text)


def tagged(text: str) -> list[Word]:
    """Words, numbers and stops in order; a hyphenated or contracted word is one."""
    found: list[Word] = []
    for token in _TOKEN.findall(unspelled(text)):
        before = found[-1] if found else Word("", "stop")
        found.append(Word(token, _kind(token, before)))
    return found


def noun_phrases(text: str) -> Iterator[NounPhrase]:
    """Runs of adjectives and nouns that end in a noun, and the shorter ends of each ("rubber case", "case")."""
    said = tagged(text)
    start = 0
    while start < len(said):
        stop = start
        while stop < len(said) and said[stop].kind in ("noun", "adjective"):
            stop += 1
        last = stop
        while last > start and said[last - 1].kind == "adjective":
            last -= 1
        for first in range(max(start, last - MAX_PHRASE_WORDS), last):
            before = said[first - 1].text.lower() if first == start and first else ""
            yield NounPhrase(tuple(word.text for word in said[first:last]), before, first > start)
        start = max(stop, start + 1)


def is_known(word: str) -> bool:
    """Whether the dictionary has this lower-case word."""
    return bool(_classes(word)) or word in listed("function_words")


@lru_cache(maxsize=16)
def listed(name: str) -> frozenset[str]:
    """The words of one list of `english.yaml`."""
    text = resources.files(__package__).joinpath("english.yaml").read_text(encoding="utf-8")
    return frozenset(str(yaml.safe_load(text)[name]).split())


def content(words: Sequence[str]) -> list[str]:
    return [word for word in words if word.lower() not in listed("function_words")]


def _kind(token: str, before: Word) -> Kind:
    word = token.lower()
    if not token[0].isalpha():
        return "number" if token[0].isdigit() else "stop"
    if word in listed("function_words") or "'" in word:
        return "function"
    classes = _classes(word)
    if not classes - {"PROPN"} or classes == {"NOUN"}:
        return "noun"
    if word.endswith("ly") and "NOUN" not in classes:
        return "adverb"
    if "NOUN" in classes:
        return _noun_or_not(word, classes, before)
    if classes == {"VERB"}:
        is_participle = word.endswith(("ed", "ing")) and before.text.lower() in listed("before_nouns")
        return "adjective" if is_participle else "verb"
    return "adjective" if "ADJ" in classes else "adverb"


def _noun_or_not(word: str, classes: frozenset[str], before: Word) -> Kind:
    follows_determiner = before.text.lower() in listed("before_nouns")
    if "VERB" not in classes:
        return "adjective" if "ADJ" in classes and follows_determiner else "noun"
    if before.text.lower() in listed("before_verbs"):
        return "verb"
    if follows_determiner or before.kind in ("noun", "adjective"):
        return "noun"
    return "verb" if word.endswith(("ing", "ed")) else "noun"


@lru_cache(maxsize=50_000)
def _classes(word: str) -> frozenset[str]:
    from lemminflect import getAllLemmas

    return frozenset(getAllLemmas(word))
