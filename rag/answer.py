"""A question becomes an answer that says only what its evidence supports, or an honest refusal.

The use case of the rag floor. Knows no Slack, no person and no gate rule: the caller says which gates are passed.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from core.db import SessionFactory
from core.errors import NotConfigured
from rag.confidence import ANSWER_FROM, NO_SIGNALS, Signals, confidence
from rag.conflict import Said, conflicting
from rag.embedding import Embedder, Vectors
from rag.evidence import Evidence, gather
from rag.generation import GeneratedSentence, Generator
from rag.lens import seen_through_lens
from rag.moments import moment_of, spoken_lines
from rag.narrowing import narrowing
from rag.query import Query, understand
from rag.search import Filters, Found, Hit, Ranking, search
from rag.sentences import words
from rag.spans import best_span
from rag.store import find_model
from rag.support import content_words, facts, is_supported, missing_facts, stem

Outcome = Literal["answered", "nothing_found", "low_confidence", "unsupported"]

TOP_K = 8
_QUOTE_CHARS = 300
_REASONS: dict[Outcome, str] = {
    "answered": "",
    "nothing_found": "Nothing you can open mentions this.",
    "low_confidence": "What I found does not clearly answer this.",
    "unsupported": "I could not tie an answer to the pages and meetings found.",
}


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a sentence comes from; `url` opens the page at its heading, the recording at its second."""

    number: int
    document_id: int
    chunk_id: int
    kind: str
    title: str
    url: str
    space_key: str | None
    updated_at: datetime | None
    start_s: float | None
    heading_path: tuple[str, ...]
    quote: str


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence with the numbers of its citations and how well they support it, 0..1."""

    text: str
    citations: tuple[int, ...]
    support: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What to show: `text` with `[n]` markers, or `reason` when the outcome is not `answered`.

    On a refusal `citations` names the nearest passages, so that people can look for themselves. `timings_s` is by
    stage. `trace` is plain JSON: what was searched, the candidates with scores, what was dropped and why. `span` is
    the time, number or name asked for as the first sentence says it. `conflict` names the citations of sentences that
    contradict each other, newest first; `text` then gives each with the day of its source.
    """

    question: str
    outcome: Outcome
    text: str
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    confidence: float
    reason: str
    engine: str
    timings_s: dict[str, float] = field(default_factory=dict)
    trace: dict[str, Any] = field(default_factory=dict)
    span: str = ""
    conflict: tuple[int, ...] = ()


def answer_question(
    factory: SessionFactory,
    question: str,
    *,
    passed_gates: Sequence[int],
    embedder: Embedder,
    generator: Generator,
    filters: Filters | None = None,
    within: Filters | None = None,
    ranking: Ranking | None = None,
    top_k: int = TOP_K,
    answer_from: float = ANSWER_FROM,
) -> Answer:
    """Answer from what lies behind `passed_gates`; models run outside of any transaction.

    Args:
        filters: narrows the search; None reads it from the question's words.
        within: spaces and sources that are searched at all; the question's words narrow further, never widen.
        answer_from: least confidence at which an answer is given; below it the outcome is `low_confidence`.

    Raises:
        NotConfigured: the index was built by another embedder.
        core.errors.ImpError: whatever the generator's engine raises.
    """
    watch = _Stopwatch()
    with watch("understand"):
        query = understand(question)
        vector = embedder.embed_query(query.text)
    with watch("search"):
        found = _search(factory, query, vector, embedder, passed_gates, filters, top_k, ranking, within)
    if not found.hits:
        return _refusal("nothing_found", query, generator, found, [], NO_SIGNALS, 0.0, watch, [])
    evidence = gather(found.hits, generator.budget_tokens)
    with watch("generate"):
        generated = generator.answer(query.text, evidence)
    with watch("check"):
        kept, dropped = _supported(generated.sentences, evidence)
        signals = _signals(query, vector, kept, evidence, embedder) if kept else NO_SIGNALS
        sure = confidence(signals) if kept else 0.0
    if not kept:
        outcome: Outcome = "unsupported" if generated.sentences else "low_confidence"
        return _refusal(outcome, query, generator, found, evidence, signals, sure, watch, dropped)
    if sure < answer_from:
        return _refusal("low_confidence", query, generator, found, evidence, signals, sure, watch, dropped)
    order = _conflict(query.text, kept, evidence)
    with watch("cite"):
        sentences, citations = _cited(factory, [kept[at] for at in order] or kept, evidence)
    lead = sentences[0].text  # which cell of a table's row is meant, its words alone do not say
    span = "" if order or "\n" in lead else best_span(query.text, lead)
    return Answer(
        question=query.text,
        outcome="answered",
        text=_contradiction(query.text, sentences, citations) if order else _written(sentences, span),
        sentences=sentences,
        citations=citations,
        confidence=sure,
        reason="",
        engine=generator.name,
        timings_s=watch.timings_s,
        trace=_trace(query, found, evidence, signals, dropped),
        span=span,
        conflict=tuple(number for one in sentences for number in one.citations) if order else (),
    )


