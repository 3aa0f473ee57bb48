"""Passages into Postgres: chunks, their lexemes, their vectors. Knows no embedder's inside and no connector.

Everything is set-based and says the same the second time. Nothing here commits, and nothing here computes a
vector: `index_document` writes what is known, the caller embeds outside the transaction, `store_embeddings` adds
the vectors. A crash in between leaves chunks without vectors, which `chunks_to_embed` finds again.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import BadInput, NotConfigured, NotFound
from rag.embedding import Embedder, Vectors
from rag.passage import Passage

logger = logging.getLogger(__name__)

MAX_HNSW_DIM = 4_000  # pgvector's bound for an HNSW index over halfvec
# Questions lie farther from passages than passages from each other: at 100,000 passages pgvector's own 16 and 64 found
# 0.976 of the exact ten nearest where these find 0.992 (`ef_search` 400), for twice the time of building.
_GRAPH = "(m = 24, ef_construction = 128)"
_MODEL_LOCK = 0x1A6  # any constant: one process at a time makes a model's index
_CONTEXT_WEIGHT = (
    1  # times a word of title, headings or meeting counts; see benchmarks of the fusion settings
)

_MODEL_OF_EMBEDDER = text(
    "SELECT id, dim, state FROM embedding_models WHERE name = :name AND revision = :revision"
)

_ADD_MODEL = text("""
    INSERT INTO embedding_models (name, revision, dim, spec, state)
    VALUES (:name, :revision, :dim, :spec,
            CASE WHEN EXISTS (SELECT FROM embedding_models WHERE state = 'serving') THEN 'building' ELSE 'serving' END)
    ON CONFLICT (name, revision) DO UPDATE SET spec = coalesce(nullif(excluded.spec, ''), embedding_models.spec)
""")

_LOCK_DOCUMENT = text("""
    SELECT d.id, coalesce((SELECT cfgname FROM pg_ts_config WHERE cfgname = d.language LIMIT 1), 'simple') AS language
    FROM documents d WHERE d.id = :document_id FOR UPDATE
""")

_CHUNKS_OF_DOCUMENT = text("""
    SELECT id, content_hash, position, language FROM chunks WHERE document_id = :document_id ORDER BY position, id
""")

_PASSAGE_COLUMNS = """
    content_hash text, position int, text text, context text, heading_path text[], anchor text, speakers text[],
    start_s float8, end_s float8, first_position int, last_position int, n_tokens int
"""

_INSERT_CHUNKS = text(f"""
    INSERT INTO chunks (document_id, language, content_hash, position, text, context, heading_path, anchor, speakers,
                        start_s, end_s, first_position, last_position, n_tokens)
    SELECT :document_id, :language, content_hash, position, text, context, heading_path, anchor, speakers,
           start_s, end_s, first_position, last_position, n_tokens
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new({_PASSAGE_COLUMNS})
    RETURNING id
""")

# Two chunks of one document may hold the same text, and the unique key is checked row by row: step aside first.
_STEP_ASIDE = text("UPDATE chunks SET position = -1 - position WHERE id = ANY(:chunk_ids)")

_MOVE_CHUNKS = text(f"""
    UPDATE chunks c
    SET position = new.position, heading_path = new.heading_path, anchor = new.anchor, speakers = new.speakers,
        start_s = new.start_s, end_s = new.end_s, first_position = new.first_position,
        last_position = new.last_position, n_tokens = new.n_tokens, language = :language
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new(chunk_id bigint, {_PASSAGE_COLUMNS})
    WHERE c.id = new.chunk_id
""")

# A lexeme's positions in the tsvector are its occurrences (Postgres keeps at most 255 of them a lexeme).
_ADD_POSTINGS = text("""
    WITH counted AS (
        SELECT c.id AS chunk_id, term.lexeme, sum(cardinality(term.positions) * part.weight)::int AS tf
        FROM chunks c
        CROSS JOIN LATERAL (VALUES (c.text, 1), (c.context, CAST(:context_weight AS int))) AS part(words, weight)
        CROSS JOIN LATERAL unnest(to_tsvector(c.language::regconfig, part.words)) AS term
        WHERE c.id = ANY(:chunk_ids) AND part.weight > 0
        GROUP BY c.id, term.lexeme
    ), totals AS (
        SELECT chunk_id, sum(tf)::int AS n_terms FROM counted GROUP BY chunk_id
    ), posted AS (
        INSERT INTO postings (lexeme, chunk_id, tf, n_terms)
        SELECT lexeme, chunk_id, least(tf, 32767), n_terms FROM counted JOIN totals USING (chunk_id)
        ORDER BY lexeme, chunk_id
    )
    UPDATE chunks c SET n_terms = totals.n_terms FROM totals WHERE c.id = totals.chunk_id
