"""How good is the search, on question sets with known evidence. Measures the product's own code, knows no door.

QMSum (Zhong et al. 2021): meetings with queries and the turns that answer them. All meetings of a split lie in one
index and the query does not name its meeting, so finding the meeting is part of the task.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import BadInput
from core.transcript import Utterance
from rag.search import Hit

_SECONDS_PER_TURN = 5.0  # QMSum has no times; turns get even ones so that the speech road is walked whole


@dataclass(frozen=True, slots=True)
class EvaluationQuery:
    """A question and the turns (inclusive) of the one document that answer it; none where they are held back."""

    document: str
    text: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Meeting:
    """One QMSum meeting: `name` is its file's."""

    name: str
    utterances: tuple[Utterance, ...]
    queries: tuple[EvaluationQuery, ...]


@dataclass(frozen=True, slots=True)
class RetrievalScore:
    """Means over queries; `hit_at[k]` is the share with a right passage among the first k."""

    n_queries: int
    hit_at: dict[int, float]
    mrr_at_10: float
    document_at_5: float
    turn_recall: float


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """What the scorer must know of a hit."""

    document: str
    first_position: int
    last_position: int
    n_tokens: int


def read_qmsum(folder: Path, *, every: int = 1) -> Iterator[Meeting]:
    """Every `every`-th meeting of one split in the order of their names.

    Raises:
        BadInput: names the file that is not in QMSum's format.
    """
    for path in sorted(folder.glob("*.json"))[::every]:
        try:
            yield _meeting(path.stem, json.loads(path.read_text(encoding="utf-8")))
        except (KeyError, TypeError, ValueError) as exc:
            raise BadInput(f"{path} is not a QMSum meeting: {exc!r}") from exc


def score_retrieval(
    results: Iterable[tuple[EvaluationQuery, Sequence[RankedPassage]]], *, context_tokens: int = 1_500
) -> RetrievalScore:
    """Hit@k, MRR@10 and the recall of gold turns within the first `context_tokens` tokens of passages.

    A passage is right when it overlaps the gold turns of the gold document.
    """
    ranks: list[int | None] = []
    documents: list[bool] = []
    recalls: list[float] = []
    for query, passages in results:
        ranks.append(next((rank for rank, found in enumerate(passages, 1) if is_right(query, found)), None))
        documents.append(any(found.document == query.document for found in passages[:5]))
        recalls.append(_turn_recall(query, passages, context_tokens))
    n = max(len(ranks), 1)
    return RetrievalScore(
        n_queries=len(ranks),
        hit_at={k: sum(rank is not None and rank <= k for rank in ranks) / n for k in (1, 5, 10, 20)},
        mrr_at_10=sum(1 / rank for rank in ranks if rank is not None and rank <= 10) / n,
        document_at_5=sum(documents) / n,
        turn_recall=sum(recalls) / n,
    )


def is_right(query: EvaluationQuery, passage: RankedPassage) -> bool:
    return passage.document == query.document and any(
        passage.first_position <= last and first <= passage.last_position for first, last in query.spans
    )


def recall_of_turns(query: EvaluationQuery, stretches: Iterable[tuple[str, int, int]]) -> float:
    """Share of the query's gold turns within (document, first turn, last turn) stretches, 0..1."""
    gold = {turn for first, last in query.spans for turn in range(first, last + 1)}
    seen = {
        turn
        for document, first, last in stretches
        if document == query.document
        for turn in range(first, last + 1)
    }
    return len(gold & seen) / len(gold) if gold else 0.0


def answer_overlap(answer: str, golds: Sequence[str]) -> tuple[float, float]:
    """Exact match and F1 over words against the best of `golds`, as SQuAD counts them (Rajpurkar et al. 2016)."""
    said = _plain_words(answer)
    exact = max((float(said == _plain_words(gold)) for gold in golds), default=0.0)
    return exact, max((_word_f1(said, _plain_words(gold)) for gold in golds), default=0.0)


def _plain_words(text: str) -> list[str]:
    """Lower-case words without punctuation and English articles."""
    kept = "".join(char for char in text.casefold() if char.isalnum() or char.isspace())
    return [word for word in kept.split() if word not in {"a", "an", "the"}]


def _word_f1(said: Sequence[str], gold: Sequence[str]) -> float:
    n_shared = sum((Counter(said) & Counter(gold)).values())
    return 2 * n_shared / (len(said) + len(gold)) if n_shared else 0.0


def ranked_passage(hit: Hit, document: str) -> RankedPassage:
    """A hit of speech as the scorer sees it."""
    return RankedPassage(document, hit.first_position or 0, hit.last_position or 0, hit.n_tokens)


def _turn_recall(query: EvaluationQuery, passages: Sequence[RankedPassage], context_tokens: int) -> float:
    gold = {turn for first, last in query.spans for turn in range(first, last + 1)}
    seen: set[int] = set()
    left = context_tokens
    for passage in passages:
        if passage.n_tokens > left:
            break
        left -= passage.n_tokens
        if passage.document == query.document:
            seen.update(range(passage.first_position, passage.last_position + 1))
    return len(gold & seen) / len(gold) if gold else 0.0


def _meeting(name: str, data: dict[str, Any]) -> Meeting:
    utterances = tuple(
        Utterance(
            start_s=index * _SECONDS_PER_TURN,
            end_s=(index + 1) * _SECONDS_PER_TURN,
            text=_spoken(str(turn["content"])),
            speaker=str(turn["speaker"]) or None,
        )
        for index, turn in enumerate(data["meeting_transcripts"])
    )
    queries = tuple(
        EvaluationQuery(
            document=name,
            text=str(query["query"]),
            spans=tuple((int(first), int(last)) for first, last in query.get("relevant_text_span", ())),
        )
        for query in data["specific_query_list"]
    )
    return Meeting(name, utterances, queries)


def _spoken(content: str) -> str:
    """Without the transcribers' marks such as `{disfmarker}`."""
    for mark in ("{disfmarker}", "{vocalsound}", "{gap}", "{pause}", "{nonvocalsound}"):
        content = content.replace(mark, " ")
    return " ".join(content.split())
