"""Answered and refused correctly on SQuAD 2.0, whose questions have no answer half the time; fits the confidence.

    python -m benchmarks.squad_refusal ../shared/data/rag --database-url postgresql://…

Every paragraph is a page; all questions go through `rag.answer.answer_question` with the extractive generator.
Weights are fitted on the first articles and reported on the others. Optional: `--qmsum DIR --qmsum-url URL` adds the
questions of a database that `benchmarks.qmsum_retrieval` filled, right when a citation overlaps the gold turns, and
asks it some of SQuAD's questions, which meetings cannot answer.
The database must be empty and migrated; `--reuse` asks a filled one again.
"""

import argparse
import json
import random
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import select, text

from core.db import SessionFactory, make_engine, make_session_factory, session_scope
from core.tables.documents import Document, Gate, Source
from core.tables.search import Chunk
from rag.answer import Answer, answer_question
from rag.chunking import chunk_markdown
from rag.confidence import Signals
from rag.embedding import Embedder, load_embedder
from rag.evaluation import read_qmsum
from rag.extractive import Extractive
from rag.store import index_document, mark_indexed, register_model, store_embeddings

_N_FIT_ARTICLES = 6


@dataclass(frozen=True)
class Case:
    """One question asked: its signals, and whether showing the answer would have been right."""

    signals: tuple[float, ...]
    is_right: bool
    is_answerable: bool
    part: str
    is_hit: bool


