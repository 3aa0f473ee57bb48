"""Indirect speech: "I think we should use rubber." by Ann → Ann suggested that they should use rubber.

English only, and only sentences whose grammar is plain enough to turn without changing their meaning; others give None.
Auxiliary verbs move to the past, other words stay as they were said.
"""

import re
from dataclasses import dataclass

from rag.minutes.utterances import Sentence
from rag.minutes.word_classes import Word, is_known, listed, tagged, unspelled

MIN_WORDS, MAX_WORDS = 6, 20
VERBS = {"said": "said that", "thought": "thought that", "suggested": "suggested that"}

_OPENING = re.compile(
    r"^(?:(?:so|and|but|well|okay|ok|then|right|yes|yeah|yep|sure|now|oh|alright|anyway|because|or|um|uh|like|of course"
    r"|maybe|perhaps|also|plus|again|still|in fact|I mean|you know|I guess|I suppose|I would say|I'd say|I just|anyways"
    r"|first of all|for me|in my opinion|as I said|therefore|otherwise|(?:mr|mrs|ms|madam)\.? ?(?:chair|speaker)|\w+ly)\b,? ?(?:that )?)+",
    re.IGNORECASE,
)
_THINKS = re.compile(
    r"^(?:I|we) (?:also |just |really |still |personally )?(?:think|thought|believe|feel|felt|would think|reckon)\b,? (?:that )?",
    re.IGNORECASE,
)
_PADDING = re.compile(
    r",? ?\b(?:you know|I mean|I think|I guess|I suppose|sort of|kind of|basically|actually|obviously|really|just|as I said"
    r"|of course|in fact|honestly|to be honest|or something(?: like that)?|and stuff(?: like that)?|and so on|and so forth"
    r"|and all that|et cetera)\b,?(?= |$|[.,])",
    re.IGNORECASE,
)
_UNSAFE = re.compile(
    r"[\"—–:;{}\[\]()]|\.\.|- |\b(?:you|your|you're|you've|you'll|you'd|yours|yourself|please|thanks?|sorry|gonna|wanna|gotta"
    r"|what|there's|cause|cuz|'cause|em|stuff|things?|whatever|guys|hmm|yeah|uh|okay|ok|like that|this one|that one|let's)\b",
    re.IGNORECASE,
)
_OPEN_END = re.compile(
    r"\b(?:a|an|the|of|to|in|is|are|was|were|they|and|or|we|I|very|with|that|but|because|should|could|would|will|can|for"
    r"|my|our|their|on|about|by|at|so|not|than|as|some|which|want|also|if|it)$",
    re.IGNORECASE,
)
_SUGGESTS = re.compile(r"\b(?:should|could|might|would like)\b", re.IGNORECASE)
_SUBJECT_KINDS = ("noun", "adjective", "number", "adverb")
_PERSONS = {
    "i": "they", "we": "they", "my": "their", "our": "their", "me": "them", "us": "them", "mine": "theirs",
    "ours": "theirs", "myself": "themselves", "ourselves": "themselves",
}  # fmt: skip
_SPLIT = (
    (re.compile(r"\b(?:I'm|we're|they're)\b", re.IGNORECASE), "they are"),
    (re.compile(r"\b(?:I'll|we'll|they'll)\b", re.IGNORECASE), "they will"),
    (re.compile(r"\b(?:I've|we've|they've)\b", re.IGNORECASE), "they have"),
    (re.compile(r"\b(?:I'd|we'd|they'd) (?=like|love|rather|have|be)", re.IGNORECASE), "they would "),
    (re.compile(r"\b(it|that|he|she)'s (?=\w)", re.IGNORECASE), r"\1 is "),
    (re.compile(r"\bcan't\b|\bcannot\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"(\w)n't\b"), r"\1 not"),
    (re.compile(r"\b(?:I|we) am\b"), "they are"),
    (re.compile(r"\bI was\b"), "they were"),
)
_PAST = {
    "is": "was", "are": "were", "am": "were", "will": "would", "can": "could", "may": "might", "does": "did",
    "do": "did", "has": "had", "have": "had", "needs": "needed", "need": "needed", "wants": "wanted", "want": "wanted",
}  # fmt: skip
_ONLY_FINITE = frozenset({"is", "are", "am", "will", "can", "may", "has", "needs", "wants", "does"})
_FINITE = frozenset({*_PAST, *_PAST.values(), "should", "must", "shall"})


@dataclass(frozen=True, slots=True)
class Reported:
    """`verb` is a key of VERBS; `clause` follows its "that"."""

    verb: str
    clause: str

    @property
    def text(self) -> str:
        return f"{VERBS[self.verb]} {self.clause}"


def reported(sentence: Sentence) -> Reported | None:
    """What somebody said, as a clause of a sentence about them; None where that is not safe."""
    text = _PADDING.sub("", unspelled(sentence.text))
    if sentence.is_question or len(text) > 300:
        return None
    text, is_thought = _opened(text)
    text = re.sub(r"\s+", " ", text).strip(" ,;.!…-")
    if not MIN_WORDS <= len(text.split()) <= MAX_WORDS or _UNSAFE.search(text) or _OPEN_END.search(text):
        return None
    for pattern, replacement in _SPLIT:
        text = pattern.sub(replacement, text)
    said = tagged(text)
    if not _is_plain(said) or text.count(",") > 2:
        return None
    verb = "suggested" if _SUGGESTS.search(text) else "thought" if is_thought else "said"
    return Reported(verb, _turned(_lowered(text)))


def _opened(text: str) -> tuple[str, bool]:
    """`text` without "so, I think that", and whether thinking was said."""
    is_thought, before = False, None
    while before != text:
        before = text
        text = _OPENING.sub("", text.strip())
        thought = _THINKS.sub("", text)
        is_thought, text = is_thought or thought != text, thought
    return text, is_thought


def _is_plain(said: list[Word]) -> bool:
    """Subject, then a finite verb; no stutter; not more finite verbs than clauses to hold them."""
    tokens = [word.text.lower() for word in said if word.kind != "stop"]
    if any(len(token) == 1 and token not in ("a", "i") and not token.isdigit() for token in tokens):
        return False
    if len(set(zip(tokens, tokens[1:], strict=False))) < len(tokens) - 1:
        return False
    pairs = zip(["", *tokens], tokens, strict=False)
    n_finite = sum(token in _FINITE and before not in listed("before_infinitives") for before, token in pairs)
    n_clauses = 1 + sum(token in listed("joins") for token in tokens)
    return n_finite <= n_clauses and _has_subject_and_verb(said)


def _has_subject_and_verb(said: list[Word]) -> bool:
    first = said[0].text.lower()
    if first in listed("subjects"):
        after = next(
            (word for word in said[1:] if word.kind != "adverb" and word.text.lower() not in ("also", "all")),
            None,
        )
        return after is not None and (after.kind == "verb" or after.text.lower() in _FINITE)
    has_noun = False
    for word in said:
        token = word.text.lower()
        if token in _FINITE:
            return has_noun
        if word.kind not in _SUBJECT_KINDS and token not in listed("in_subjects"):
            return False
        has_noun = has_noun or word.kind == "noun"
    return False


def _lowered(text: str) -> str:
    first = text.split()[0]
    is_name = first.isupper() and len(first) > 1 or not is_known(first.lower().rstrip(","))
    return text if is_name else text[0].lower() + text[1:]


def _turned(text: str) -> str:
    """Third person and past auxiliaries, word by word."""
    out: list[str] = []
    before = ""
    for word in text.split(" "):
        core = word.rstrip(".,")
        token = core.lower()
        new = _PERSONS.get(token, core)
        if token in _PAST and (token in _ONLY_FINITE or _may_be_finite(token, before)):
            new = _PAST[token]
        out.append(new + word[len(core) :])
        before = token
    return " ".join(out)


def _may_be_finite(token: str, before: str) -> bool:
    """Whether have, do, need and want are the verb of a clause rather than an infinitive or a noun."""
    return (
        before not in listed("before_infinitives") and before not in listed("before_nouns") and before != ""
    )
