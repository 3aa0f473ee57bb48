"""Question to evidence at ten thousand, a hundred thousand, a million passages: time, what is missed, memory, growth.

python -m benchmarks.scale --sizes 10000,100000          (a few minutes)
python -m benchmarks.scale --sizes 1000000 --limit-s 850 (a quiet machine, 12 GB of memory, 20 GB of disk)

Passages are made (benchmarks.synthetic_corpus) and loaded by COPY; the questions go the product's own way: embedded by
its model, searched by its statement, under all doors and under doors that let one passage in a hundred through.
`--throughput SECONDS` asks without pause from `--workers` processes at each size. `--plot FILE` draws the growth.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from app import embedded_postgres
from app.home import free_port
from benchmarks.in_process import compute_as_a_worker
from benchmarks.report import Figure, add_out, finish, percentile
from benchmarks.synthetic_corpus import Loaded, load, questions
from core.db import SessionFactory, make_engine, make_session_factory
from core.log import configure_logging
from migrations import schema
from rag import search as product
from rag.answer import find
from rag.embedding import Embedder, Vectors, load_embedder
from rag.search import Filters, Ranking
from rag.store import StoredModel, find_model, vector_text

N_QUESTIONS = 100
N_EXACT = 30
SERVER = (
    "shared_buffers=3GB", "effective_cache_size=8GB", "work_mem=32MB", "max_wal_size=16GB", "wal_level=minimal",
    "max_wal_senders=0", "fsync=off", "jit=off", "checkpoint_timeout=1h", "max_parallel_workers_per_gather=0",
)  # fmt: skip
REAL_QUESTIONS = (
    "Who decided to move the launch?", "What did the team say about the remote control's battery?",
    "How much does the new case cost?", "Why was the load test repeated?", "When is the next design review?",
    "What are the open risks of the migration?", "Which colours were chosen for the buttons?",
    "Who will write the summary for the customer?",
)  # fmt: skip


def main() -> None:
    options = _options()
    configure_logging(level="ERROR")
    compute_as_a_worker()
    started = time.monotonic()
    embedder = load_embedder()
    real = real_vectors(embedder)
    figures: list[Figure] = []
    growth: list[dict[str, float]] = []
    for size in options.sizes:
        with server() as (url, pids), Memory(pids) as memory:
            loaded = load(url.replace("+psycopg", ""), size, real, model=(embedder.name, embedder.revision))
            print(
                f"{size:,} passages, {loaded.n_postings:,} postings:",
                {k: round(v, 1) for k, v in loaded.seconds.items()},
                flush=True,
            )
            measured = measure(url, loaded, embedder, options, deadline=started + options.limit_s)
            measured |= {"memory_gb": memory.peak_gb, "load_s": sum(loaded.seconds.values())}
            growth.append({"n": size, **measured})
            print(json.dumps(growth[-1]), flush=True)
            figures += as_figures(size, measured)
    if options.plot:
        from benchmarks.growth_plot import draw

        options.plot.write_text(draw(growth))
    finish("Scale", figures, options)


@contextmanager
def server(options: Sequence[str] = SERVER) -> Iterator[tuple[str, list[int]]]:
    """A migrated Postgres of this benchmark's own; yields its URL and the id of its first process."""
    with tempfile.TemporaryDirectory(prefix="imp-scale-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        command = embedded_postgres.prepare(home, port=free_port())
        settings = [part for one in options for part in ("-c", one)]
        with (home / "postgres.log").open("w") as log:
            process = subprocess.Popen(
                [*command.argv, *settings], cwd="/", stdout=log, stderr=log, **command.identity
            )
        try:
            embedded_postgres.wait_until_ready(command)
            engine = make_engine(command.url)
            schema.upgrade(engine)
            engine.dispose()
            yield command.url, [process.pid, os.getpid()]
        finally:
            process.send_signal(3)
            process.wait(60)


def real_vectors(embedder: Embedder) -> NDArray[np.float32]:
    """Vectors of a thousand short real texts: of the outside material where it lies, else of the sample company."""
    folder = Path("../shared/data/qmsum/train")
    texts: list[str] = []
    for path in sorted(folder.glob("*.json")):
        turns = json.loads(path.read_text())["meeting_transcripts"]
        texts += [turn["content"][:200] for turn in turns if len(turn["content"]) > 80][:20]
    if not texts:
        import random

        from benchmarks.made_up_site import _Writer

        texts = [_Writer(random.Random(at)).prose(200) for at in range(2_000)]
    return embedder.embed_passages(texts[:2_000])


class PretendingEmbedder:
    """Answers with the real model's vector of a real question, in the real model's time, whatever made-up words ask."""

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self.name, self.revision, self.dim, self.max_tokens = (
            inner.name,
            inner.revision,
            inner.dim,
            inner.max_tokens,
        )
        self._n = 0

    def embed_query(self, asked: str) -> Vectors:
        self._n += 1
        return self._inner.embed_query(f"{REAL_QUESTIONS[self._n % len(REAL_QUESTIONS)]} {self._n % 97}")

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._inner.embed_passages(texts)

    def count_tokens(self, asked: str) -> int:
        return self._inner.count_tokens(asked)


def measure(
    url: str, loaded: Loaded, embedder: Embedder, options: argparse.Namespace, *, deadline: float
) -> dict[str, float]:
    """Latency under all doors and under a hundredth of them, what is missed, sizes, questions a second."""
    factory = make_session_factory(make_engine(url))
    asked = questions(loaded, url.replace("+psycopg", ""), options.questions)
    with factory() as session:
        gates = list(session.execute(text("SELECT id FROM gates ORDER BY id")).scalars())
        sizes = session.execute(text(
            "SELECT pg_total_relation_size('postings') / 1e9 AS words_gb, pg_total_relation_size('embeddings') / 1e9 "
            "AS vectors_gb, pg_relation_size('ix_embeddings_hnsw_1') / 1e9 AS hnsw_gb"
        )).one()._asdict()  # fmt: skip
    pretending = PretendingEmbedder(embedder)
    found: dict[str, float] = {name: float(value) for name, value in sizes.items()}
    found["n_postings"] = loaded.n_postings
    for name, passed in (("all", gates), ("1pct", gates[: max(1, len(gates) // 100)])):
        seconds = ask_all(factory, pretending, asked, passed)
        found |= {
            f"p50_{name}_ms": 1e3 * percentile(seconds, 0.5),
            f"p95_{name}_ms": 1e3 * percentile(seconds, 0.95),
        }
        print(name, found, flush=True)
    seconds = [_timed(lambda: pretending.embed_query("x")) for _ in range(30)]
    found["embed_p50_ms"] = 1e3 * percentile(seconds, 0.5)
    if options.throughput:
        found["questions_a_second"] = throughput(url, asked, gates, options.workers, options.throughput)
    for name, passed in (("all", gates), ("1pct", gates[: max(1, len(gates) // 100)])):
        if time.monotonic() < deadline:
            with factory() as session:
                found[f"recall_{name}"] = index_recall(session, pretending, passed)
    if time.monotonic() < deadline:
        found["word_recall"] = word_recall(factory, pretending, asked[:N_EXACT], gates)
    return found


def ask_all(
    factory: SessionFactory, embedder: Any, asked: Sequence[str], passed: Sequence[int]
) -> list[float]:
    """Seconds a question, from its words to the evidence, after a few that warm up."""
    for question in asked[:10]:
        find(factory, question, passed_gates=passed, embedder=embedder)
    return [
        _timed(lambda q=question: find(factory, q, passed_gates=passed, embedder=embedder))
        for question in asked
    ]


def index_recall(session: Session, embedder: Any, passed: Sequence[int]) -> float:
    """Share of the exact ten nearest visible passages that the product's own candidates hold first."""
    model = find_model(session, embedder)
    assert model is not None
    shares = []
    for _ in range(N_EXACT):
        vector = vector_text(embedder.embed_query("x"))
        exact = _ten_nearest(session, model, vector, passed, is_exact=True)
        shares.append(
            len(exact & _ten_nearest(session, model, vector, passed, is_exact=False)) / max(len(exact), 1)
        )
    return float(np.mean(shares))


def _ten_nearest(
    session: Session, model: StoredModel, vector: str, passed: Sequence[int], *, is_exact: bool
) -> set[int]:
    values = {**product._filter_values(Filters(), ()), "passed": list(passed), "vector": vector}
    if is_exact:
        statement = f"""
            SELECT e.chunk_id FROM embeddings e JOIN chunks c ON c.id = e.chunk_id JOIN documents d ON d.id = c.document_id
            WHERE e.model_id = {model.id} AND d.gate_ids <@ CAST(:passed AS int[])
            ORDER BY (e.vector::halfvec({model.dim}) <=> CAST(:vector AS halfvec({model.dim}))) + 0 LIMIT 10"""
        return set(session.execute(text(statement), {"passed": list(passed), "vector": vector}).scalars())
    return set(product.nearest_ids(session, model, values)[:10])


def word_recall(factory: SessionFactory, embedder: Any, asked: Sequence[str], passed: Sequence[int]) -> float:
    """Share of the ten best passages that stay when very common words are cut short."""
    ranking = Ranking(is_reranked=False, vector_weight=0.0)
    whole = replace(ranking, n_postings=10**9)
    shares = []
    for question in asked:
        ids = [
            {hit.chunk_id for hit in find(factory, question, passed_gates=passed, embedder=embedder,
                                          ranking=one, top_k=10).hits}
            for one in (whole, ranking)
        ]  # fmt: skip
        shares.append(len(ids[0] & ids[1]) / max(len(ids[0]), 1))
    return float(np.mean(shares))


def throughput(
    url: str, asked: Sequence[str], passed: Sequence[int], n_workers: int, duration_s: float
) -> float:
    """Questions a second that worker processes answer with evidence, asked without pause."""
    queue: Any = multiprocessing.get_context("spawn").Queue()
    workers = [
        multiprocessing.get_context("spawn").Process(
            target=_keep_asking, args=(url, list(asked[at::n_workers]), list(passed), duration_s, queue)
        )
        for at in range(n_workers)
    ]
    for worker in workers:
        worker.start()
    rates = [queue.get(timeout=duration_s + 120) for _ in workers]
    for worker in workers:
        worker.join()
    return sum(rates)


def _keep_asking(url: str, asked: list[str], passed: list[int], duration_s: float, queue: Any) -> None:
    compute_as_a_worker()
    import torch

    torch.set_num_threads(1)
    factory = make_session_factory(make_engine(url))
    embedder = PretendingEmbedder(load_embedder())
    ask_all(factory, embedder, asked[:10], passed)
    n, started = 0, time.monotonic()
    while time.monotonic() - started < duration_s:
        find(factory, asked[n % len(asked)], passed_gates=passed, embedder=embedder)
        n += 1
    queue.put(n / (time.monotonic() - started))


class Memory:
    """The most that processes and their children held together, shared pages counted once (PSS), looked at each second."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = pids
        self.peak_gb = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(1.0):
            found = set()
            for pid in self._pids:
                try:
                    found |= {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
                except psutil.Error:
                    continue
            self.peak_gb = max(self.peak_gb, sum(_pss(pid) for pid in found) / 1e9)


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def as_figures(size: int, measured: dict[str, float]) -> list[Figure]:
    """The table's lines of one size."""
    notes = {
        "p95_all_ms": "question to evidence; aim 50 at the size of 232 meetings, 100 at a million",
        "p95_1pct_ms": "under doors that let 1 % through", "recall_all": "of the exact ten nearest; aim 0.98",
        "recall_1pct": "aim 0.98", "word_recall": "of the ten best by all postings", "memory_gb": "aim 12 at a million",
        "questions_a_second": "aim 50 at 100,000",
    }  # fmt: skip
    units = {"ms": "ms", "gb": "GB", "s": "s"}
    return [
        Figure(f"{size:,}: {name}", value, units.get(name.rsplit("_", 1)[-1], ""), notes.get(name, ""))
        for name, value in measured.items()
    ]


def _timed(work: Any) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )  # fmt: skip
    parser.add_argument(
        "--sizes", type=lambda given: [int(one) for one in given.split(",")], default=[10_000, 100_000]
    )
    parser.add_argument("--questions", type=int, default=N_QUESTIONS)
    parser.add_argument("--throughput", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--limit-s", type=float, default=3600.0, help="begin no comparison with exact search after it"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE.svg")
    add_out(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
