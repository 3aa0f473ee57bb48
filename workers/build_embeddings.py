"""Job: give every passage a vector of one more model, beside the one that serves; then its index, then a comparison.

Works in turns of half a minute and goes back to the end of the queue, so that pages and recordings come in between.
"""

import time
from typing import Any

from core.errors import Interrupted, NotFound
from core.running_job import RunningJob
from rag import embedding_models, store
from rag.embedding import Embedder, load_embedder
from rag.embedding_models import ModelStatus
from rag.store import ChunkToEmbed, StoredModel
from workers.context import Context

TURN_S = 30.0
SLICE = 128


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `model_id`. Outcome: how many vectors there are, and what the comparison with the serving model gave."""
    with context.factory() as session:
        model = next(
            (one for one in embedding_models.all_models(session) if one.id == job.args["model_id"]), None
        )
    if model is None:
        raise NotFound(f"embedding model {job.args['model_id']} was dropped")
    stored = StoredModel(model.id, model.dim, model.state)
    if model.n_missing:
        _fill(context, job, _embedder(context, model), model)
    job.check()
    embedding_models.build_index(context.factory.kw["bind"], stored)
    with context.factory.begin() as session:
        now = embedding_models.serving(session)
        other = StoredModel(now.id, now.dim, "serving") if now and now.id != model.id else None
        measured = embedding_models.compare(session, stored, other)
        embedding_models.remember(session, model.id, measured)
    return measured


def _embedder(context: Context, model: ModelStatus) -> Embedder:
    serving = context.embedder
    if (serving.name, serving.revision) == (model.name, model.revision):
        return serving
    embedder = load_embedder(model.spec or model.name)
    if embedder.revision != model.revision:
        raise NotFound(
            f"{model.spec} is now revision {embedder.revision}, the vectors are of {model.revision}: build it as a new model"
        )
    return embedder


def _fill(context: Context, job: RunningJob, embedder: Embedder, model: ModelStatus) -> None:
    """Embed what lacks a vector, oldest passages first.

    Raises:
        Interrupted: the turn is over; the checkpoint says where to go on.
    """
    started, n_done, after = time.monotonic(), 0, int(job.checkpoint.get("after", 0))
    while batch := _next(context, model, after):
        job.check()
        vectors = embedder.embed_passages([one.embedded_text for one in batch])
        after, n_done = batch[-1].chunk_id, n_done + len(batch)
        with context.factory.begin() as session:
            store.store_embeddings(session, model.id, [one.chunk_id for one in batch], vectors)
            job.save(session, after=after)
        spent_s = time.monotonic() - started
        n_left = max(model.n_missing - n_done, 0)
        job.progress(
            model.n_vectors + n_done, model.n_chunks, "passages", left_s=round(n_left * spent_s / n_done)
        )
        if spent_s > TURN_S and n_left:
            raise Interrupted("goes on after what else waits")


def _next(context: Context, model: ModelStatus, after: int) -> list[ChunkToEmbed]:
    """The next passages without a vector; those before `after` too when none is left behind it."""
    with context.factory() as session:
        batch = store.chunks_to_embed(session, model.id, limit=SLICE, after=after)
        return batch or (store.chunks_to_embed(session, model.id, limit=SLICE) if after else [])
