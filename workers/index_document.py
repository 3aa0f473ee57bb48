"""Job: make one document searchable as it stands: passages, postings, vectors.

Only passages whose text changed are embedded. Other documents that wait are taken along (`workers.index_together`),
so that the model sees full batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
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
from workers.index_together import Target, index_together
from workers.recordings import load_transcript


@dataclass(frozen=True, slots=True)
class _Content:
    title: str
    markdown: str
    space_key: str | None
    content_hash: str | None
    held_at: datetime | None
    utterances: Sequence[Utterance]


@dataclass(frozen=True, slots=True)
class CutDocument:
    """A document whose passages and postings are written; `to_embed` is what still lacks a vector."""

    document_id: int
    content_hash: str | None
    to_embed: tuple[ChunkToEmbed, ...]
    outcome: dict[str, Any]


def run(context: Context, job: RunningJob) -> dict[str, Any]:
    """Args: `document_id`. Outcome: how many passages were kept, added, removed and embedded."""
    embedder = context.embedder  # one for the whole job, also when another begins to serve meanwhile
    with context.factory.begin() as session:
        model = store.find_model(session, embedder)
        spec = context.settings.imp_embedder
        model_id = model.id if model else store.register_model(session, embedder, spec=spec)
    return index_together(
        context, job, Target(model_id, embedder), cut=partial(cut, embedder=embedder), close=mark_searchable
    )


def cut(context: Context, job: RunningJob, model_id: int, *, embedder: Embedder) -> CutDocument:
    """Read the document, cut it, write what changed of its passages and postings."""
    document_id = int(job.args["document_id"])
    content = _read(context, document_id)
    if content is None:
        with context.factory.begin() as session:
            job.fence(session)
            return CutDocument(
                document_id, None, (), {"n_removed": store.remove_document(session, document_id)}
            )
    passages = _passages(content, embedder)
    with context.factory.begin() as session:
        job.fence(session)
        changed = store.index_document(session, document_id, passages, model_id=model_id)
    counts = {"n_kept": changed.n_kept, "n_added": changed.n_added, "n_removed": changed.n_removed}
    return CutDocument(
        document_id, content.content_hash, changed.to_embed, {**counts, "n_embedded": len(changed.to_embed)}
    )


def mark_searchable(context: Context, job: RunningJob, document: CutDocument) -> None:
    """Note as of which content the document can be found; nothing for one that was taken out."""
    if "n_embedded" in document.outcome:
        with context.factory.begin() as session:
            job.fence(session)
            store.mark_indexed(session, document.document_id, document.content_hash)


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
