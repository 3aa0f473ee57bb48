"""Job: make one document searchable as it stands: passages, postings, vectors.

Only passages whose text changed are embedded; vectors are computed outside any transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import NotFound
from core.running_job import RunningJob
from core.tables.documents import Document
from core.transcript import Utterance
from rag import store
from rag.chunking import chunk_markdown
from rag.chunking_speech import chunk_speech
from rag.embedding import Embedder
from rag.passage import Passage
from rag.store import ChunkToEmbed
from workers.context import Context
from workers.recordings import load_transcript

EMBED_BATCH = 64


@dataclass(frozen=True, slots=True)
class _Content:
    title: str
    markdown: str
    space_key: str | None
    content_hash: str | None
    held_at: datetime | None
    utterances: Sequence[Utterance]


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `document_id`. Outcome: how many passages were kept, added, removed and embedded."""
    document_id = int(job.args["document_id"])
    content = _read(context, document_id)
    if content is None:
        with context.factory.begin() as session:
            job.fence(session)
            return {"n_removed": store.remove_document(session, document_id)}
    passages = _passages(content, context.embedder)
    with context.factory.begin() as session:
        job.fence(session)
        model_id = store.register_model(session, context.embedder)
        changed = store.index_document(session, document_id, passages, model_id=model_id)
    _embed(context, job, model_id, changed.to_embed)
    with context.factory.begin() as session:
        job.fence(session)
        store.mark_indexed(session, document_id, content.content_hash)
    return {
        "n_kept": changed.n_kept,
        "n_added": changed.n_added,
        "n_removed": changed.n_removed,
        "n_embedded": len(changed.to_embed),
    }


def _read(context: Context, document_id: int) -> _Content | None:
    """What is to be searchable; None when the document is deleted or not current."""
    with context.factory() as session:
        document = session.get(Document, document_id)
        if document is None:
            raise NotFound(f"document {document_id} does not exist")
        if document.deleted_at is not None or document.status != "current":
            return None
        spoken: Sequence[Utterance] = ()
        if document.kind == "transcript":
            spoken = load_transcript(session, int(document.details["recording_id"]))[1].utterances
        return _Content(
            document.title,
            document.markdown,
            document.space_key,
            document.content_hash,
            document.updated_at if spoken else None,
            spoken,
        )


def _passages(content: _Content, embedder: Embedder) -> list[Passage]:
    if content.utterances:
        return chunk_speech(
            content.title,
            content.utterances,
            count_tokens=embedder.count_tokens,
            held_on=content.held_at.date() if content.held_at else None,
            space=content.space_key,
        )
    return chunk_markdown(
        content.title, content.markdown, count_tokens=embedder.count_tokens, space=content.space_key
    )


def _embed(context: Context, job: RunningJob, model_id: int, waiting: Sequence[ChunkToEmbed]) -> None:
    """Embed batch by batch; a batch that is written is never computed again."""
    for start in range(0, len(waiting), EMBED_BATCH):
        job.check()
        batch = waiting[start : start + EMBED_BATCH]
        vectors = context.embedder.embed_passages([one.embedded_text for one in batch])
        with context.factory.begin() as session:
            store.store_embeddings(session, model_id, [one.chunk_id for one in batch], vectors)
        job.progress(start + len(batch), len(waiting), "passages embedded")
