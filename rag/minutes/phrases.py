"""What a meeting speaks about: its noun phrases, each with the chance that a summary would name it.

The chance is a logistic regression fitted on public meetings and their summaries (`training/fit_phrases.py` wrote
`phrase_weights.json`); it looks at how, where and by how many people a phrase is said, and a little at its words.
"""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources

from rag.minutes.utterances import Sentence
from rag.minutes.word_classes import is_known, listed, noun_phrases
from rag.sentences import words
from rag.support import stem

Key = tuple[str, ...]  # stems, in order
N_BLOCKS = 20
MAX_SENTENCES = 20_000
MOSTLY_INNER = 0.6  # "control" is rarely said outside "remote control"
LONGER = 0.6  # what a longer name is preferred by: it says more
TAKES_ARTICLE = 0.25
FEATURES = (
    "log_count", "log_rate", "spread", "log_speakers", "first_at", "last_at", "two_words", "more_words", "capital",
    "after_determiner", "inner", "burst", "rarest_word", "commonest_word", "of_speakers", "length", "richness",
    "once", "unknown_head", "plural", "word_min", "word_max", "word_mean",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Phrase:
    """`said` are sentence indices in order; `weight` in 0..1 is the chance that a summary names it."""

    key: Key
    form: str
    said: tuple[int, ...]
    weight: float
    has_article: bool

    @property
    def with_article(self) -> str:
        return f"the {self.form}" if self.has_article else self.form


@dataclass(slots=True)
class _Heard:
    said: list[int] = field(default_factory=list)
    forms: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    n_inner: int = 0

    @property
    def form(self) -> str:
        return self.forms.most_common(1)[0][0]

    @property
    def after_determiner(self) -> float:
        return sum(n for word, n in self.before.items() if word in listed("before_nouns")) / len(self.said)

    @property
    def has_article(self) -> bool:
        """Whether a determiner usually leads to it where it stands on its own."""
        led = sum(
            n for word, n in self.before.items() if word in listed("before_nouns") - listed("no_article")
        )
        return led >= TAKES_ARTICLE * max(1, len(self.said) - self.n_inner)


@dataclass(frozen=True, slots=True)
class Weights:
    """`features` in the order of FEATURES; `words` are log odds of stems, `unseen` that of any other."""

    intercept: float
    features: tuple[float, ...]
    words: dict[str, float]
    unseen: float


def phrases(spoken: Sequence[Sentence], weights: Weights | None = None) -> list[Phrase]:
    """Phrases worth naming, the likeliest first."""
    weights = weights or shipped_weights()
    found = []
    heard = heard_phrases(spoken)
    for key, features in featured(spoken, heard, weights):
        one = heard[key]
        if one.n_inner / len(one.said) > MOSTLY_INNER and len(key) == 1:
            continue
        if all(word in _meeting_words() for word in key):
            continue
        score = weights.intercept + sum(a * b for a, b in zip(weights.features, features, strict=True))
        chance = 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))
        found.append(Phrase(key, one.form, tuple(one.said), chance, one.has_article))
    return sorted(found, key=lambda phrase: (-worth(phrase), phrase.key))


def worth(phrase: Phrase) -> float:
    """The chance, raised for longer names."""
    return phrase.weight * (1 + LONGER * (len(phrase.key) > 1))


def heard_phrases(spoken: Sequence[Sentence]) -> dict[Key, _Heard]:
    """Every phrase that is said twice, or once in two words and more."""
    heard: dict[Key, _Heard] = {}
    for index, sentence in enumerate(spoken[:MAX_SENTENCES]):
        for phrase in noun_phrases(sentence.text):
            forms = [_form(word) for word in phrase.words]
            if not _names_something(forms, phrase.is_inner):
                continue
            key = tuple(stem(word) for word in forms)
            one = heard.setdefault(key, _Heard())
            if one.said and one.said[-1] == index:
                continue
            one.said.append(index)
            one.forms[" ".join(forms)] += 1
            one.before[phrase.before] += 1
            one.n_inner += phrase.is_inner
    return {key: one for key, one in heard.items() if len(one.said) > 1 or len(key) > 1}


def featured(
    spoken: Sequence[Sentence], heard: dict[Key, _Heard], weights: Weights
) -> list[tuple[Key, tuple[float, ...]]]:
    """The features of each phrase, in the order of FEATURES."""
    counts = Counter(word for sentence in spoken for word in {stem(term) for term in sentence.terms})
    speakers = {stem(word) for name in {s.speaker for s in spoken if s.speaker} for word in words(name)}
    return [(key, _features(key, one, spoken, counts, speakers, weights)) for key, one in heard.items()]


@lru_cache(maxsize=1)
def shipped_weights() -> Weights:
    text = resources.files(__package__).joinpath("phrase_weights.json").read_text(encoding="utf-8")
    stored = json.loads(text)
    by_name = stored["features"]
    return Weights(
        stored["intercept"], tuple(by_name[name] for name in FEATURES), stored["words"], stored["unseen"]
    )


def _features(
    key: Key,
    one: _Heard,
    spoken: Sequence[Sentence],
    counts: Counter[str],
    speakers: set[str],
    weights: Weights,
) -> tuple[float, ...]:
    n, n_said, form = len(spoken), len(one.said), one.form
    blocks = Counter(index * N_BLOCKS // n for index in one.said)
    odds = [weights.words.get(word, weights.unseen) for word in key]
    return (
        math.log(n_said),
        math.log(1 + 1_000 * n_said / n),
        len(blocks) / N_BLOCKS,
        math.log(1 + len({spoken[index].speaker for index in one.said})),
        one.said[0] / n,
        one.said[-1] / n,
        float(len(key) == 2),
        float(len(key) > 2),
        float(any(letter.isupper() for letter in form)),
        one.after_determiner,
        one.n_inner / n_said,
        max(blocks.values()) / n_said,
        math.log(1 + min(counts[word] for word in key)),
        math.log(1 + max(counts[word] for word in key)),
        float(bool(speakers.intersection(key))),
        min(len(form) / 20, 2.0),
        sum(len(spoken[index].terms) for index in one.said) / n_said / 10,
        float(n_said == 1),
        float(not is_known(form.split()[-1])),
        float(form.endswith("s")),
        min(odds),
        max(odds),
        sum(odds) / len(odds),
    )


def _form(word: str) -> str:
    """As said where the capital is part of the word ("LCD", "Python"), else lower-case."""
    is_proper = (len(word) > 1 and word.isupper()) or not is_known(word.lower())
    return word if is_proper else word.lower()


def _names_something(forms: Sequence[str], is_inner: bool) -> bool:
    if any(len(form) < 2 for form in forms) or forms[-1] in listed("vague"):
        return False
    return is_inner or len(forms) == 1 or forms[0] not in listed("weak_adjectives")


@lru_cache(maxsize=1)
def _meeting_words() -> frozenset[str]:
    return frozenset(stem(word) for word in (*listed("meeting"), *listed("vague")))
