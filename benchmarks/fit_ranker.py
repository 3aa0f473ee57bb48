"""Fit what orders the candidates of a search, and say on what was left out how much it is worth.

    python -m benchmarks.fit_ranker ../shared/data/qmsum/train ../shared/data/rag/squad2-dev [--out rag]

Meetings are dealt into indexes of about 32, as many as a held-out split has; pages make two more, by article. The
product's own search finds the candidates. First the lens (`rag.lens`, a low-rank correction of the question's vector),
then the ranker (`rag.ranker`) over the features that each index has under a lens fitted on the others. `--out rag`
replaces the weights the product ships. Topics that annotators named with their turns are asked as well.
"""

import argparse
import json
import random
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from sqlalchemy import text

from app.temporary_database import temporary_context
from core.access import ANYONE, passed_gates
from rag import lens, ranker, rerank
from rag.answer import find
from rag.evaluation import EvaluationQuery, Meeting, read_qmsum
from workers.context import Context
from workers.evaluation_corpus import documents_of, index, load_articles, load_meetings, read_articles

_MEETINGS_AN_INDEX = 32
_ARTICLES_FITTED = 6  # the others' questions stay unseen, to report on
_QUESTIONS_A_PAGE_INDEX = 240
_RANK, _LENS_EPOCHS, _LENS_RIDGE, _TEMPERATURE = 32, 40, 3e-2, 0.05
_BENDS, _RANKERS, _EPOCHS, _RIDGE, _DROPOUT = 16, 3, 20, 3e-3, 0.1
_TOPIC = "What did the group discuss about {}?"

_VECTORS = text("""
    SELECT c.document_id, c.position, c.first_position, c.last_position, e.vector::text AS vector
    FROM chunks c JOIN embeddings e ON e.chunk_id = c.id
""")


@dataclass(frozen=True)
class Case:
    """One question: its candidates `n`, their vectors `(n, dim)`, which are right `(n,)`; topics are not scored."""

    asked: rerank.Asked
    question: np.ndarray
    candidates: list[rerank.Candidate]
    vectors: np.ndarray
    is_right: np.ndarray
    is_scored: bool = True


def main() -> None:
    options = _options()
    torch.manual_seed(0)
    meetings = list(read_qmsum(options.meetings, every=options.every))
    random.Random(0).shuffle(meetings)
    n_folds = max(2, round(len(meetings) / _MEETINGS_AN_INDEX))
    folds = [_of_meetings(options.meetings, meetings[fold::n_folds]) for fold in range(n_folds)]
    articles = read_articles(options.pages)[:_ARTICLES_FITTED]
    folds += [_of_pages(articles[half::2]) for half in (0, 1)]
    seen = [_features(fold, fit_lens(_others(folds, at))) for at, fold in enumerate(folds)]
    for at, fold in enumerate(folds):
        fitted = fit_ranker([group for other, some in enumerate(seen) if other != at for group in some])
        scored = [(x, y) for (x, y), case in zip(seen[at], fold, strict=True) if case.is_scored]
        before = _quality([(x[:, 0] + 0.7 * x[:, 1], y) for x, y in scored])
        after = _quality([(fitted.scores(x), y) for x, y in scored])
        print(json.dumps({"fold": at, "n": len(scored), "fused": before, "held_out": after}), flush=True)
    if options.out:
        whole = lens.written("all-MiniLM-L6-v2", fit_lens([case for fold in folds for case in fold]))
        (options.out / lens.WEIGHTS_FILE.name).write_text(json.dumps([whole], indent=1) + "\n")
        fitted = fit_ranker([group for some in seen for group in some])
        (options.out / ranker.WEIGHTS_FILE.name).write_text(ranker.written(fitted) + "\n")


def _of_meetings(folder: Path, meetings: list[Meeting]) -> list[Case]:
    with _empty_context() as context:
        by_document = documents_of(context, load_meetings(context, meetings))
        index(context)
        return [
            case
            for document_id, meeting in by_document.items()
            for queries, is_scored in ((meeting.queries, True), (_topics(folder, meeting), False))
            for query in queries
            if (case := _case(context, query.text, document_id, query.spans, is_scored)) is not None
        ]


