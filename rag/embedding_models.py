"""Embedding models beside each other: which serves, how far another one is, and how the two compare.

Knows no embedder's inside. `rag.store` writes vectors; a model's index is built here once they are all there.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.errors import BadInput, NotFound
from rag.store import StoredModel, create_index, index_name, switch_model

logger = logging.getLogger(__name__)

TOP_K = 10
LEAST_INDEX_RECALL = 0.9  # below it an index is broken, not merely approximate
_LEAVE_S = 60  # every process has noticed a switch by then, and answers from the new vectors

_MODELS = text("""
    SELECT m.id, m.name, m.revision, m.dim, m.state, m.spec, m.measured, m.created_at, m.switched_at,
           (SELECT count(*) FROM embeddings e WHERE e.model_id = m.id) AS n_vectors,
           (SELECT count(*) FROM chunks) AS n_chunks,
           coalesce((SELECT i.indisvalid FROM pg_index i
                     WHERE i.indexrelid = to_regclass('ix_embeddings_hnsw_' || m.id)), false) AS is_indexed,
           coalesce(pg_relation_size(to_regclass('ix_embeddings_hnsw_' || m.id)), 0) AS index_bytes
    FROM embedding_models m ORDER BY m.id
""")

_SERVING = text("SELECT id, name, revision, dim, spec FROM embedding_models WHERE state = 'serving'")

_PREVIOUS = text("""
    SELECT id FROM embedding_models WHERE state = 'retired' ORDER BY coalesce(switched_at, created_at) DESC LIMIT 1
""")

# Passages as questions: the ten nearest others, through the index and by comparing with all.
_SAMPLE = text("""
    SELECT e.chunk_id FROM embeddings e WHERE e.model_id = :model_id
      AND e.chunk_id >= (SELECT min(chunk_id) + floor(random() * (max(chunk_id) - min(chunk_id) + 1))
                         FROM embeddings WHERE model_id = :model_id)
    ORDER BY e.chunk_id LIMIT 1
""")
_NEAREST = """
    SELECT e.chunk_id FROM embeddings e
    WHERE e.model_id = {model_id}
    ORDER BY e.vector::halfvec({dim}) <=> (
        SELECT q.vector::halfvec({dim}) FROM embeddings q WHERE q.model_id = {model_id} AND q.chunk_id = :chunk_id)
    LIMIT {k}
"""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One model as people see it; `n_vectors` of `n_chunks` are there."""

    id: int
    name: str
    revision: str
    dim: int
    state: str
    spec: str
    measured: dict[str, Any]
    created_at: datetime
    switched_at: datetime | None
    n_vectors: int
    n_chunks: int
    is_indexed: bool
    index_bytes: int

    @property
    def n_missing(self) -> int:
        return max(self.n_chunks - self.n_vectors, 0)


@dataclass(frozen=True, slots=True)
class Serving:
    """The model that answers now, and what loads it (empty: the setting does)."""

    id: int
    name: str
    revision: str
    dim: int
    spec: str


def all_models(session: Session) -> list[ModelStatus]:
    """Every registered model, oldest first."""
    return [ModelStatus(**row._mapping) for row in session.execute(_MODELS)]


def serving(session: Session) -> Serving | None:
    """The model that serves; None before anything was indexed."""
    row = session.execute(_SERVING).one_or_none()
    return None if row is None else Serving(**row._mapping)


def model_called(session: Session, wanted: str) -> ModelStatus:
    """The model with that number, name, `name@revision` or spec.

    Raises:
        NotFound: there is none, and says which there are.
        BadInput: several versions have the name.
    """
    models = all_models(session)
    found = [
        model
        for model in models
        if wanted in (str(model.id), model.name, model.spec, f"{model.name}@{model.revision}")
    ]
    if not found:
        there = ", ".join(f"{model.id} ({model.name}@{model.revision})" for model in models) or "none"
        raise NotFound(f"no embedding model {wanted!r}; there are: {there}")
    if len(found) > 1:
        raise BadInput(
            f"{wanted!r} is the name of several models: give one's number, {[m.id for m in found]}"
        )
    return found[0]