def find(
    factory: SessionFactory,
    question: str,
    *,
    passed_gates: Sequence[int],
    embedder: Embedder,
    filters: Filters | None = None,
    ranking: Ranking | None = None,
    top_k: int = TOP_K,
) -> Found:
    """The passages `answer_question` would look at, without an answer. Raises NotConfigured as it does."""
    query = understand(question)
    vector = embedder.embed_query(query.text)
    return _search(factory, query, vector, embedder, passed_gates, filters, top_k, ranking)


def citation_url(hit: Hit, start_s: float | None) -> str:
    """The page at its heading, or the recording at its second."""
    url = hit.url.split("#", 1)[0]
    if start_s is not None:
        return f"{url}{'&' if '?' in url else '?'}t={int(start_s)}"
    return f"{url}#{hit.anchor}" if hit.anchor else hit.url


def _search(
    factory: SessionFactory,
    query: Query,
    vector: Vectors,
    embedder: Embedder,
    passed_gates: Sequence[int],
    filters: Filters | None,
    top_k: int,
    ranking: Ranking | None,
    within: Filters | None = None,
) -> Found:
    with factory() as session:
        model = find_model(session, embedder)
        if model is None:
            raise NotConfigured(
                f"nothing is indexed with the embedding model {embedder.name} {embedder.revision} yet: "
                "wait for the first sync, or build its vectors before switching to it"
            )
        is_read = False  # from the question's own words
        if filters is None:
            asked = narrowing(session, query.text, passed_gates, now=datetime.now(UTC))
            is_read = bool(asked)
            filters = (
                Filters(
                    spaces=asked.spaces, updated_after=asked.updated_after, document_ids=asked.document_ids
                )
                if asked
                else None
            )
            filters = _both(filters, within) if filters else within

        def found_within(filters: Filters | None) -> Found:
            return search(
                session,
                query,
                vector,
                model=model,
                passed_gates=passed_gates,
                tuned=seen_through_lens(vector, embedder.name),
                filters=filters,
                top_k=top_k,
                ranking=ranking,
            )

        found = found_within(filters)
        if is_read and not found.hits:
            return found_within(within)  # the words meant something else
        return replace(found, narrowed=filters) if is_read else found


def _both(asked: Filters, within: Filters | None) -> Filters:
    """What the words ask for, inside of what may be searched; words that point outside of it say nothing."""
    if within is None:
        return asked
    spaces = tuple(space for space in asked.spaces if not within.spaces or space in within.spaces)
    return replace(asked, spaces=spaces or within.spaces, source_ids=within.source_ids)


