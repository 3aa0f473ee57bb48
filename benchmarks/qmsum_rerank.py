"""Fit the weights of `rag.rerank` on QMSum train, and say by cross-validation what they are worth.

    python -m benchmarks.qmsum_rerank ../shared/data/qmsum/train

The meetings are dealt into indexes of about 32, as many as a held-out split has; the product's own search finds the
candidates. The weights maximize the likelihood that a right passage comes first (softmax over a query's candidates).
"""

import argparse
import json
import random
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from sqlalchemy import select

from app.temporary_database import temporary_context
from core.access import ANYONE, passed_gates
from core.tables.search import Chunk
from rag import rerank
from rag.answer import find
from rag.evaluation import Meeting, read_qmsum
from workers.evaluation_corpus import documents_of, index, load_meetings

_MEETINGS_AN_INDEX = 32
_RIDGE = 1e-2  # on standardized weights

Group = tuple[np.ndarray, np.ndarray]  # features (n, k), is right (n,)


def main() -> None:
    options = _options()
    meetings = list(read_qmsum(options.folder, every=options.every))
    random.Random(0).shuffle(meetings)
    n_folds = max(2, round(len(meetings) / _MEETINGS_AN_INDEX))
    folds = [candidates_of(meetings[fold::n_folds]) for fold in range(n_folds)]
    before = [[(group[0][:, :2] @ [1.0, 0.7], group[1]) for group in fold] for fold in folds]
    after = []
    for held_out, fold in enumerate(folds):
        weights = fit([group for other, some in enumerate(folds) if other != held_out for group in some])
        after.append([(x @ weights, y) for x, y in fold])
    weights = fit([group for fold in folds for group in fold])
    print(json.dumps({"weights": dict(zip(rerank.FEATURES, weights.round(2).tolist(), strict=True))}))
    print(json.dumps({"fused": _mean(before), "held_out": _mean(after), "n_folds": n_folds}))


def candidates_of(meetings: list[Meeting]) -> list[Group]:
    """Every query's candidates in one index of these meetings."""
    groups: list[Group] = []
    seen: list[tuple[list[rerank.Candidate], np.ndarray]] = []

    def record(asked: rerank.Asked, candidates: list[rerank.Candidate]) -> np.ndarray:
        found = rerank.features(asked, candidates)
        seen.append((candidates, found))
        return found @ rerank.WEIGHTS

    with temporary_context(imp_recordings_audience=(ANYONE,), confluence_url=None) as context:
        by_document = documents_of(context, load_meetings(context, meetings))
        index(context)
        with context.factory() as session:
            gates = passed_gates(session, None)
            rows = session.execute(
                select(Chunk.document_id, Chunk.position, Chunk.first_position, Chunk.last_position)
            ).all()
        turns = {(row.document_id, row.position): (row.first_position, row.last_position) for row in rows}
        with mock.patch.object(rerank, "scores", record):
            for document_id, meeting in by_document.items():
                for query in meeting.queries:
                    seen.clear()
                    find(context.factory, query.text, passed_gates=gates, embedder=context.embedder)
                    candidates, found = seen[-1]
                    is_right = [
                        one.document_id == document_id
                        and any(
                            turns[one.document_id, one.position][0] <= last
                            and first <= turns[one.document_id, one.position][1]
                            for first, last in query.spans
                        )
                        for one in candidates
                    ]
                    groups.append((found, np.array(is_right)))
    return groups


def fit(groups: list[Group]) -> np.ndarray:
    """Weights `(k,)` for features as they are; groups without a right candidate teach nothing."""
    taught = [(x, y) for x, y in groups if y.any()]
    together = np.concatenate([x for x, _ in taught])
    mean, spread = together.mean(0), together.std(0) + 1e-6
    tensors = [(torch.tensor((x - mean) / spread), torch.tensor(y)) for x, y in taught]
    weights = torch.zeros(together.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        missed = [torch.logsumexp(x @ weights, 0) - torch.logsumexp((x @ weights)[y], 0) for x, y in tensors]
        total = torch.stack(missed).mean() + _RIDGE * (weights**2).sum()
        total.backward()
        return total

    optimizer.step(loss)
    return weights.detach().numpy() / spread


def _mean(folds: list[list[tuple[np.ndarray, np.ndarray]]]) -> dict[str, float]:
    """hit@5 and MRR@10 over passages, the mean of the folds."""
    hits, reciprocal = [], []
    for fold in folds:
        ranks = [np.flatnonzero(y[np.argsort(-scores, kind="stable")]) for scores, y in fold]
        firsts = [int(one[0]) + 1 if len(one) else 1_000 for one in ranks]
        hits.append(np.mean([rank <= 5 for rank in firsts]))
        reciprocal.append(np.mean([1 / rank if rank <= 10 else 0.0 for rank in firsts]))
    return {"hit_at_5": round(float(np.mean(hits)), 3), "mrr_at_10": round(float(np.mean(reciprocal)), 3)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every n-th meeting")
    return parser.parse_args()


if __name__ == "__main__":
    main()