def switch_to(session: Session, model: ModelStatus, *, is_forced: bool = False) -> None:
    """Let the model serve from the next question on; the one that did keeps its vectors.

    Raises:
        BadInput: vectors or the index are missing, or the index finds too little; `is_forced` switches all the same.
    """
    recall = model.measured.get("index_recall_at_10")
    if not is_forced:
        if model.n_missing > model.n_chunks // 100 or not model.is_indexed:
            raise BadInput(
                f"{model.name} has {model.n_vectors} of {model.n_chunks} vectors"
                f"{'' if model.is_indexed else ' and no index'}: `imp model embed build` first, or --force"
            )
        if recall is not None and recall < LEAST_INDEX_RECALL:
            raise BadInput(
                f"the index of {model.name} finds {recall:.0%} of the nearest: build it anew, or --force"
            )
    switch_model(session, model.id)


def previous(session: Session) -> int:
    """The model that served before the present one. Raises NotFound where none did."""
    found = session.scalar(_PREVIOUS)
    if found is None:
        raise NotFound("no embedding model served before this one")
    return int(found)


def check_droppable(session: Session, model: ModelStatus) -> None:
    """Raises BadInput while the model serves, or while processes may still answer from it."""
    if model.state == "serving":
        raise BadInput(f"{model.name} is serving: switch to another one first")
    is_fresh = session.scalar(
        text("SELECT EXISTS (SELECT FROM embedding_models WHERE state = 'serving' "
             "AND switched_at > now() - make_interval(secs => :s))"), {"s": _LEAVE_S},
    )  # fmt: skip
    if is_fresh and model.state == "retired":
        raise BadInput(f"questions may still be answered from {model.name}: wait a minute after the switch")


def build_index(engine: Engine, model: StoredModel) -> bool:
    """Make the model's HNSW index while others read and write; True when it was made, False when it was there.

    One that a crash left invalid is made anew. Needs a connection of its own, outside any transaction.
    """
    name = index_name(model.id)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_valid = connection.execute(
            text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"), {"name": name}
        ).scalar_one_or_none()
        if is_valid:
            return False
        connection.execute(text(f"DROP INDEX IF EXISTS {name}"))
        # The graph is built quickly only while it fits (about 1.2 kB a vector of 384); more is not taken than given.
        connection.execute(text("SET maintenance_work_mem = '512MB'"))
        connection.execute(text(create_index(model, how="CONCURRENTLY")))
        connection.execute(text("RESET maintenance_work_mem"))
    logger.info("embedding_index.built", extra={"model_id": model.id})
    return True


def compare(
    session: Session, model: StoredModel, other: StoredModel | None, *, n: int = 50
) -> dict[str, Any]:
    """How well the model's index finds, and how far it agrees with the other model, on passages of the corpus.

    Returns `index_recall_at_10` (share of the exact ten nearest that the index finds), `agreement_at_10` (share of
    the other model's ten nearest that are this one's too; None without another) and `n_probes`.
    """
    probes = [
        int(found) for _ in range(n) if (found := session.scalar(_SAMPLE, {"model_id": model.id})) is not None
    ]
    session.execute(text("SET LOCAL hnsw.ef_search = 100"))
    through_index = [_nearest(session, model, probe) for probe in probes]
    theirs = [_nearest(session, other, probe) for probe in probes] if other else []
    session.execute(text("SET LOCAL enable_indexscan = off"))
    exact = [_nearest(session, model, probe) for probe in probes]
    session.execute(text("SET LOCAL enable_indexscan = on"))
    return {
        "index_recall_at_10": _overlap(exact, through_index),
        "agreement_at_10": _overlap(exact, theirs) if other else None,
        "n_probes": len(probes),
    }


def remember(session: Session, model_id: int, measured: dict[str, Any]) -> None:
    """Keep figures with the model, beside those of other measurements."""
    session.execute(
        text("UPDATE embedding_models SET measured = measured || CAST(:measured AS jsonb) WHERE id = :id"),
        {"id": model_id, "measured": json.dumps(measured)},
    )


def _nearest(session: Session, model: StoredModel, chunk_id: int) -> set[int]:
    statement = _NEAREST.format(model_id=int(model.id), dim=int(model.dim), k=TOP_K)
    return set(session.scalars(text(statement), {"chunk_id": chunk_id}))


def _overlap(wanted: Sequence[set[int]], found: Sequence[set[int]]) -> float:
    shares = [len(w & f) / len(w) for w, f in zip(wanted, found, strict=True) if w]
    return round(sum(shares) / len(shares), 4) if shares else 1.0