def _supported(
    sentences: Sequence[GeneratedSentence], evidence: Sequence[Evidence]
) -> tuple[list[tuple[GeneratedSentence, float]], list[dict[str, Any]]]:
    """Sentences that their own citations carry, with the score; and why the others were dropped."""
    blocks = {block.number: block for block in evidence}
    kept: list[tuple[GeneratedSentence, float]] = []
    dropped: list[dict[str, Any]] = []
    for sentence in sentences:
        cited = [blocks[number] for number in sentence.evidence if number in blocks]
        support = is_supported(sentence.text, [f"{block.context}\n{block.text}" for block in cited])
        if support.is_supported:
            kept.append((sentence, support.score))
        else:
            missing = list(support.missing)
            dropped.append({"text": sentence.text, "support": round(support.score, 3), "missing": missing})
    return kept, dropped


def _signals(
    query: Query,
    vector: Vectors,
    kept: Sequence[tuple[GeneratedSentence, float]],
    evidence: Sequence[Evidence],
    embedder: Embedder,
) -> Signals:
    texts = [sentence.text for sentence, _ in kept]
    similarity = float((embedder.embed_passages(texts) @ vector).max())
    cited = {number for sentence, _ in kept for number in sentence.evidence}
    blocks = [block for block in evidence if block.number in cited]
    contexts = [block.context for block in blocks]
    named = facts(query.text)
    missing = missing_facts(query.text, " ".join([*contexts, *(block.text for block in blocks)]))
    asked = {stem(word) for word in content_words(" ".join(query.words))}

    def share(said: Sequence[str]) -> float:
        known = {stem(word) for word in words(" ".join([*said, *contexts]))}
        return len(asked & known) / len(asked) if asked else 0.0

    passage = max((hit.vector_score or 0.0 for block in evidence for hit in block.hits), default=0.0)
    return Signals(
        similarity=similarity,
        coverage=share(texts),
        focus=max(share([text]) for text in texts),
        facts=1 - len(missing) / len(named) if named else 1.0,
        passage=passage,
    )


def _cited(
    factory: SessionFactory, kept: Sequence[tuple[GeneratedSentence, float]], evidence: Sequence[Evidence]
) -> tuple[tuple[AnswerSentence, ...], tuple[Citation, ...]]:
    """Citations numbered anew in the order they are read; each sentence cites the very passage it stands in.

    Of a recording, it cites the second at which it was said.
    """
    blocks = {block.number: block for block in evidence}
    places = [[_nearest_hit(one.text, blocks[number]) for number in one.evidence] for one, _ in kept]
    spoken = spoken_lines(factory, [hit for hits in places for hit in hits])
    citations: dict[tuple[int, int | None], Citation] = {}
    sentences = []
    for (sentence, score), hits in zip(kept, places, strict=True):
        numbers = []
        for hit in hits:
            start_s = moment_of(sentence.text, hit, spoken)
            key = (hit.chunk_id, None if start_s is None else int(start_s))
            if key not in citations:
                citations[key] = _citation(len(citations) + 1, hit, start_s)
            numbers.append(citations[key].number)
        sentences.append(AnswerSentence(sentence.text, tuple(dict.fromkeys(numbers)), score))
    return tuple(sentences), tuple(citations.values())


def _nearest_hit(sentence: str, block: Evidence) -> Hit:
    said = {stem(word) for word in content_words(sentence)}

    def n_shared(hit: Hit) -> int:
        return len(said & {stem(word) for word in words(hit.text)})

    return max(block.hits, key=n_shared)


def _citation(number: int, hit: Hit, start_s: float | None) -> Citation:
    quote = " ".join(hit.text.split())
    return Citation(
        number=number,
        document_id=hit.document_id,
        chunk_id=hit.chunk_id,
        kind=hit.kind,
        title=hit.title,
        url=citation_url(hit, start_s),
        space_key=hit.space_key,
        updated_at=hit.updated_at,
        start_s=start_s,
        heading_path=hit.heading_path,
        quote=quote if len(quote) <= _QUOTE_CHARS else quote[: _QUOTE_CHARS - 1] + "…",
    )


