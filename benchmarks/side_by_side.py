"""The product beside what one would otherwise assemble: Haystack and LlamaIndex on pgvector, a flat FAISS index.

python -m benchmarks.side_by_side --make-peers .peers          (once: an environment of their own, a few minutes)
python -m benchmarks.side_by_side --peers .peers --qmsum ../shared/data/qmsum/val --squad ../shared/data/rag/squad2-dev

One run, one machine, one Postgres: the same passages (the product's own), the same weights, the same questions. Quality
is whether the first k hold a passage with the gold turns (QMSum) or of the gold paragraph (SQuAD).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.in_process import compute_as_a_worker, temporary_context
from benchmarks.peers import held_mb
from benchmarks.report import Figure, add_out, finish, percentile
from core.access import passed_gates
from core.log import configure_logging
from rag.answer import find
from rag.embedding import load_embedder
from rag.evaluation import read_qmsum
from workers.context import Context
from workers.evaluation_corpus import documents_of, index, load_articles, load_meetings, read_articles

PACKAGES = (
    "haystack-ai",
    "pgvector-haystack",
    "llama-index-core",
    "llama-index-vector-stores-postgres",
    "faiss-cpu",
)
PEERS = ("haystack", "llamaindex", "faiss")
PASSAGES = text("SELECT id, document_id, first_position, last_position, concat_ws(E'\\n', nullif(context, ''), text) AS words "
                "FROM chunks ORDER BY id")  # fmt: skip


def main() -> None:
    options = _options()
    if options.make_peers:
        make_peers(options.make_peers)
        return
    configure_logging(level="ERROR")
    compute_as_a_worker()
    figures: list[Figure] = []
    for name, folder in (("qmsum", options.qmsum), ("squad", options.squad)):
        if folder:
            figures += one_set(name, folder, options)
    if not figures:
        raise SystemExit("name a set: --qmsum DIR, --squad FILE")
    finish("Side by side", figures, options)


def make_peers(folder: Path) -> None:
    """An environment with the peers' packages, which uses the models and torch of this one."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    [site] = folder.glob("lib/python3*/site-packages")
    [ours] = [path for path in sys.path if path.endswith("site-packages")][:1]
    (site / "models_of_imp.pth").write_text(ours + "\n")
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", "--prefer-binary", *PACKAGES], check=True)


def one_set(name: str, folder: Path, options: argparse.Namespace) -> list[Figure]:
    """Every contender on one set."""
    with (
        temporary_context(imp_recordings_audience=("anyone",)) as context,
        tempfile.TemporaryDirectory() as scratch,
    ):
        context.embedder.embed_query("loaded")
        golds = (
            _load_qmsum(context, folder, options.every)
            if name == "qmsum"
            else _load_squad(context, folder, options.every)
        )
        started = time.monotonic()
        index(context)
        ours = {"ingest_s": time.monotonic() - started}
        with context.factory() as session:
            passages = session.execute(PASSAGES).all()
        questions = [(asked, [one.id for one in passages if is_gold(one)]) for asked, is_gold in golds]
        ours |= _ask_ours(context, [asked for asked, _ in questions])
        files = Path(scratch) / "passages.jsonl", Path(scratch) / "questions.jsonl"
        files[0].write_text("\n".join(json.dumps({"id": one.id, "text": one.words}) for one in passages))
        files[1].write_text("\n".join(json.dumps({"text": asked}) for asked, _ in questions))
        found = {"IMP": ours}
        for peer in PEERS if options.peers else ():
            found[peer] = _ask_peer(peer, options.peers, context, *files)
    print(f"{name}: {len(passages)} passages, {len(questions)} questions", flush=True)
    return [
        figure
        for who, one in found.items()
        for figure in _figures(f"{name} {who}", one, questions, len(passages))
    ]


def _load_qmsum(context: Context, folder: Path, every: int) -> list[tuple[str, Any]]:
    meetings = documents_of_after(context, folder, every)

    def gold(document: str, spans: Any) -> Any:
        return lambda one: (
            meetings.get(one.document_id) == document
            and any(one.first_position <= last and first <= one.last_position for first, last in spans)
        )

    read = list(read_qmsum(folder, every=every))
    return [(query.text, gold(meeting.name, query.spans)) for meeting in read for query in meeting.queries]


