"""Retrieval quality on QMSum through the product's own chunking, store and search.

    python -m benchmarks.qmsum_retrieval ../shared/data/qmsum/val --database-url postgresql://…

The database must be empty and migrated; it is filled once and may be asked again with `--reuse`.
"""

import argparse
import json
import time
from dataclasses import asdict, replace
from pathlib import Path

from sqlalchemy import select, text

from core.db import make_engine, make_session_factory, session_scope
from core.tables.documents import Document, Gate, Source
from rag.chunking_speech import chunk_speech
from rag.embedding import Embedder, load_embedder
from rag.evaluation import Meeting, ranked_passage, read_qmsum, score_retrieval
from rag.query import understand
from rag.search import Ranking, search
from rag.store import find_model, index_document, mark_indexed, register_model, store_embeddings


def main() -> None:
    options = _options()
    engine = make_engine(options.database_url)
    factory = make_session_factory(engine)
    embedder = load_embedder(options.embedder)
    meetings = list(read_qmsum(options.folder, every=options.every))
    if not options.reuse:
        print(json.dumps({"loaded": load(factory, embedder, meetings, options.max_tokens, options.overlap)}))
    vectors = {
        query.text: embedder.embed_query(understand(query.text).text) for m in meetings for query in m.queries
    }
    for settings in options.rankings:
        ranking = replace(Ranking(), **json.loads(settings))
        print(
            json.dumps(
                {"ranking": json.loads(settings), **ask(factory, embedder, meetings, vectors, ranking)}
            )
        )


def load(factory, embedder: Embedder, meetings: list[Meeting], max_tokens: int, overlap: int) -> dict:
    started, n_chunks = time.monotonic(), 0
    with session_scope(factory) as session:
        source = Source(name="qmsum", kind="recordings")
        session.add(source)
        session.flush()
        gate = Gate(source_id=source.id, door="all", principals=["anyone"])
        session.add(gate)
        session.flush()
        source_id, gate_id = source.id, gate.id
        model_id = register_model(session, embedder)
    for meeting in meetings:
        passages = chunk_speech(
            "", meeting.utterances, count_tokens=embedder.count_tokens, max_tokens=max_tokens, overlap=overlap
        )
        with session_scope(factory) as session:
            row = Document(
                source_id=source_id, external_id=meeting.name, kind="transcript", title=meeting.name,
                url=f"http://127.0.0.1/recordings/{meeting.name}", gate_ids=[gate_id], content_hash=meeting.name,
            )  # fmt: skip
            session.add(row)
            session.flush()
            outcome = index_document(session, row.id, passages, model_id=model_id)
            document_id = row.id
        vectors = embedder.embed_passages([chunk.embedded_text for chunk in outcome.to_embed])
        with session_scope(factory) as session:
            store_embeddings(session, model_id, [chunk.chunk_id for chunk in outcome.to_embed], vectors)
            mark_indexed(session, document_id, meeting.name)
        n_chunks += len(passages)
    with factory() as session:
        session.execute(text("ANALYZE"))
        session.commit()
    return {
        "n_meetings": len(meetings),
        "n_chunks": n_chunks,
        "duration_s": round(time.monotonic() - started, 1),
    }


def ask(factory, embedder: Embedder, meetings: list[Meeting], vectors: dict, ranking: Ranking) -> dict:
    results, durations = [], []
    with factory() as session:
        model = find_model(session, embedder)
        gates = list(session.scalars(select(Gate.id)))
        names = dict(session.execute(select(Document.id, Document.external_id)).all())
        for meeting in meetings:
            for query in meeting.queries:
                found = search(
                    session, understand(query.text), vectors[query.text],
                    model=model, passed_gates=gates, top_k=20, ranking=ranking,
                )  # fmt: skip
                durations.append(found.duration_s)
                results.append((query, [ranked_passage(hit, names[hit.document_id]) for hit in found.hits]))
    score = asdict(score_retrieval(results))
    rounded = {key: round(value, 3) if isinstance(value, float) else value for key, value in score.items()}
    rounded["hit_at"] = {k: round(v, 3) for k, v in score["hit_at"].items()}
    durations.sort()
    return {**rounded, "search_p50_ms": round(durations[len(durations) // 2] * 1e3, 1),
            "search_p95_ms": round(durations[int(len(durations) * 0.95)] * 1e3, 1)}  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--embedder", default="all-MiniLM-L6-v2")
    parser.add_argument("--every", type=int, default=1, help="take every n-th meeting")
    parser.add_argument("--max-tokens", type=int, default=300)
    parser.add_argument("--overlap", type=int, default=50)
    parser.add_argument("--reuse", action="store_true", help="the database is already filled")
    parser.add_argument("--rankings", nargs="+", default=["{}"], help="JSON overrides of rag.search.Ranking")
    return parser.parse_args()


if __name__ == "__main__":
    main()