def _conflict(
    question: str, kept: Sequence[tuple[GeneratedSentence, float]], evidence: Sequence[Evidence]
) -> tuple[int, ...]:
    """Which sentences kept contradict each other on what is asked, the newest source first."""
    blocks = {block.number: block for block in evidence}
    said = []
    for sentence, _ in kept:
        hit = _nearest_hit(sentence.text, blocks[sentence.evidence[0]])
        said.append(Said(hit.document_id, sentence.text, f"{hit.context} {hit.title}", hit.updated_at))
    return conflicting(question, said)


def _contradiction(question: str, sentences: Sequence[AnswerSentence], citations: Sequence[Citation]) -> str:
    """Every side with the day of its source; which one holds is for people to say."""
    is_german = bool({"wann", "wie", "wer", "was", "welche", "der", "die", "das"} & set(words(question)))
    lead = (
        "Die Quellen widersprechen sich, die neueste zuerst:"
        if is_german
        else "Sources differ, the newest first:"
    )
    lines = [lead]
    for sentence in sentences:
        source = citations[sentence.citations[0] - 1]
        day = f" ({source.updated_at:%Y-%m-%d})" if source.updated_at else ""
        lines.append(f"{source.title}{day}:\n{_written([sentence])}")
    return "\n\n".join(lines)


def _written(sentences: Sequence[AnswerSentence], span: str = "") -> str:
    """One paragraph, what was asked for first; quoted blocks (tables, code) stand on their own lines."""
    text = ""
    if span and len(span) < len(sentences[0].text) / 2:
        text = f"{span} –"
    for sentence in sentences:
        is_block = "\n" in sentence.text
        marks = "".join(f"[{number}]" for number in sentence.citations)
        gap = "" if not text else "\n\n" if is_block or text.endswith("\n") else " "
        text += f"{gap}{sentence.text}\n{marks}\n" if is_block else f"{gap}{sentence.text} {marks}"
    return text.strip()


def _refusal(
    outcome: Outcome,
    query: Query,
    generator: Generator,
    found: Found,
    evidence: Sequence[Evidence],
    signals: Signals,
    sure: float,
    watch: "_Stopwatch",
    dropped: list[dict[str, Any]],
) -> Answer:
    nearest = [_citation(number, hit, hit.start_s) for number, hit in enumerate(found.hits[:3], start=1)]
    return Answer(
        question=query.text,
        outcome=outcome,
        text=_REASONS[outcome],
        sentences=(),
        citations=tuple(nearest),
        confidence=sure,
        reason=_REASONS[outcome],
        engine=generator.name,
        timings_s=watch.timings_s,
        trace=_trace(query, found, evidence, signals, dropped),
    )


def _trace(
    query: Query, found: Found, evidence: Sequence[Evidence], signals: Signals, dropped: list[dict[str, Any]]
) -> dict[str, Any]:
    used = {hit.chunk_id for block in evidence for hit in block.hits}
    return {
        "words": list(query.words),
        "phrases": list(query.phrases),
        "lexemes": list(found.lexemes),
        "corrections": found.corrections,
        "narrowed": _narrowed(found.narrowed),
        "n_folded": found.n_folded,
        "candidates": [
            {
                "chunk_id": hit.chunk_id,
                "document_id": hit.document_id,
                "title": hit.title,
                "score": round(hit.score, 5),
                "lexical_score": round(hit.lexical_score, 3),
                "vector_score": None if hit.vector_score is None else round(hit.vector_score, 3),
                "is_evidence": hit.chunk_id in used,
            }
            for hit in found.hits
        ],
        "signals": {name: round(value, 3) for name, value in asdict(signals).items()},
        "dropped": dropped,
        "cut": [hit.chunk_id for hit in found.hits if hit.chunk_id not in used],
    }


def _narrowed(filters: Filters | None) -> dict[str, Any] | None:
    if filters is None:
        return None
    since = filters.updated_after
    return {
        "spaces": list(filters.spaces),
        "document_ids": list(filters.document_ids),
        "updated_after": since.isoformat() if since else None,
    }


class _Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.timings_s: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.timings_s[stage] = round(time.monotonic() - started, 4)
