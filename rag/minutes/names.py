"""Who may own an action: the people we know of, found again by the name that was said aloud."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rag.minutes.cues import NAME_GROUP, never_names
from rag.minutes.utterances import Sentence
from rag.sentences import words

MAX_PEOPLE = 400
MAX_SPOKEN_NAMES = 200
_CAPITALISED = re.compile(r"\b[A-Z\u00c0-\u00de][\w'-]{1,30}\b")


class People:
    """Aliases (full and first names) of speakers and participants, and names only spoken of."""

    def __init__(
        self, known: Iterable[str], spoken_of: Iterable[str] = (), unsure: Iterable[str] = ()
    ) -> None:
        self._canonical: dict[str, str] = {}
        full = [name for name in dict.fromkeys(" ".join(raw.split()) for raw in known) if name][:MAX_PEOPLE]
        firsts = Counter(name.split()[0].casefold() for name in full)
        for name in full:
            self._canonical.setdefault(name.casefold(), name)
            first = name.split()[0].casefold()
            if firsts[first] == 1 and len(first) > 2:
                self._canonical.setdefault(first, name)
        for name in spoken_of:
            self._canonical.setdefault(name.casefold(), name)
        self._unsure = frozenset(unsure) - frozenset(full)
        self._first_words = frozenset(alias.split()[0] for alias in self._canonical)
        aliases = sorted(self._canonical, key=len, reverse=True)
        self.pattern = "|".join(re.escape(alias) for alias in aliases) or "(?!)"
        self._calls = re.compile(
            rf"^(?:(?:so|and|okay|ok|well|then|maybe|now|thanks|right),? )*(?P<head>{self.pattern})(?:,|\b(?= (?:can|could|would|will|please)\b))"
            rf"|,? (?:and )?(?P<tail>{self.pattern})(?:,? please)?[?.!]?$|, (?P<mid>{self.pattern}),",
            re.IGNORECASE,
        )

    def canonical(self, said: str) -> str | None:
        return self._canonical.get(" ".join(said.split()).casefold())

    def is_sure(self, name: str) -> bool:
        """False for a word that only its capital at the start of sentences makes look like a name."""
        return name not in self._unsure

    def mentioned(self, text: str) -> bool:
        """A cheap test whether any name may occur, so that the long name patterns run seldom."""
        return not self._first_words.isdisjoint(words(text))

    def addressed(self, text: str) -> str | None:
        """The person a sentence calls by name ("Bob, could you…", "…, Bob?")."""
        match = self._calls.search(text) if self.mentioned(text) else None
        return self.canonical(next(name for name in match.groups() if name)) if match else None

    def compile(self, cue: str) -> re.Pattern[str]:
        """A cue with NAME replaced by everybody's names, captured as `name`."""
        return _compiled(cue, self.pattern)


def people_of(spoken: Sequence[Sentence], participants: Sequence[str]) -> People:
    """Participants, speakers, and the words that only ever stand capitalised."""
    known = [*participants, *(sentence.speaker for sentence in spoken if sentence.speaker)]
    names, unsure = _spoken_names(spoken)
    return People(known, names, unsure)


def _spoken_names(spoken: Sequence[Sentence]) -> tuple[list[str], set[str]]:
    """Names only spoken of, the most frequent first, and those among them that only ever open a sentence."""
    small = {word for sentence in spoken for word in sentence.text.split() if word.islower()}
    never = never_names()
    counts = Counter(match for sentence in spoken for match in _CAPITALISED.findall(sentence.text))
    names = [name for name, _ in counts.most_common() if _looks_like_name(name, small, never)]
    inside = {match.group() for s in spoken for match in _CAPITALISED.finditer(s.text) if match.start() > 0}
    return names[:MAX_SPOKEN_NAMES], set(names) - inside


def _looks_like_name(name: str, small: set[str], never: frozenset[str]) -> bool:
    is_plain = "'" not in name and len(name) > 2 and not name.isupper()
    return is_plain and name.lower() not in small and name.lower() not in never


@lru_cache(maxsize=256)
def _compiled(cue: str, names: str) -> re.Pattern[str]:
    return re.compile(cue.replace(NAME_GROUP, rf"(?P<name>{names})"), re.IGNORECASE)