""")

# Each connection adds to one of 16 rows, so that indexers seldom wait for each other's commit.
_COUNT_CORPUS = text("""
    INSERT INTO corpus_stats (language, shard, n_chunks, n_terms)
    SELECT language, pg_backend_pid() % 16, :sign * count(*), :sign * coalesce(sum(n_terms), 0)
    FROM chunks WHERE id = ANY(:chunk_ids) GROUP BY language ORDER BY language
    ON CONFLICT (language, shard) DO UPDATE
    SET n_chunks = corpus_stats.n_chunks + excluded.n_chunks, n_terms = corpus_stats.n_terms + excluded.n_terms
""")

_RECOUNT_CORPUS = text("""
    WITH counted AS (SELECT language, count(*) AS n_chunks, sum(n_terms) AS n_terms FROM chunks GROUP BY language),
    gone AS (DELETE FROM corpus_stats WHERE shard <> 0 OR language NOT IN (SELECT language FROM counted))
    INSERT INTO corpus_stats (language, n_chunks, n_terms) SELECT language, n_chunks, n_terms FROM counted
    ON CONFLICT (language, shard) DO UPDATE SET n_chunks = excluded.n_chunks, n_terms = excluded.n_terms
""")

_CHUNKS_TO_EMBED = text("""
    SELECT c.id AS chunk_id, concat_ws(E'\\n', nullif(c.context, ''), c.text) AS embedded_text
    FROM chunks c
    WHERE c.id > :after AND (CAST(:document_id AS bigint) IS NULL OR c.document_id = :document_id)
      AND NOT EXISTS (SELECT FROM embeddings e WHERE e.model_id = :model_id AND e.chunk_id = c.id)
    ORDER BY c.id LIMIT :limit
""")

# The chunk may have gone while its vector was being computed; such a vector is dropped.
_ADD_EMBEDDINGS = text("""
    INSERT INTO embeddings (model_id, chunk_id, vector)
    SELECT :model_id, c.id, new.vector::halfvec
    FROM unnest(CAST(:chunk_ids AS bigint[]), CAST(:vectors AS text[])) AS new(chunk_id, vector)
    JOIN chunks c ON c.id = new.chunk_id
    FOR KEY SHARE OF c
    ON CONFLICT (model_id, chunk_id) DO UPDATE SET vector = excluded.vector
""")


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A registered embedding model; `state` is building, serving or retired."""

    id: int
    dim: int
    state: str


@dataclass(frozen=True, slots=True)
class ChunkToEmbed:
    """A chunk without a vector and the words its vector is made from."""

    chunk_id: int
    embedded_text: str


@dataclass(frozen=True, slots=True)
class IndexOutcome:
    """What indexing a document changed; `to_embed` is all that still lacks a vector, older leftovers included."""

    n_kept: int
    n_added: int
    n_removed: int
    to_embed: tuple[ChunkToEmbed, ...]


def register_model(session: Session, embedder: Embedder, *, spec: str = "", is_indexed: bool = True) -> int:
    """The id of the embedder's row, made with its own HNSW index if missing.

    The first model ever registered serves at once; later ones start as `building`.

    Args:
        spec: what `load_embedder` takes to load it again.
        is_indexed: False leaves the index to `rag.embedding_models.build_index`, quicker once the vectors are there.
    """
    if embedder.dim > MAX_HNSW_DIM:
        raise NotConfigured(
            f"{embedder.name} gives {embedder.dim} dimensions; the index takes {MAX_HNSW_DIM}"
        )
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MODEL_LOCK})
    session.execute(
        _ADD_MODEL,
        {"name": embedder.name, "revision": embedder.revision, "dim": embedder.dim, "spec": spec},
    )
    model = find_model(session, embedder)
    if model is None or model.dim != embedder.dim:
        raise NotConfigured(f"{embedder.name} {embedder.revision} is registered with another dimension")
    if (
        is_indexed
        and session.scalar(text("SELECT to_regclass(:name)"), {"name": index_name(model.id)}) is None
    ):
        session.execute(text(create_index(model)))
        logger.info("embedding_model.registered", extra={"model_id": model.id, "model": embedder.name})
    return model.id


