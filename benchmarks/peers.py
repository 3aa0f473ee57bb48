"""The same passages and questions through Haystack, LlamaIndex (both on pgvector) or a flat FAISS index.

Run by benchmarks.side_by_side in an environment of their own; imports nothing of this repository. Each is set up as its
own documentation shows: an HNSW index, vector and keyword search joined by reciprocal rank where it offers both.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

TOP_K = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", choices=sorted(PEERS))
    parser.add_argument("--passages", type=Path, required=True, help="JSON lines: id, text")
    parser.add_argument("--questions", type=Path, required=True, help="JSON lines: text")
    parser.add_argument("--model", required=True)
    parser.add_argument("--database-url", required=True)
    options = parser.parse_args()
    passages = [json.loads(line) for line in options.passages.read_text().splitlines()]
    questions = [json.loads(line)["text"] for line in options.questions.read_text().splitlines()]
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(options.model, local_files_only=True)
    model.encode(["warm"], show_progress_bar=False)
    started = time.monotonic()
    vectors = model.encode([one["text"] for one in passages], batch_size=32, show_progress_bar=False)
    ask = PEERS[options.which](options.database_url, passages, vectors)
    ingest_s = time.monotonic() - started
    results, seconds = [], []
    for at, question in enumerate([*questions[:5], *questions]):
        began = time.monotonic()
        vector = model.encode([question], show_progress_bar=False)[0]
        found = ask(question, vector)
        if at >= 5:  # the first ones warm up
            seconds.append(time.monotonic() - began)
            results.append(found[:TOP_K])
    peak_mb = held_mb()
    print(json.dumps({"ingest_s": ingest_s, "seconds": seconds, "results": results, "peak_mb": peak_mb}))


def held_mb() -> float:
    """The most this process held; not getrusage's, which remembers the process that started it."""
    [line] = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def haystack(url: str, passages: list[dict[str, Any]], vectors: Any) -> Any:
    from haystack import Document
    from haystack.components.joiners import DocumentJoiner
    from haystack.utils import Secret
    from haystack_integrations.components.retrievers.pgvector import (
        PgvectorEmbeddingRetriever,
        PgvectorKeywordRetriever,
    )
    from haystack_integrations.document_stores.pgvector import PgvectorDocumentStore

    store = PgvectorDocumentStore(
        connection_string=Secret.from_token(url),
        embedding_dimension=vectors.shape[1],
        vector_function="cosine_similarity",
        search_strategy="hnsw",
        recreate_table=True,
    )
    store.write_documents(
        [
            Document(id=str(one["id"]), content=one["text"], embedding=vector.tolist())
            for one, vector in zip(passages, vectors, strict=True)
        ]
    )
    near = PgvectorEmbeddingRetriever(document_store=store, top_k=TOP_K)
    words = PgvectorKeywordRetriever(document_store=store, top_k=TOP_K)
    joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=TOP_K)

    def ask(question: str, vector: Any) -> list[int]:
        found = [
            near.run(query_embedding=vector.tolist())["documents"],
            words.run(query=question)["documents"],
        ]
        return [int(one.id) for one in joiner.run(documents=found)["documents"]]

    return ask


def llamaindex(url: str, passages: list[dict[str, Any]], vectors: Any) -> Any:
    from llama_index.core.schema import TextNode
    from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode
    from llama_index.vector_stores.postgres import PGVectorStore

    rest = url.partition("://")[2]
    store = PGVectorStore(
        connection_string=f"postgresql+psycopg2://{rest}",
        async_connection_string=f"postgresql+asyncpg://{rest}",
        table_name="passages",
        schema_name="public",
        hybrid_search=True,
        text_search_config="english",
        embed_dim=vectors.shape[1],
        hnsw_kwargs={
            "hnsw_m": 16,
            "hnsw_ef_construction": 64,
            "hnsw_ef_search": 40,
            "hnsw_dist_method": "vector_cosine_ops",
        },
    )
    store.add(
        [
            TextNode(id_=str(one["id"]), text=one["text"], embedding=vector.tolist())
            for one, vector in zip(passages, vectors, strict=True)
        ]
    )

    def ask(question: str, vector: Any) -> list[int]:
        found = store.query(
            VectorStoreQuery(
                query_embedding=vector.tolist(), query_str=question, mode=VectorStoreQueryMode.HYBRID,
                similarity_top_k=TOP_K, sparse_top_k=TOP_K,
            )
        )  # fmt: skip
        return [int(one) for one in found.ids or []]

    return ask


def faiss(_: str, passages: list[dict[str, Any]], vectors: Any) -> Any:
    import faiss as library
    import numpy as np

    normed = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    index = library.IndexFlatIP(normed.shape[1])
    index.add(np.ascontiguousarray(normed, dtype=np.float32))
    ids = [int(one["id"]) for one in passages]

    def ask(_: str, vector: Any) -> list[int]:
        asked = np.asarray([vector / np.linalg.norm(vector)], dtype=np.float32)
        return [ids[place] for place in index.search(asked, TOP_K)[1][0] if place >= 0]

    return ask


PEERS = {"haystack": haystack, "llamaindex": llamaindex, "faiss": faiss}

if __name__ == "__main__":
    main()
