"""One evaluation from the files of a set to the dumped lines and the figures; what is asked of what, and nothing else."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.temporary_database import temporary_context
from core.access import ANYONE
from core.errors import BadInput
from rag.evaluation import (
    Meeting,
    RankedPassage,
    ranked_passage,
    read_qmsum,
    recall_of_turns,
    score_retrieval,
)
from workers import evaluate
from workers.context import Context
from workers.evaluation_corpus import documents_of, index, load_articles, load_meetings, read_articles

# Nothing of the installation but its engines takes part, and everybody may read the set.
_APART = {
    "imp_recordings_audience": (ANYONE,), "imp_minutes_policy": "review",
    "confluence_url": None, "confluence_minutes_space": None, "slack_bot_token": None,
}  # fmt: skip

Write = Callable[[dict[str, Any]], None]


def qmsum(folder: Path, dump: Path, *, every: int = 1) -> dict[str, Any]:
    """Figures of the retrieval over all meetings of `folder`, and a line a query in `dump`.

    A hit is a place of up to three joined passages; `passage_…` counts every passage for itself.

    Raises:
        BadInput: the folder is not in QMSum's format, or `dump` cannot be written.
    """
    meetings = _meetings(folder, every)
    places, single, recalls, seconds, n_answered = [], [], [], [], 0
    with _lines(dump) as write, temporary_context(**_APART) as context:
        by_document = documents_of(context, load_meetings(context, meetings))
        index(context)
        for meeting, number, asked, line in evaluate.ask_meetings(context, by_document):
            write(line)
            query = meeting.queries[number]
            places.append((query, [RankedPassage(*_turns(one), 0) for one in line["hits"]]))
            passages = [ranked_passage(hit, by_document[hit.document_id].name) for hit in asked.found.hits]
            single.append((query, passages))
            recalls.append(recall_of_turns(query, [_turns(one) for one in line["context"]]))
            seconds.append((asked.search_s, asked.answer_s))
            n_answered += asked.answer.outcome == "answered"
        facts = _engines(context)
    score, passage_score = score_retrieval(places), score_retrieval(single)
    return {
        "set": str(folder), "n_meetings": len(meetings), "n_queries": score.n_queries,
        **{f"hit_at_{k}": round(value, 4) for k, value in score.hit_at.items()},
        "mrr_at_10": round(score.mrr_at_10, 4), "meeting_at_5": round(score.document_at_5, 4),
        "passage_hit_at_5": round(passage_score.hit_at[5], 4),
        "passage_mrr_at_10": round(passage_score.mrr_at_10, 4),
        "turn_recall": round(sum(recalls) / max(len(recalls), 1), 4), "n_answered": n_answered, **_times(seconds), **facts,
    }  # fmt: skip


def squad(path: Path, dump: Path, *, every: int = 1) -> dict[str, Any]:
    """Figures of recall and of right refusals over SQuAD articles, and a line a question in `dump`.

    Raises:
        BadInput: the file is not in SQuAD's format, or `dump` cannot be written.
    """
    articles = read_articles(path)
    asked_of = [
        {"title": str(article["title"]), "paragraph": number, **question}
        for article in articles
        for number, paragraph in enumerate(article["paragraphs"])
        for question in paragraph["qas"]
    ][::every]
    ranks: list[int | None] = []
    seconds, n_right, n_refused_right, n_impossible = [], 0, 0, 0
    with _lines(dump) as write, temporary_context(**_APART) as context:
        places = load_articles(context, articles)
        index(context)
        for gold, (asked, line) in zip(
            asked_of, evaluate.ask_articles(context, places, asked_of), strict=True
        ):
            write(line)
            seconds.append((asked.search_s, asked.answer_s))
            if gold.get("is_impossible"):
                n_impossible += 1
                n_refused_right += line["refused"]
                continue
            found = [(one["title"], one["paragraph"]) for one in line["hits"]]
            place = (gold["title"], gold["paragraph"])
            ranks.append(found.index(place) + 1 if place in found else None)
            said = (line["answer"] or "").casefold()
            n_right += any(str(one["text"]).casefold() in said for one in gold.get("answers", ()))
        facts = _engines(context)
    n_answerable = max(len(ranks), 1)
    return {
        "set": str(path), "n_pages": len(places), "n_questions": len(asked_of),
        **{f"recall_at_{k}": round(sum(r is not None and r <= k for r in ranks) / n_answerable, 4) for k in (1, 5, 20)},
        "answered_with_gold_span": round(n_right / n_answerable, 4),
        "refused_right": round(n_refused_right / n_impossible, 4) if n_impossible else None,
        **_times(seconds), **facts,
    }  # fmt: skip


def drafted_minutes(folder: Path, dump: Path, *, every: int = 1) -> dict[str, Any]:
    """A line a meeting in `dump`, with the minutes the product drafts of it.

    Raises:
        BadInput: the folder is not in QMSum's format, or `dump` cannot be written.
    """
    meetings, n_lines = _meetings(folder, every), 0
    with _lines(dump) as write, temporary_context(**_APART) as context:
        for line in evaluate.draft_meetings(context, load_meetings(context, meetings)):
            write(line)
            n_lines += len(line["lines"])
        facts = _engines(context)
    return {"set": str(folder), "n_meetings": len(meetings), "n_lines": n_lines, **facts}


def _meetings(folder: Path, every: int) -> list[Meeting]:
    meetings = list(read_qmsum(folder, every=every))
    if not meetings:
        raise BadInput(f"{folder} holds no meetings (*.json in QMSum's format)")
    return meetings


@contextmanager
def _lines(dump: Path) -> Iterator[Write]:
    """Writes lines beside `dump`, which gets them when all were written."""
    draft = dump.with_name(dump.name + ".part")
    try:
        file = draft.open("w", encoding="utf-8")
    except OSError as exc:
        raise BadInput(f"{dump} cannot be written: {exc.strerror}") from exc
    with file:
        yield lambda line: print(json.dumps(line, ensure_ascii=False), file=file, flush=True)
    draft.replace(dump)


def _turns(one: dict[str, Any]) -> tuple[str, int, int]:
    return one["meeting"], one["start_turn"], one["end_turn"]


def _times(seconds: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Percentiles by nearest rank, in milliseconds; `search` includes embedding the question."""
    figures = {}
    for name, values in (("search", [s for s, _ in seconds]), ("answer", [a for _, a in seconds])):
        ordered = sorted(values)
        for share in (50, 95) if ordered else ():
            at = min(len(ordered) - 1, len(ordered) * share // 100)
            figures[f"{name}_p{share}_ms"] = round(1000 * ordered[at], 1)
    return figures


def _engines(context: Context) -> dict[str, Any]:
    embedder = context.embedder
    return {
        "embedder": embedder.name,
        "embedder_revision": embedder.revision,
        "generator": context.settings.imp_generator,
    }