def _of_pages(articles: list[dict]) -> list[Case]:
    with _empty_context() as context:
        places = {place: document_id for document_id, place in load_articles(context, articles).items()}
        index(context)
        asked = [
            (question["question"], places[article["title"], number])
            for article in articles
            for number, paragraph in enumerate(article["paragraphs"])
            for question in paragraph["qas"]
            if not question.get("is_impossible")
        ]
        random.Random(0).shuffle(asked)
        cases = [
            _case(context, question, page, None, True) for question, page in asked[:_QUESTIONS_A_PAGE_INDEX]
        ]
        return [case for case in cases if case is not None]


def _case(
    context: Context,
    question: str,
    document_id: int,
    spans: tuple[tuple[int, int], ...] | None,
    is_scored: bool,
) -> Case | None:
    """None where the search finds nothing right, which teaches nothing, unless it is to be scored."""
    kept: list[tuple[rerank.Asked, list[rerank.Candidate]]] = []

    def record(asked: rerank.Asked, candidates: list[rerank.Candidate]) -> np.ndarray:
        kept.append((asked, candidates))
        return np.zeros(len(candidates))

    vectors, turns = _vectors(context)
    with mock.patch.object(rerank, "scores", record), context.factory() as session:
        gates = passed_gates(session, None)
        find(context.factory, question, passed_gates=gates, embedder=context.embedder)
    if not kept:
        return None
    asked, candidates = kept[-1]
    places = [(one.document_id, one.position) for one in candidates]
    is_right = [
        document == document_id
        and (spans is None or any(turns[document, at][0] <= last and first <= turns[document, at][1] for first, last in spans))
        for document, at in places
    ]  # fmt: skip
    if not (any(is_right) or is_scored):
        return None
    return Case(
        asked, context.embedder.embed_query(question), candidates,
        np.stack([vectors[place] for place in places]), np.array(is_right), is_scored,
    )  # fmt: skip


def fit_lens(cases: list[Case]) -> lens.Lens:
    """Maximize the likelihood that a right candidate is nearest (softmax over a question's candidates)."""
    taught = [case for case in cases if case.is_right.any()]
    dim = taught[0].vectors.shape[1]
    down = (torch.randn(dim, _RANK) * 0.02).requires_grad_()
    up, shift = torch.zeros(_RANK, dim, requires_grad=True), torch.zeros(dim, requires_grad=True)
    optimizer = torch.optim.AdamW([down, up, shift], lr=3e-3, weight_decay=_LENS_RIDGE)
    batches = [_lens_batch(taught[start : start + 256]) for start in range(0, len(taught), 256)]
    for _ in range(_LENS_EPOCHS):
        for questions, vectors, right, there in batches:
            bent = questions + torch.nn.functional.dropout(questions, 0.1) @ down @ up + shift
            bent = bent / bent.norm(dim=1, keepdim=True)
            near = torch.einsum("qd,qnd->qn", bent, vectors) / _TEMPERATURE
            loss = _missed(near, right, there) + _LENS_RIDGE * ((down @ up) ** 2).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return lens.Lens(dim, *(one.detach().numpy() for one in (down, up, shift)))


def fit_ranker(groups: list[tuple[np.ndarray, np.ndarray]]) -> ranker.Ranker:
    """The mean of three fits that start differently, as one ranker with three times the bends."""
    taught = [(x, y) for x, y in groups if y.any()]
    together = np.concatenate([x for x, _ in taught])
    mean, spread = together.mean(0), together.std(0) + 1e-6
    values, right, there = _padded([((x - mean) / spread, y) for x, y in taught])
    fits = [_fit_once(values, right, there) for _ in range(_RANKERS)]
    linear, hidden, bias, out = zip(*fits, strict=True)
    return ranker.Ranker(
        features=rerank.FEATURES, mean=mean, spread=spread, linear=np.mean(linear, axis=0),
        hidden=np.concatenate(hidden, axis=1), bias=np.concatenate(bias), out=np.concatenate(out) / _RANKERS,
    )  # fmt: skip


