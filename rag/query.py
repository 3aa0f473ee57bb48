"""What a question looks for: its words, its quoted phrases. Knows no SQL, no model and no corpus."""

import re
from dataclasses import dataclass

from rag.sentences import words

MAX_QUERY_WORDS = 64
_MAX_QUERY_CHARS = 4_000
_MAX_WORD_CHARS = 100
_MAX_PHRASES = 4
_PHRASE = re.compile(r'["“„«]([^"“”„«»]{2,200})["”“»]')

# Words of asking: they say that someone asks, not for what. Stop words are Postgres' own and not repeated here.
_QUESTION_WORD_LIST = (
    "ask asked decide describe discuss discussed discussing discussion explain find give know list "
    "mention mentioned overview please say saying said show summarise summarize summary talk talked talking "
    "tell think thought thoughts opinion opinions "
    "besprochen bitte diskutiert diskussion erklär erkläre erzähl gesagt meinte nenne sagte sagt "
    "zeig zusammenfassen zusammenfassung "
    "dire dit discuté explique résume résumer "
    "decir dijo discutido explica resumen resume"
)
QUESTION_WORDS = frozenset(_QUESTION_WORD_LIST.split())


@dataclass(frozen=True, slots=True)
class Query:
    """A question taken apart; `words` are lower-case, unique, in order, without words of asking."""

    text: str
    words: tuple[str, ...]
    phrases: tuple[str, ...]


def understand(question: str) -> Query:
    """Never raises; text beyond 4,000 characters, 64 words or 4 phrases is not looked at."""
    cleaned = question.replace("\x00", " ").encode("utf-8", "replace").decode("utf-8")[:_MAX_QUERY_CHARS]
    cleaned = " ".join(cleaned.split())
    phrases = tuple(dict.fromkeys(" ".join(match[1].split()) for match in _PHRASE.finditer(cleaned)))
    found = [word[:_MAX_WORD_CHARS] for word in dict.fromkeys(words(cleaned))]
    kept = [word for word in found if word not in QUESTION_WORDS] or found
    return Query(
        cleaned, tuple(kept[:MAX_QUERY_WORDS]), tuple(phrase for phrase in phrases if phrase)[:_MAX_PHRASES]
    )