def documents_of_after(context: Context, folder: Path, every: int) -> dict[int, str]:
    """Names of meetings by the id of their document, once all are loaded."""
    by_recording = load_meetings(context, read_qmsum(folder, every=every))
    return {document: meeting.name for document, meeting in documents_of(context, by_recording).items()}


def _load_squad(context: Context, folder: Path, every: int) -> list[tuple[str, Any]]:
    articles = read_articles(folder)
    places = load_articles(context, articles)
    asked = [
        (str(one["question"]), (str(article["title"]), number))
        for article in articles
        for number, paragraph in enumerate(article["paragraphs"])
        for one in paragraph["qas"]
        if not one.get("is_impossible")
    ][:: 10 * every]
    return [
        (question, lambda one, place=place: places.get(one.document_id) == place) for question, place in asked
    ]


def _ask_ours(context: Context, questions: Sequence[str]) -> dict[str, Any]:
    with context.factory() as session:
        gates = passed_gates(session, None)
    results, seconds = [], []
    for at, question in enumerate([*questions[:5], *questions]):
        began = time.monotonic()
        found = find(context.factory, question, passed_gates=gates, embedder=load_once(context), top_k=20)
        if at >= 5:
            seconds.append(time.monotonic() - began)
            results.append([hit.chunk_id for hit in found.hits])
    return {"seconds": seconds, "results": results, "peak_mb": held_mb()}


def load_once(context: Context) -> Any:
    """The model itself: the product's own would remember the five questions that warm up."""
    if "bare" not in context.__dict__:
        context.__dict__["bare"] = load_embedder(context.settings.imp_embedder)
    return context.__dict__["bare"]


def _ask_peer(peer: str, folder: Path, context: Context, passages: Path, questions: Path) -> dict[str, Any]:
    """Runs the peer on a database of its own beside ours, in its own environment; empty where it does not run."""
    with context.factory.kw["bind"].connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE peer_{peer}"))
    url = context.settings.require_database_url().replace("+psycopg", "").rsplit("/", 1)[0] + f"/peer_{peer}"
    done = subprocess.run(
        [folder / "bin" / "python", Path(__file__).with_name("peers.py"), peer, "--passages", passages, "--questions",
         questions, "--model", load_embedder()._path, "--database-url", url],
        capture_output=True, text=True, env={**os.environ, "HAYSTACK_TELEMETRY_ENABLED": "False", "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    if done.returncode != 0:
        print(f"{peer} did not run: {done.stderr.strip().splitlines()[-1:]}", flush=True)
        return {}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _figures(
    name: str, found: dict[str, Any], questions: Sequence[tuple[str, list[int]]], n_passages: int
) -> list[Figure]:
    if not found:
        return []
    ranks = [
        next((at for at, one in enumerate(ids, 1) if one in set(gold)), None)
        for ids, (_, gold) in zip(found["results"], questions, strict=True)
        if gold
    ]
    n = max(len(ranks), 1)
    return [
        Figure(f"{name} hit@1", sum(one == 1 for one in ranks) / n, "", f"n={len(ranks)}"),
        Figure(f"{name} hit@5", sum(one is not None and one <= 5 for one in ranks) / n, ""),
        Figure(f"{name} MRR@10", sum(1 / one for one in ranks if one and one <= 10) / n, ""),
        Figure(
            f"{name} p50",
            1000 * percentile(found["seconds"], 0.5),
            "ms",
            "question to passages, embedding included",
        ),
        Figure(f"{name} p95", 1000 * percentile(found["seconds"], 0.95), "ms"),
        Figure(f"{name} ingestion", n_passages / found["ingest_s"], "passages/s"),
        Figure(f"{name} peak memory", found["peak_mb"], "MB", "of its Python process"),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.side_by_side", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )  # fmt: skip
    parser.add_argument(
        "--make-peers", type=Path, metavar="FOLDER", help="make the peers' environment there, and end"
    )
    parser.add_argument(
        "--peers", type=Path, metavar="FOLDER", help="the peers' environment; without it the product alone"
    )
    parser.add_argument("--qmsum", type=Path, metavar="DIR")
    parser.add_argument("--squad", type=Path, metavar="FILE")
    parser.add_argument(
        "--every", type=int, default=1, help="take every n-th meeting, every 10n-th question of SQuAD"
    )
    add_out(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