def find_model(session: Session, embedder: Embedder) -> StoredModel | None:
    """The embedder's row, None when it was never registered."""
    row = session.execute(
        _MODEL_OF_EMBEDDER, {"name": embedder.name, "revision": embedder.revision}
    ).one_or_none()
    return StoredModel(row.id, row.dim, row.state) if row else None


def switch_model(session: Session, model_id: int) -> None:
    """Let `model_id` serve and retire the one that did; its vectors stay, so switching back is as quick."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MODEL_LOCK})
    session.execute(
        text("UPDATE embedding_models SET state = 'retired' WHERE state = 'serving' AND id <> :id"),
        {"id": model_id},
    )
    switched = session.execute(
        text(
            "UPDATE embedding_models SET state = 'serving', switched_at = now() WHERE id = :id RETURNING id"
        ),
        {"id": model_id},
    ).one_or_none()
    if switched is None:
        raise NotFound(f"there is no embedding model {model_id}")


def drop_model(session: Session, model_id: int) -> None:
    """Remove a model that is not serving, with its vectors and its index."""
    state = session.scalar(text("SELECT state FROM embedding_models WHERE id = :id"), {"id": model_id})
    if state == "serving":
        raise BadInput(f"embedding model {model_id} is serving: switch to another one first")
    session.execute(text(f"DROP INDEX IF EXISTS {index_name(model_id)}"))
    session.execute(text("DELETE FROM embedding_models WHERE id = :id"), {"id": model_id})


def index_document(
    session: Session, document_id: int, passages: Sequence[Passage], *, model_id: int
) -> IndexOutcome:
    """Make the document's chunks and postings equal to `passages`.

    A passage whose content hash was there keeps its chunk and so its vectors, wherever it moved.

    Raises:
        NotFound: the document's row is gone.
    """
    language = _locked_language(session, document_id)
    kept, added, removed, stale = _difference(session, document_id, passages, language)
    _forget(session, removed)
    _move(session, kept, language)
    _repost(session, stale)
    added_ids = _insert(session, document_id, added, language)
    _post(session, added_ids)
    to_embed = chunks_to_embed(session, model_id, document_id=document_id)
    return IndexOutcome(len(kept), len(added_ids), len(removed), tuple(to_embed))


def remove_document(session: Session, document_id: int) -> int:
    """Take all of the document's chunks out of the index; returns how many. The document's row stays."""
    ids = list(
        session.scalars(text("SELECT id FROM chunks WHERE document_id = :id FOR UPDATE"), {"id": document_id})
    )
    _forget(session, ids)
    session.execute(text("UPDATE documents SET indexed_hash = NULL WHERE id = :id"), {"id": document_id})
    return len(ids)


def chunks_to_embed(
    session: Session, model_id: int, *, document_id: int | None = None, limit: int = 100_000, after: int = 0
) -> list[ChunkToEmbed]:
    """Chunks of the document (of all documents when None) that have no vector of this model yet, oldest first.

    Args:
        after: only chunks with a greater id.
    """
    rows = session.execute(
        _CHUNKS_TO_EMBED,
        {"model_id": model_id, "document_id": document_id, "limit": limit, "after": after},
    )
    return [ChunkToEmbed(row.chunk_id, row.embedded_text) for row in rows]


def store_embeddings(session: Session, model_id: int, chunk_ids: Sequence[int], vectors: Vectors) -> None:
    """Upsert one vector a chunk; `vectors` is `(len(chunk_ids), dim)`. Chunks gone meanwhile are skipped."""
    if len(chunk_ids) != len(vectors):
        raise ValueError("one vector a chunk")
    if not chunk_ids:
        return
    session.execute(
        _ADD_EMBEDDINGS,
        {
            "model_id": model_id,
            "chunk_ids": list(chunk_ids),
            "vectors": [vector_text(row) for row in vectors],
        },
    )


def mark_indexed(session: Session, document_id: int, content_hash: str | None) -> None:
    """Note that the document is searchable as of `content_hash`, the one its passages were cut from."""
    session.execute(
        text("UPDATE documents SET indexed_hash = :hash WHERE id = :id"),
        {"id": document_id, "hash": content_hash},
    )


def recount_corpus(session: Session) -> None:
    """Count the statistics anew, for after rows were deleted by cascade (a source removed)."""
    session.execute(_RECOUNT_CORPUS)


def vector_text(vector: Any) -> str:
    """pgvector's own spelling, `[0.1,0.2]`; six digits are more than a halfvec keeps."""
    return "[" + ",".join(f"{value:.6g}" for value in vector.tolist()) + "]"


