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
    answer_overlap,
    is_right,
    ranked_passage,
    read_qmsum,
    recall_of_turns,
    score_retrieval,
)
from workers import evaluate
from workers.context import Context
from workers.evaluation_corpus import documents_of, index, load_articles, load_meetings, read_articles
from workers.own_questions import ask_own, evidence_row, read_questions

# Nothing of the installation but its engines takes part, and everybody may read the set.
_APART = {
    "imp_recordings_audience": (ANYONE,), "imp_minutes_policy": "review",
    "confluence_url": None, "confluence_minutes_space": None, "slack_bot_token": None,
}  # fmt: skip

Write = Callable[[dict[str, Any]], None]
Rows = list[dict[str, Any]]


def qmsum(
    folder: Path, dump: Path, *, every: int = 1, rows: Rows | None = None, **overrides: object
) -> dict[str, Any]:
    """Figures of the retrieval over all meetings of `folder`, and a line a query in `dump`.

    A hit is a place of up to three joined passages; `passage_…` counts every passage for itself.

    Args:
        rows: gets a plain row a question, as `app.evaluation_runs` keeps them.
        overrides: settings that win over the environment's, such as another embedder.

    Raises:
        BadInput: the folder is not in QMSum's format, or `dump` cannot be written.
    """
    meetings = _meetings(folder, every)
    places, single, recalls, seconds, n_answered = [], [], [], [], 0
    with _lines(dump) as write, temporary_context(**{**_APART, **overrides}) as context:
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
            if rows is not None:
                gold = [f"{meeting.name}, turns {first} to {last}" for first, last in query.spans]
                rank = next((at for at, one in enumerate(places[-1][1], 1) if is_right(query, one)), None)
                shown = [
                    evidence_row(
                        one["meeting"],
                        f"turns {one['start_turn']} to {one['end_turn']}",
                        one["text"],
                        one["score"],
                    )
                    for one in line["hits"][:5]
                ]
                rows.append(
                    _row(query.text, gold, rank, asked, line["answer"], shown, is_ranked=bool(query.spans))
                )
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


def squad(
    path: Path, dump: Path, *, every: int = 1, rows: Rows | None = None, **overrides: object
) -> dict[str, Any]:
    """Figures of recall and of right refusals over SQuAD articles, and a line a question in `dump`.

    `rows` and `overrides` as for `qmsum`.

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
    overlaps: list[tuple[float, float]] = []
    with _lines(dump) as write, temporary_context(**{**_APART, **overrides}) as context:
        places = load_articles(context, articles)
        index(context)
        for gold, (asked, line) in zip(
            asked_of, evaluate.ask_articles(context, places, asked_of), strict=True
        ):
            write(line)
            seconds.append((asked.search_s, asked.answer_s))
            if rows is not None:
                rows.append(_squad_row(gold, asked, line))
            if gold.get("is_impossible"):
                n_impossible += 1
                n_refused_right += line["refused"]
                continue
            found = [(one["title"], one["paragraph"]) for one in line["hits"]]
            place = (gold["title"], gold["paragraph"])
            ranks.append(found.index(place) + 1 if place in found else None)
            said = "" if line["refused"] else asked.answer.text.casefold()
            n_right += any(str(one["text"]).casefold() in said for one in gold.get("answers", ()))
            golds = [str(one["text"]) for one in gold.get("answers", ())]
            overlaps.append(answer_overlap(line["answer"] or "", golds))
        facts = _engines(context)
    n_answerable = max(len(ranks), 1)
    return {
        "set": str(path), "n_pages": len(places), "n_questions": len(asked_of),
        **{f"recall_at_{k}": round(sum(r is not None and r <= k for r in ranks) / n_answerable, 4) for k in (1, 5, 20)},
        "answered_with_gold_span": round(n_right / n_answerable, 4),
        "exact_match": round(sum(exact for exact, _ in overlaps) / n_answerable, 4),
        "f1": round(sum(f1 for _, f1 in overlaps) / n_answerable, 4),
        "refused_right": round(n_refused_right / n_impossible, 4) if n_impossible else None,
        **_times(seconds), **facts,
    }  # fmt: skip


def own_questions(context: Context, file: Path, *, as_email: str | None, rows: Rows) -> dict[str, Any]:
    """Figures of a customer's own questions against the installation's index; a row a question in `rows`.

    Raises:
        BadInput: a line of the file is not in the format; it is named.
        NotFound: nobody has the address a question names.
    """
    asked = read_questions(file)
    rows += ask_own(context, asked, as_email=as_email)
    ranked = [row for row in rows if row["is_ranked"]]
    judged = [row["is_answer_right"] for row in rows if row["is_answer_right"] is not None]
    cannot = [row for row in rows if not row["is_answerable"]]
    n_ranked = max(len(ranked), 1)
    figures: dict[str, Any] = {"set": str(file), "n_questions": len(rows), "n_ranked": len(ranked)}
    if ranked:
        for k in (1, 5, 10, 20):
            figures[f"hit_at_{k}"] = round(
                sum(r["rank"] is not None and r["rank"] <= k for r in ranked) / n_ranked, 4
            )
        figures["mrr_at_10"] = round(
            sum(1 / r["rank"] for r in ranked if r["rank"] and r["rank"] <= 10) / n_ranked, 4
        )
    figures["n_answered"] = sum(row["answer"] is not None for row in rows)
    if judged:
        figures["answered_right"] = round(sum(judged) / len(judged), 4)
    if cannot:
        figures["refused_right"] = round(sum(row["answer"] is None for row in cannot) / len(cannot), 4)
    return {**figures, **_times([(row["search_s"], row["answer_s"]) for row in rows]), **_engines(context)}


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


def _squad_row(gold: dict[str, Any], asked: evaluate.Asked, line: dict[str, Any]) -> dict[str, Any]:
    found = [(one["title"], one["paragraph"]) for one in line["hits"]]
    place = (gold["title"], gold["paragraph"])
    shown = [evidence_row(hit.title, hit.url, hit.text, hit.score) for hit in asked.found.hits[:5]]
    is_answerable = not gold.get("is_impossible")
    row = _row(
        str(gold["question"]), [f"{place[0]}, paragraph {place[1]}"],
        found.index(place) + 1 if place in found else None, asked, line["answer"], shown, is_ranked=is_answerable,
    )  # fmt: skip
    wanted = [str(one["text"]).casefold() for one in gold.get("answers", ())]
    is_right = any(one in (line["answer"] or "").casefold() for one in wanted) if is_answerable else None
    return {**row, "is_answerable": is_answerable, "is_answer_right": is_right}


def _row(
    question: str, expected: list[str], rank: int | None, asked: evaluate.Asked, answer: str | None,
    hits: list[dict[str, Any]], *, is_ranked: bool,
) -> dict[str, Any]:  # fmt: skip
    return {
        "question": question, "expected": expected, "rank": rank, "is_ranked": is_ranked, "is_answerable": True,
        "answer": answer, "confidence": round(asked.answer.confidence, 4), "hits": hits,
        "search_s": asked.search_s, "answer_s": asked.answer_s,
    }  # fmt: skip


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
