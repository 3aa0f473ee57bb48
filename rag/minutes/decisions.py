"""What was decided: said outright, or proposed and assented to. Plans, doubts and old decisions do not count."""

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.minutes import wording
from rag.minutes.candidates import Candidate
from rag.minutes.cues import Cues
from rag.minutes.replies import following, reply_to
from rag.minutes.utterances import Sentence
from rag.sentences import words

STRONG, MEDIUM, PROPOSAL, RATIFIED = 0.8, 0.62, 0.4, 0.75
FIRM_ASSENT, ASSENT = 0.3, 0.12
ENOUGH = 0.55
LOOK_BACK = 10  # sentences between a proposal and the words that close it
MIN_TERMS = 2
# What follows a decision and is none: the next point, a thank you, somebody's own doing.
_GOES_ON = re.compile(
    r"(?:now|(?:the )?(?:next|last|other)|then|let's|let us|okay|so|thank|thanks|any|anything|moving|and now|I|I'll|I'm|can|could)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[,;:.!?—] ")


def decisions(spoken: Sequence[Sentence], cues: Cues) -> list[Candidate]:
    """Every decision found, unranked."""
    found = (_decision(spoken, index, cues) for index in range(len(spoken)))
    return _without_restated(_one_a_carrier([candidate for candidate in found if candidate]), spoken)


def _decision(spoken: Sequence[Sentence], index: int, cues: Cues) -> Candidate | None:
    sentence = spoken[index]
    if sentence.is_question or sentence.is_reaction:
        return None
    if announced := _announced(spoken, index, cues):
        return announced
    is_closing = sentence.n_words <= 12 and len(sentence.terms) <= MIN_TERMS
    is_closing = is_closing and bool(cues.decision.ratify.search(sentence.text))
    weight = STRONG if is_closing else _weight(sentence.text, cues)
    if not weight or wording.dangles(sentence.text) or _is_denied(sentence.text, cues):
        return None
    if _is_undone(spoken, index, cues):
        return None
    if is_closing or (weight >= STRONG and _names_nothing(sentence, cues)):
        return _ratified(spoken, index, cues) or _stated_next(spoken, index, cues)
    return None if _names_nothing(sentence, cues) else _assented(spoken, index, weight, cues)


def _weight(text: str, cues: Cues) -> float:
    for pattern, weight in (
        (cues.decision.strong, STRONG),
        (cues.decision.medium, MEDIUM),
        (cues.decision.proposal, PROPOSAL),
    ):
        match = pattern.search(text)
        if match and not _is_hypothetical(text[: match.start()], cues):
            return weight
    return 0.0


def _is_hypothetical(before: str, cues: Cues) -> bool:
    """Whether the clause that leads up to the cue opens with "if", "why", "before" and the like."""
    clause = _CLAUSE.split(before[-120:])[-1]
    return bool(cues.decision.denied_before.search(clause))


def _is_denied(text: str, cues: Cues) -> bool:
    return bool(
        cues.decision.denied.search(text)
        or cues.decision.past.search(text)
        or cues.decision.undone.search(text)
    )


def _is_undone(spoken: Sequence[Sentence], index: int, cues: Cues) -> bool:
    """Whether it is taken back soon after; what was dropped "last month" is another matter."""
    texts = (spoken[i].text for i in following(spoken, index, 3))
    return any(cues.decision.undone.search(text) and not cues.decision.past.search(text) for text in texts)


def _names_nothing(sentence: Sentence, cues: Cues) -> bool:
    """Whether a closing phrase says only that something is decided, not what."""
    closing = {
        word for match in cues.decision.strong.finditer(sentence.text) for word in words(match.group())
    }
    return not [term for term in sentence.terms if term not in closing]


def _ratified(spoken: Sequence[Sentence], index: int, cues: Cues) -> Candidate | None:
    for i in range(index - 1, max(-1, index - 1 - LOOK_BACK), -1):
        sentence = spoken[i]
        if sentence.is_question or len(sentence.terms) < MIN_TERMS or _is_denied(sentence.text, cues):
            continue
        if cues.decision.proposal.search(sentence.text) or cues.decision.medium.search(sentence.text):
            return Candidate("decision", wording.as_line(sentence.text), (i, index), RATIFIED)
    return None


def _announced(spoken: Sequence[Sentence], index: int, cues: Cues) -> Candidate | None:
    """ "That's our second decision." says that the next sentence is one."""
    is_announcement = bool(cues.decision.announce.search(spoken[index].text))
    return _stated_next(spoken, index, cues) if is_announcement else None


def _stated_next(spoken: Sequence[Sentence], index: int, cues: Cues) -> Candidate | None:
    """What the speaker goes on to state in the same breath ("Okay, decided. Customers keep their devices.")."""
    if index + 1 >= len(spoken):
        return None
    sentence, after = spoken[index], spoken[index + 1]
    is_same_breath = after.speaker == sentence.speaker and after.first <= sentence.last
    if not is_same_breath or after.is_question or after.is_reaction or wording.dangles(after.text):
        return None
    if len(after.terms) < MIN_TERMS or _GOES_ON.match(after.text) or _is_denied(after.text, cues):
        return None
    return Candidate("decision", wording.as_line(after.text), (index, index + 1), RATIFIED)


def _assented(spoken: Sequence[Sentence], index: int, weight: float, cues: Cues) -> Candidate | None:
    reply = reply_to(spoken, index, cues)
    carriers: tuple[int, ...] = (index,)
    if reply and reply.verdict == "refuse" and weight < STRONG:
        return None
    if reply and reply.verdict != "refuse":
        weight += FIRM_ASSENT if reply.verdict == "firm" else ASSENT
        carriers = (index, reply.index) if reply.verdict == "firm" else carriers
    if weight < ENOUGH:
        return None
    return Candidate("decision", wording.as_line(spoken[index].text), carriers, min(weight, 0.99))


def _without_restated(candidates: Sequence[Candidate], spoken: Sequence[Sentence]) -> list[Candidate]:
    """Leaves out what a fuller decision close by says all of ("January twenty-sixth it is.")."""
    ordered = sorted(candidates, key=lambda candidate: candidate.carriers)
    terms = [_terms(candidate, spoken) for candidate in ordered]
    kept = []
    for n, candidate in enumerate(ordered):
        near = range(max(0, n - LOOK_BACK), min(len(ordered), n + LOOK_BACK + 1))
        is_near = (m for m in near if abs(ordered[m].carriers[0] - candidate.carriers[0]) <= LOOK_BACK)
        if not any(terms[n] < terms[m] for m in is_near):
            kept.append(candidate)
    return kept


def _terms(candidate: Candidate, spoken: Sequence[Sentence]) -> frozenset[str]:
    return frozenset(term for index in candidate.carriers for term in spoken[index].terms)


def _one_a_carrier(candidates: list[Candidate]) -> list[Candidate]:
    """A sentence carries one decision: the surer wins and takes over the assent the other found."""
    kept: list[Candidate] = []
    place: dict[int, int] = {}  # carrier → position in `kept`
    for candidate in sorted(candidates, key=lambda c: (-c.confidence, c.carriers)):
        same = next((place[carrier] for carrier in candidate.carriers if carrier in place), None)
        if same is None:
            kept.append(candidate)
            place.update(dict.fromkeys(candidate.carriers, len(kept) - 1))
        elif kept[same].carriers[0] == candidate.carriers[0]:
            carriers = tuple(sorted({*kept[same].carriers, *candidate.carriers}))
            kept[same] = replace(kept[same], carriers=carriers)
            place.update(dict.fromkeys(candidate.carriers, same))
    return kept