def _locked_language(session: Session, document_id: int) -> str:
    row = session.execute(_LOCK_DOCUMENT, {"document_id": document_id}).one_or_none()
    if row is None:
        raise NotFound(f"document {document_id} is gone")
    return str(row.language)


def _difference(
    session: Session, document_id: int, passages: Sequence[Passage], language: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[int], list[int]]:
    """Rows to keep (with `chunk_id`), rows to add, ids to remove, kept ids whose language changed."""
    old: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in session.execute(_CHUNKS_OF_DOCUMENT, {"document_id": document_id}):
        old[row.content_hash].append((row.id, row.language))
    kept, added, stale = [], [], []
    for passage in passages:
        new = _row(passage)
        if old[new["content_hash"]]:
            chunk_id, old_language = old[new["content_hash"]].pop(0)
            kept.append({"chunk_id": chunk_id, **new})
            if old_language != language:
                stale.append(chunk_id)
        else:
            added.append(new)
    removed = [chunk_id for rest in old.values() for chunk_id, _ in rest]
    # Counted under the old language, so they leave the statistics before the move and come back after it.
    _count(session, stale, -1)
    return kept, added, removed, stale


def _row(passage: Passage) -> dict[str, Any]:
    return {
        "content_hash": passage.content_hash,
        "position": passage.position,
        "text": _storable(passage.text),
        "context": _storable(passage.context),
        "heading_path": [_storable(heading) for heading in passage.heading_path],
        "anchor": passage.anchor,
        "speakers": [_storable(speaker) for speaker in passage.speakers],
        "start_s": passage.start_s,
        "end_s": passage.end_s,
        "first_position": passage.first_position,
        "last_position": passage.last_position,
        "n_tokens": passage.n_tokens,
    }


def _storable(words: str) -> str:
    """Postgres takes neither NUL nor lone surrogates."""
    return words.replace("\x00", " ").encode("utf-8", "replace").decode("utf-8")


def _forget(session: Session, chunk_ids: Sequence[int]) -> None:
    if chunk_ids:
        _count(session, chunk_ids, -1)
        session.execute(text("DELETE FROM chunks WHERE id = ANY(:ids)"), {"ids": list(chunk_ids)})


def _move(session: Session, kept: list[dict[str, Any]], language: str) -> None:
    if kept:
        session.execute(_STEP_ASIDE, {"chunk_ids": [row["chunk_id"] for row in kept]})
        session.execute(_MOVE_CHUNKS, {"rows": json.dumps(kept), "language": language})


def _insert(session: Session, document_id: int, added: list[dict[str, Any]], language: str) -> list[int]:
    if not added:
        return []
    values = {"document_id": document_id, "language": language, "rows": json.dumps(added)}
    return list(session.scalars(_INSERT_CHUNKS, values))


def _post(session: Session, chunk_ids: Sequence[int]) -> None:
    if chunk_ids:
        session.execute(_ADD_POSTINGS, {"chunk_ids": list(chunk_ids), "context_weight": _CONTEXT_WEIGHT})
        _count(session, chunk_ids, 1)


def _repost(session: Session, chunk_ids: Sequence[int]) -> None:
    if chunk_ids:
        session.execute(text("DELETE FROM postings WHERE chunk_id = ANY(:ids)"), {"ids": list(chunk_ids)})
        session.execute(text("UPDATE chunks SET n_terms = 0 WHERE id = ANY(:ids)"), {"ids": list(chunk_ids)})
        _post(session, chunk_ids)


def _count(session: Session, chunk_ids: Sequence[int], sign: int) -> None:
    if chunk_ids:
        session.execute(_COUNT_CORPUS, {"chunk_ids": list(chunk_ids), "sign": sign})


def index_name(model_id: int) -> str:
    return f"ix_embeddings_hnsw_{int(model_id)}"


def create_index(model: StoredModel, *, how: str = "") -> str:
    """One partial HNSW index a model, so models of different sizes live beside each other."""
    return (
        f"CREATE INDEX {how} {index_name(model.id)} ON embeddings "
        f"USING hnsw ((vector::halfvec({int(model.dim)})) halfvec_cosine_ops) WITH {_GRAPH} "
        f"WHERE model_id = {int(model.id)}"
    )