def main() -> None:
    options = _options()
    embedder = load_embedder()
    factory = make_session_factory(make_engine(options.database_url))
    articles = _articles(options.folder / "squad2-dev")
    if not options.reuse:
        load(factory, embedder, articles + _articles(options.folder / "squad2-distractors"))
    cases = ask_squad(factory, embedder, articles, options.n_questions)
    if options.qmsum:
        qmsum_factory = make_session_factory(make_engine(options.qmsum_url))
        cases += ask_qmsum(qmsum_factory, embedder, options.qmsum, options.every, options.n_questions // 4)
        cases += ask_off_topic(qmsum_factory, embedder, articles, options.n_questions // 4)
    fit = [case for case in cases if case.part not in {"report", "off-topic"}]
    if options.cases:
        options.cases.write_text(
            json.dumps(
                [[*case.signals, case.is_right, case.is_answerable, case.part, case.is_hit] for case in cases]
            )
        )
    weights = fit_weights(fit)
    names = ["intercept", *Signals.__dataclass_fields__]
    print(
        json.dumps({"weights": dict(zip(names, weights.round(2).tolist(), strict=True)), "n_fit": len(fit)})
    )
    for part in ("fit", "report", "qmsum", "off-topic"):
        chosen = [case for case in cases if case.part == part]
        for threshold in np.arange(0.1, 0.75, 0.05):
            print(json.dumps({"part": part, **point(chosen, weights, float(threshold))}))


def load(factory: SessionFactory, embedder: Embedder, articles: list[dict]) -> None:
    with session_scope(factory) as session:
        source = Source(name="squad", kind="confluence")
        session.add(source)
        session.flush()
        gate = Gate(source_id=source.id, door="all", principals=["anyone"])
        session.add(gate)
        session.flush()
        source_id, gate_id, model_id = source.id, gate.id, register_model(session, embedder)
    for article in articles:
        title = article["title"].replace("_", " ")
        with session_scope(factory) as session:
            todo = []
            for number, paragraph in enumerate(article["paragraphs"]):
                row = Document(
                    source_id=source_id, external_id=f"{title}/{number}", kind="page", title=title,
                    url=f"http://127.0.0.1/{number}", gate_ids=[gate_id],
                )  # fmt: skip
                session.add(row)
                session.flush()
                passages = chunk_markdown(title, paragraph["context"], count_tokens=embedder.count_tokens)
                todo += index_document(session, row.id, passages, model_id=model_id).to_embed
                mark_indexed(session, row.id, None)
        vectors = embedder.embed_passages([chunk.embedded_text for chunk in todo])
        with session_scope(factory) as session:
            store_embeddings(session, model_id, [chunk.chunk_id for chunk in todo], vectors)
    with session_scope(factory) as session:
        session.execute(text("ANALYZE"))


def ask_squad(
    factory: SessionFactory, embedder: Embedder, articles: list[dict], n_questions: int
) -> list[Case]:
    asked = [
        (
            "fit" if index < _N_FIT_ARTICLES else "report",
            f"{article['title'].replace('_', ' ')}/{number}",
            question,
        )
        for index, article in enumerate(articles)
        for number, paragraph in enumerate(article["paragraphs"])
        for question in paragraph["qas"]
    ]
    random.Random(0).shuffle(asked)
    with factory() as session:
        names = dict(session.execute(select(Document.id, Document.external_id)).all())
        gates = list(session.scalars(select(Gate.id)))
    cases = []
    for part, place, question in asked[:n_questions]:
        answer = _answer(factory, embedder, question["question"], gates)
        gold = [found["text"].casefold() for found in question["answers"]]
        is_right = any(span in answer.text.casefold() for span in gold)
        found = [names[candidate["document_id"]] for candidate in answer.trace["candidates"][:5]]
        cases.append(Case(_signals(answer), is_right, not question["is_impossible"], part, place in found))
    return cases


def ask_qmsum(factory: SessionFactory, embedder: Embedder, folder: Path, every: int, n: int) -> list[Case]:
    queries = [query for meeting in read_qmsum(folder, every=every) for query in meeting.queries]
    random.Random(0).shuffle(queries)
    with factory() as session:
        gates = list(session.scalars(select(Gate.id)))
    cases = []
    for query in queries[:n]:
        answer = _answer(factory, embedder, query.text, gates)
        with factory() as session:
            cited = session.execute(
                select(Document.external_id, Chunk.first_position, Chunk.last_position)
                .join(Document, Document.id == Chunk.document_id)
                .where(Chunk.id.in_([citation.chunk_id for citation in answer.citations]))
            ).all()
        is_right = any(
            name == query.document and first <= end and start <= last
            for name, first, last in cited
            for start, end in query.spans
        )
        cases.append(Case(_signals(answer), is_right, True, "qmsum", is_right))
    return cases


def ask_off_topic(factory: SessionFactory, embedder: Embedder, articles: list[dict], n: int) -> list[Case]:
    """Questions about Wikipedia asked of the meetings, which cannot know; half fit, half reported."""
    asked = [
        q["question"] for article in articles for paragraph in article["paragraphs"] for q in paragraph["qas"]
    ]
    random.Random(1).shuffle(asked)
    with factory() as session:
        gates = list(session.scalars(select(Gate.id)))
    answers = [_answer(factory, embedder, question, gates) for question in asked[:n]]
    return [
        Case(_signals(answer), False, False, "off-topic fit" if index % 2 else "off-topic", False)
        for index, answer in enumerate(answers)
    ]


def fit_weights(cases: list[Case], ridge: float = 0.05) -> np.ndarray:
    """Logistic regression by Newton's method; `(1 + n_signals,)`, intercept first."""
    x = np.array([(1.0, *case.signals) for case in cases])
    y = np.array([case.is_right and case.is_answerable for case in cases], dtype=float)
    weights = np.zeros(x.shape[1])
    penalty = ridge * np.eye(x.shape[1])
    penalty[0, 0] = 0
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (y - p) - penalty @ weights
        weights += np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + penalty, gradient)
    return weights


def point(cases: list[Case], weights: np.ndarray, threshold: float) -> dict:
    """One point of the curve; a question without an answer is handled right when it is refused."""
    x = np.array([(1.0, *case.signals) for case in cases])
    shown = (1 / (1 + np.exp(-x @ weights))) >= threshold
    answerable = np.array([case.is_answerable for case in cases])
    right = np.array([case.is_right for case in cases])
    return {
        "threshold": round(threshold, 2),
        "n": len(cases),
        "recall_at_5": round(float(np.mean([case.is_hit for case in cases if case.is_answerable] or [0])), 3),
        "answered": round(float((shown & answerable).sum() / max(answerable.sum(), 1)), 3),
        "answered_right": round(float((shown & right & answerable).sum() / max(answerable.sum(), 1)), 3),
        "refused_right": round(float((~shown & ~answerable).sum() / max((~answerable).sum(), 1)), 3),
    }


def _answer(factory: SessionFactory, embedder: Embedder, question: str, gates: list[int]) -> Answer:
    return answer_question(
        factory,
        question,
        passed_gates=gates,
        embedder=embedder,
        generator=Extractive(embedder),
        answer_from=0.0,
    )


def _signals(answer: Answer) -> tuple[float, ...]:
    return astuple(Signals(**answer.trace["signals"]))


def _articles(folder: Path) -> list[dict]:
    return [
        article for path in sorted(folder.glob("*.json")) for article in json.loads(path.read_text())["data"]
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--reuse", action="store_true", help="the database is already filled")
    parser.add_argument("--n-questions", type=int, default=500)
    parser.add_argument("--cases", type=Path, help="keep every question's signals here, as JSON")
    parser.add_argument("--qmsum", type=Path)
    parser.add_argument("--qmsum-url")
    parser.add_argument("--every", type=int, default=4)
    return parser.parse_args()


if __name__ == "__main__":
    main()
