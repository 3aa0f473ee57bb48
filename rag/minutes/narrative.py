"""A summary that tells the meeting: what it was about, then part by part who spoke about what and said what.

English only. Every name stands in its evidence, "the group discussed" needs two voices, and what somebody said is
their own sentence in indirect speech. Where too little can be told this way it tells nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rag.minutes.candidates import Candidate
from rag.minutes.phrases import Phrase, phrases, worth
from rag.minutes.reporting import reported
from rag.minutes.topics import Topic
from rag.minutes.utterances import Sentence
from rag.sentences import words
from rag.support import stem

MIN_WORDS_SAID = 400
WORDS_A_PART = 1_000
MAX_PARTS = 4
N_ABOUT, N_SPEAKER, N_GROUP = 3, 2, 1
MIN_WEIGHT = 0.03
SUGGESTION_BONUS = 0.05  # who wants what done matters more than who found what nice
LENGTH_POWER = 0.7  # between a sum, which likes long sentences, and a mean, which likes short ones
CONFIDENCE = 0.8
_NEXT = ("First, ", "Then ", "Next, ", "After that, ")
_LAST = "Finally, "


@dataclass(frozen=True, slots=True)
class _Statement:
    index: int
    text: str
    score: float


def narrative(
    spoken: Sequence[Sentence], topics: Sequence[Topic], important: frozenset[int], limit: int
) -> list[Candidate]:
    """The opening line and at most two lines a part, in reading order; empty when there is too little to tell.

    Args:
        important: sentences that stand among the decisions and actions and are not told twice.
        limit: the most lines.
    """
    n_words = sum(sentence.n_words for sentence in spoken)
    if n_words < MIN_WORDS_SAID:
        return []
    known = [phrase for phrase in phrases(spoken) if phrase.weight >= MIN_WEIGHT]
    told: list[frozenset[str]] = []
    about = _take(known, told, N_ABOUT)
    if len(about) < N_ABOUT:
        return []
    lines = [_opening(about, spoken)]
    parts = _parts(spoken, topics, min(MAX_PARTS, max(1, round(n_words / WORDS_A_PART))))
    statements = _statements(spoken, known, important)
    for number, (first, last) in enumerate(parts):
        word = "" if len(parts) == 1 else _LAST if number == len(parts) - 1 else _NEXT[number]
        lines += _part(spoken, known, told, statements, first, last, word)
    return lines[:limit]


def _opening(about: Sequence[Phrase], spoken: Sequence[Sentence]) -> Candidate:
    text = f"The meeting was about {_listed([phrase.with_article for phrase in about])}."
    carriers = _needed(about, set(_cover(about, spoken, range(len(spoken)))), spoken)
    return Candidate("summary", text, carriers, CONFIDENCE)


def _part(
    spoken: Sequence[Sentence],
    known: Sequence[Phrase],
    told: list[frozenset[str]],
    statements: Sequence[_Statement],
    first: int,
    last: int,
    word: str,
) -> list[Candidate]:
    lines = []
    topic = _topic_line(spoken, known, told, first, last, word)
    if topic:
        lines.append(topic)
    within = [one for one in statements if first <= one.index <= last]
    if within:
        chosen = max(within, key=lambda one: (one.score, -one.index))
        lines.append(Candidate("summary", chosen.text, (chosen.index,), CONFIDENCE))
    return lines


def _topic_line(
    spoken: Sequence[Sentence],
    known: Sequence[Phrase],
    told: list[frozenset[str]],
    first: int,
    last: int,
    word: str,
) -> Candidate | None:
    """ "Then Ann talked about the case and the price, and the group discussed the battery." """
    where = range(first, last + 1)
    talk: Counter[str] = Counter()
    for index in where:
        talk[spoken[index].speaker or ""] += spoken[index].n_words
    speaker = talk.most_common(1)[0][0]
    alone = [i for i in where if speaker and spoken[i].speaker == speaker]
    own = _take(_within(known, set(alone)), told, N_SPEAKER)
    shared = _take(_shared(_within(known, set(where)), spoken, where), told, N_GROUP + (not own) * N_SPEAKER)
    group = f"the group discussed {_listed([p.with_article for p in shared])}" if shared else ""
    if own:
        is_first = all(spoken[phrase.said[0]].speaker == speaker for phrase in own)
        verb = "brought up" if is_first else "talked about"
        text = f"{word}{_shown(speaker)} {verb} {_listed([p.with_article for p in own])}"
        text += f", and {group}" if group else ""
    elif group:
        text = f"{word}{group}"
    else:
        return None
    others = [i for i in where if spoken[i].speaker != speaker] or where
    carriers = _needed(
        [*own, *shared], {*_cover(own, spoken, alone), *_cover(shared, spoken, others)}, spoken
    )
    return Candidate("summary", text[0].upper() + text[1:] + ".", carriers, CONFIDENCE)


def _within(known: Sequence[Phrase], where: set[int]) -> list[Phrase]:
    """Phrases said there, first those that are said mostly there."""
    counted = [(phrase, sum(i in where for i in phrase.said)) for phrase in known]
    ranked = [(worth(p) * (n / len(p.said)) ** 0.5, p) for p, n in counted if n]
    return [phrase for _, phrase in sorted(ranked, key=lambda one: (-one[0], one[1].key))]


def _shared(known: Sequence[Phrase], spoken: Sequence[Sentence], where: range) -> list[Phrase]:
    """Phrases that two people said there."""
    return [p for p in known if len({spoken[i].speaker for i in p.said if i in where}) > 1]


def _take(ranked: Sequence[Phrase], told: list[frozenset[str]], wanted: int) -> list[Phrase]:
    """The first phrases that repeat no word already told; they are told then."""
    taken: list[Phrase] = []
    for phrase in ranked:
        if len(taken) == wanted:
            break
        if not any(other.intersection(phrase.key) for other in told):
            taken.append(phrase)
            told.append(frozenset(phrase.key))
    return taken


def _cover(wanted: Sequence[Phrase], spoken: Sequence[Sentence], where: Sequence[int]) -> tuple[int, ...]:
    """The fewest sentences there in which all phrases are said, the richer where two do."""
    left, allowed, chosen = list(wanted), set(where), []
    while left:
        holds = Counter(index for phrase in left for index in phrase.said if index in allowed)
        if not holds:
            break
        index = max(holds, key=lambda i: (holds[i], min(len(spoken[i].terms), 12), -i))
        chosen.append(index)
        left = [phrase for phrase in left if index not in phrase.said]
    return tuple(sorted(chosen))


def _needed(told: Sequence[Phrase], carriers: set[int], spoken: Sequence[Sentence]) -> tuple[int, ...]:
    """The carriers without those whose part of the told words stands in the others."""
    wanted = {word for phrase in told for word in phrase.key}
    held = {i: wanted & {stem(word) for word in words(spoken[i].text)} for i in carriers}
    kept = sorted(carriers)
    for index in sorted(carriers, key=lambda i: (len(held[i]), -i)):
        others: set[str] = set().union(*(held[i] for i in kept if i != index))
        if held[index] <= others and len(kept) > 1:
            kept.remove(index)
    return tuple(kept)


def _statements(
    spoken: Sequence[Sentence], known: Sequence[Phrase], important: frozenset[int]
) -> list[_Statement]:
    """Every sentence that can be told, scored by what it names."""
    worths: dict[int, dict[str, float]] = {}
    for phrase in known:
        for index in phrase.said:
            by_word = worths.setdefault(index, {})
            for word in phrase.key:
                by_word[word] = max(by_word.get(word, 0.0), worth(phrase))
    found = []
    for index, by_word in worths.items():
        clause = None if index in important else reported(spoken[index])
        if clause is None:
            continue
        speaker = spoken[index].speaker
        text = f"{_shown(speaker)} {clause.text}." if speaker else f"It was {clause.text}."
        score = sum(by_word.values()) / len(text.split()) ** LENGTH_POWER
        found.append(_Statement(index, text, score + SUGGESTION_BONUS * (clause.verb == "suggested")))
    return found


def _parts(spoken: Sequence[Sentence], topics: Sequence[Topic], wanted: int) -> list[tuple[int, int]]:
    """The topics' spans, the shortest joined with its shorter neighbour until `wanted` are left."""
    spans = [(topic.first, topic.last) for topic in topics] or [(0, len(spoken) - 1)]
    spans[0], spans[-1] = (0, spans[0][1]), (spans[-1][0], len(spoken) - 1)
    while len(spans) > wanted:
        sizes = [sum(s.n_words for s in spoken[first : last + 1]) for first, last in spans]
        pairs = [sizes[i] + sizes[i + 1] for i in range(len(sizes) - 1)]
        at = pairs.index(min(pairs))
        spans[at : at + 2] = [(spans[at][0], spans[at + 1][1])]
    return spans


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _shown(name: str) -> str:
    return name.split(" (")[0] or name
