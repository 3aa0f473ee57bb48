"""Ask the questions of an evaluation set through the product's own search and answering, one plain dict a question.

What the dicts hold is a contract with outside scorers, which read them as lines of JSON.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import select

from core.access import passed_gates
from core.tables.meetings import Minutes
from core.tables.search import Chunk
from rag.answer import Answer, find
from rag.evaluation import Meeting
from rag.evidence import Evidence
from rag.search import Found
from rag.turns import joined, stretches
from workers import questions
from workers.context import Context
from workers.minutes import draft_of
from workers.run_waiting import run_waiting

N_HITS = 20
N_PASSAGES = 40  # searched, so that 20 places are left when neighbours are joined
CONTEXT_TOKENS = 1_500


@dataclass(frozen=True, slots=True)
class Asked:
    """What the search found (`N_PASSAGES` at most), the answer, and the seconds each took."""

    found: Found
    answer: Answer
    search_s: float
    answer_s: float


def ask(context: Context, question: str) -> Asked:
    """As somebody unknown asks from the command line."""
    with context.factory.begin() as session:
        gates = passed_gates(session, None)
        question_id = questions.write_down(
            session, question, person_id=None, place={"via": "evaluation"}, max_chars=len(question) + 1
        )
    started = time.monotonic()
    found = find(context.factory, question, passed_gates=gates, embedder=context.embedder, top_k=N_PASSAGES)
    searched = time.monotonic()
    answer = questions.answer(context, question_id, audience=[None])
    return Asked(found, answer, searched - started, time.monotonic() - searched)


def ask_meetings(
    context: Context, meetings: dict[int, Meeting]
) -> Iterator[tuple[Meeting, int, Asked, dict[str, Any]]]:
    """Every specific query of meetings (by document id), without naming its meeting.

    A hit is a place: up to three neighbouring passages found, joined as the answer's evidence joins them.

    Yields (meeting, number of the query in it, what was found, the line to dump).
    """

    @cache
    def turn_tokens(document_id: int) -> Sequence[int]:
        count = context.embedder.count_tokens
        return [count(f"{one.speaker}: {one.text}") for one in meetings[document_id].utterances]

    for meeting in meetings.values():
        for number, query in enumerate(meeting.queries):
            asked = ask(context, query.text)
            spans = stretches(asked.found.hits, turn_tokens, budget_tokens=CONTEXT_TOKENS)
            yield (
                meeting,
                number,
                asked,
                {
                    "meeting": meeting.name,
                    "query": query.text,
                    "hits": [
                        {
                            "meeting": meetings[place[0].document_id].name,
                            "start_turn": place[0].first_position,
                            "end_turn": place[-1].last_position,
                            "score": round(max(hit.score for hit in place), 6),
                            "text": Evidence(0, place).text,
                        }
                        for place in joined(asked.found.hits)[:N_HITS]
                    ],
                    "context": [
                        {
                            "meeting": meetings[span.document_id].name,
                            "start_turn": span.first,
                            "end_turn": span.last,
                        }
                        for span in spans
                    ],
                    "answer": _plain(asked.answer),
                    "citations": _cited_turns(context, asked.answer, meetings),
                },
            )


def ask_articles(
    context: Context, places: dict[int, tuple[str, int]], asked_of: Sequence[dict[str, Any]]
) -> Iterator[tuple[Asked, dict[str, Any]]]:
    """Every question of SQuAD articles whose paragraphs are pages at `places` (by document id)."""
    for question in asked_of:
        asked = ask(context, str(question["question"]))
        hits = [(*places[hit.document_id], hit.score) for hit in asked.found.hits[:N_HITS]]
        yield (
            asked,
            {
                "id": question["id"],
                "hits": [{"title": t, "paragraph": p, "score": round(s, 6)} for t, p, s in hits],
                "answer": asked.answer.span or _plain(asked.answer),
                "refused": asked.answer.outcome != "answered",
                "confidence": round(asked.answer.confidence, 4),
            },
        )


def draft_meetings(context: Context, meetings: dict[int, Meeting]) -> Iterator[dict[str, Any]]:
    """The minutes the product drafts of recordings (by recording id) that wait for theirs."""
    run_waiting(context, "draft_minutes")
    for recording_id, meeting in meetings.items():
        with context.factory() as session:
            rows = session.scalars(
                select(Minutes).where(Minutes.recording_id == recording_id).order_by(Minutes.version.desc())
            ).all()
        yield {
            "meeting": meeting.name,
            "lines": [
                {
                    "section": line.section,
                    "text": line.text,
                    "evidence": [[one.first, one.last] for one in line.evidence],
                    "support": line.support,
                }
                for row in rows[:1]
                for line in draft_of(row).lines
            ],
        }


def _plain(answer: Answer) -> str | None:
    """The answer without the marks of its citations; None when it was refused."""
    return " ".join(one.text for one in answer.sentences) if answer.outcome == "answered" else None


def _cited_turns(context: Context, answer: Answer, meetings: dict[int, Meeting]) -> list[dict[str, Any]]:
    ids = [one.chunk_id for one in answer.citations] if answer.outcome == "answered" else []
    with context.factory() as session:
        rows = session.execute(
            select(Chunk.id, Chunk.first_position, Chunk.last_position).where(Chunk.id.in_(ids))
        ).all()
    turns = {row.id: (row.first_position, row.last_position) for row in rows}
    return [
        {
            "number": one.number,
            "meeting": meetings[one.document_id].name,
            "start_turn": turns[one.chunk_id][0],
            "end_turn": turns[one.chunk_id][1],
            "start_s": one.start_s,
        }
        for one in answer.citations
        if one.chunk_id in turns
    ]
