"""What people do with embedding models: build one beside the other, look, switch, go back, drop. Knows no terminal."""

from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import jobs
from core.errors import BadInput
from rag import embedding_models, store
from rag.embedding import Embedder, load_embedder
from rag.embedding_models import ModelStatus
from workers.context import Context

JOB = "build_embeddings"

_LAST_JOB = text("""
    SELECT id, state, progress, error FROM jobs WHERE kind = :kind AND key = :key ORDER BY id DESC LIMIT 1
""")


def build(context: Context, spec: str) -> tuple[int, int]:
    """Register the model and enqueue the job that gives every passage its vector. Returns (model id, job id).

    A second call goes on with what is missing.

    Raises:
        NotConfigured: the model cannot be loaded here.
    """
    spec = absolute(spec)
    embedder = load_embedder(spec)
    embedder.embed_query("ready?")
    with context.factory.begin() as session:
        model_id = store.register_model(session, embedder, spec=spec, is_indexed=False)
        return model_id, jobs.enqueue(session, JOB, str(model_id), model_id=model_id)


def status(session: Session) -> list[dict[str, Any]]:
    """A plain row a model: vectors, index, figures, and its last job with the seconds left."""
    return [_row(session, model) for model in embedding_models.all_models(session)]


def switch(session: Session, wanted: str | None, *, is_back: bool, is_forced: bool) -> ModelStatus:
    """Let a model serve (the one before, when `is_back`), in the caller's transaction.

    Passages that came while the other one served get their vectors from a job, so it may be switched back at once.

    Raises:
        BadInput, NotFound: it cannot serve, or there is no such model.
    """
    if (wanted is None) != is_back:
        raise BadInput("name the model that shall serve, or use --back")
    name = str(embedding_models.previous(session)) if wanted is None else wanted
    model = embedding_models.model_called(session, name)
    if model.state == "serving":
        raise BadInput(f"{model.name} is serving already")
    embedding_models.switch_to(session, model, is_forced=is_forced or is_back)
    jobs.enqueue(session, JOB, str(model.id), model_id=model.id)
    return model


def drop(session: Session, wanted: str) -> ModelStatus:
    """Remove a model with its vectors, its index and its job. Raises BadInput while it serves."""
    model = embedding_models.model_called(session, wanted)
    embedding_models.check_droppable(session, model)
    job = session.execute(_LAST_JOB, {"kind": JOB, "key": str(model.id)}).one_or_none()
    if job is not None and job.state in ("queued", "running"):
        jobs.cancel(session, job.id)
    store.drop_model(session, model.id)
    return model


def same_model(embedder: Embedder, model: ModelStatus) -> bool:
    return (embedder.name, embedder.revision) == (model.name, model.revision)


def absolute(spec: str) -> str:
    """A folder by its full path, since workers run elsewhere; other names as they are."""
    folder = Path(spec).expanduser()
    return str(folder.resolve()) if folder.is_dir() else spec


def _row(session: Session, model: ModelStatus) -> dict[str, Any]:
    job = session.execute(_LAST_JOB, {"kind": JOB, "key": str(model.id)}).one_or_none()
    progress = job.progress if job is not None and job.state in ("queued", "running") else {}
    return {
        "id": model.id,
        "name": model.name,
        "revision": model.revision,
        "state": model.state,
        "dim": model.dim,
        "spec": model.spec,
        "n_vectors": model.n_vectors,
        "n_chunks": model.n_chunks,
        "is_indexed": model.is_indexed,
        "index_mb": round(model.index_bytes / 1e6, 1),
        "measured": model.measured,
        "switched_at": model.switched_at,
        "job": job.state if job is not None else None,
        "left_s": progress.get("left_s"),
        "error": job.error if job is not None and job.state == "failed" else None,
    }