def _fit_once(values: torch.Tensor, right: torch.Tensor, there: torch.Tensor) -> list[np.ndarray]:
    k = values.shape[2]
    linear, bias = torch.zeros(k, requires_grad=True), torch.zeros(_BENDS, requires_grad=True)
    hidden = (torch.randn(k, _BENDS) * 0.2).requires_grad_()
    out = (torch.randn(_BENDS) * 0.1).requires_grad_()
    weights = [linear, hidden, bias, out]
    optimizer = torch.optim.Adam(weights, lr=5e-3)
    for _ in range(_EPOCHS):
        for rows in torch.randperm(len(values)).split(128):
            z = torch.nn.functional.dropout(values[rows], _DROPOUT)
            found = z @ linear + torch.tanh(z @ hidden + bias) @ out
            loss = _missed(found, right[rows], there[rows]) + _RIDGE * sum((one**2).sum() for one in weights)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return [one.detach().numpy() for one in weights]


def _missed(scores: torch.Tensor, right: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """Mean of minus log of the share that right candidates have in the softmax over those `there`."""
    scores = scores.masked_fill(~there, -1e9)
    return (torch.logsumexp(scores, 1) - torch.logsumexp(scores.masked_fill(~right, -1e9), 1)).mean()


def _features(cases: list[Case], through: lens.Lens) -> list[tuple[np.ndarray, np.ndarray]]:
    groups = []
    for case in cases:
        near = case.vectors @ through.seen(case.question)
        seen = [replace(one, tuned=float(cosine)) for one, cosine in zip(case.candidates, near, strict=True)]
        groups.append((rerank.features(case.asked, seen), case.is_right))
    return groups


def _lens_batch(cases: list[Case]) -> tuple[torch.Tensor, ...]:
    vectors, right, there = _padded([(case.vectors, case.is_right) for case in cases])
    return torch.tensor(np.stack([case.question for case in cases])), vectors, right, there


def _padded(groups: list[tuple[np.ndarray, np.ndarray]]) -> tuple[torch.Tensor, ...]:
    """`(n_groups, longest, k)` values, and `(n_groups, longest)` which are right and which are there at all."""
    longest = max(len(y) for _, y in groups)
    values = np.zeros((len(groups), longest, groups[0][0].shape[1]), dtype=np.float32)
    right, there = np.zeros((2, len(groups), longest), dtype=bool)
    for at, (x, y) in enumerate(groups):
        values[at, : len(y)], right[at, : len(y)], there[at, : len(y)] = x, y, True
    return torch.tensor(values), torch.tensor(right), torch.tensor(there)


def _topics(folder: Path, meeting: Meeting) -> list[EvaluationQuery]:
    named = json.loads((folder / f"{meeting.name}.json").read_text(encoding="utf-8"))["topic_list"]
    spans = [(one["topic"], [(int(a), int(b)) for a, b in one["relevant_text_span"]]) for one in named]
    return [
        EvaluationQuery(meeting.name, _TOPIC.format(topic), tuple(turns)) for topic, turns in spans if turns
    ]


_known: dict[int, tuple[dict, dict]] = {}


def _vectors(context: Context) -> tuple[dict, dict]:
    """Vector and turns of every passage of the index by (document, position), read once an index."""
    if id(context) not in _known:
        _known.clear()
        with context.factory() as session:
            rows = session.execute(_VECTORS).all()
        places = [(row.document_id, row.position) for row in rows]
        numbers = [np.array(json.loads(row.vector), dtype=np.float32) for row in rows]
        turns = [(row.first_position, row.last_position) for row in rows]
        _known[id(context)] = dict(zip(places, numbers, strict=True)), dict(zip(places, turns, strict=True))
    return _known[id(context)]


def _empty_context():
    return temporary_context(
        imp_recordings_audience=(ANYONE,), imp_minutes_policy="review",
        confluence_url=None, confluence_minutes_space=None, slack_bot_token=None,
    )  # fmt: skip


def _others(folds: list[list[Case]], at: int) -> list[Case]:
    return [case for other, fold in enumerate(folds) if other != at for case in fold]


def _quality(found: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Share with a right passage among the first k, and MRR@10, over passages."""
    ranks = [np.flatnonzero(y[np.argsort(-scores, kind="stable")]) for scores, y in found]
    firsts = np.array([int(one[0]) + 1 if len(one) else 1_000 for one in ranks])
    share = {f"at_{k}": round(float((firsts <= k).mean()), 3) for k in (1, 5, 10)}
    return share | {"mrr": round(float(np.where(firsts <= 10, 1 / firsts, 0).mean()), 3)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("meetings", type=Path)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every n-th meeting")
    parser.add_argument(
        "--out", type=Path, help="write lens.json and ranker.json there; rag/ holds those shipped"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
