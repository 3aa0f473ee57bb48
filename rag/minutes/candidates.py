"""A line of minutes before it is written out: which sentences carry it and how sure we are."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.minutes import Evidence, MinutesLine, Section
from rag.minutes.dates import Due
from rag.minutes.support import support_of
from rag.minutes.utterances import Sentence

FLAG_BELOW_CONFIDENCE = 0.65
FLAG_BELOW_SUPPORT = 0.6
FLAG_BELOW_ENGINE_CONFIDENCE = 0.5
SAME_TEXT = 0.7


@dataclass(frozen=True, slots=True)
class Candidate:
    """`carriers` are indices into the sentences, in order; `confidence` in 0..1 ranks lines under the cap."""

    section: Section
    text: str
    carriers: tuple[int, ...]
    confidence: float
    owner: str | None = None
    due: Due | None = None


def best(candidates: Sequence[Candidate], spoken: Sequence[Sentence], limit: int) -> list[Candidate]:
    """The surest `limit` candidates without repetition, in spoken order."""
    kept: list[Candidate] = []
    seen: list[frozenset[str]] = []
    for candidate in sorted(candidates, key=lambda c: (-c.confidence, c.carriers)):
        if len(kept) == limit:
            break
        terms = frozenset(term for index in candidate.carriers for term in spoken[index].terms)
        if any(_overlap(terms, other) >= SAME_TEXT for other in seen):
            continue
        kept.append(candidate)
        seen.append(terms)
    return sorted(kept, key=lambda candidate: candidate.carriers)


def line_of(candidate: Candidate, spoken: Sequence[Sentence]) -> MinutesLine:
    """The written line with its evidence, support measured and doubts flagged."""
    carriers = [spoken[index] for index in candidate.carriers]
    due = candidate.due
    support = support_of(candidate.text, carriers, owner=candidate.owner, due_text=due.text if due else None)
    heard = [sentence.confidence for sentence in carriers if sentence.confidence is not None]
    is_doubtful = (
        candidate.confidence < FLAG_BELOW_CONFIDENCE
        or support < FLAG_BELOW_SUPPORT
        or (bool(heard) and min(heard) < FLAG_BELOW_ENGINE_CONFIDENCE)
        or (due is not None and due.is_ambiguous)
    )
    return MinutesLine(
        section=candidate.section,
        text=candidate.text,
        evidence=evidence_of(carriers),
        support=support,
        owner=candidate.owner,
        due=due.day if due else None,
        due_text=due.text if due else None,
        is_flagged=is_doubtful,
    )


def evidence_of(carriers: Sequence[Sentence]) -> tuple[Evidence, ...]:
    """One span a carrier; spans that touch the same or the next utterance become one."""
    spans: list[Evidence] = []
    for s in sorted(carriers, key=lambda s: (s.first, s.last)):
        if spans and s.first <= spans[-1].last + 1:
            before = spans.pop()
            first, last = before.first, max(before.last, s.last)
            spans.append(Evidence(first, last, min(before.start_s, s.start_s), max(before.end_s, s.end_s)))
        else:
            spans.append(Evidence(s.first, s.last, s.start_s, s.end_s))
    return tuple(spans)


def _overlap(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b) if a and b else 0.0
