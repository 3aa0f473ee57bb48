"""Evaluation sets into an empty database by the roads that recordings and pages take. Asks nothing."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from core.access import ANYONE, set_gate
from core.errors import BadInput
from core.tables.documents import Document, Source
from core.tables.meetings import Recording
from core.transcript import Transcript
from rag.evaluation import Meeting
from workers import documents, intake, recordings
from workers.context import Context
from workers.language import language_of
from workers.run_waiting import run_waiting

_SOURCE = "evaluation"
_HELD_AT = datetime(2000, 1, 1, tzinfo=UTC)  # the sets say no day; one for all, so that no day helps
_MAX_MEETING_BYTES = 50 * 1024**2
_MAX_SET_BYTES = 500 * 1024**2


def load_meetings(context: Context, meetings: Iterable[Meeting]) -> dict[int, Meeting]:
    """Every meeting as a recording that was just transcribed; returns them by recording id. Indexes nothing."""
    by_id: dict[int, Meeting] = {}
    for meeting in meetings:
        said = [[one.speaker, one.text] for one in meeting.utterances]
        content = json.dumps([meeting.name, said]).encode()
        stored = context.blobs.put([content], suffix=".json", max_bytes=_MAX_MEETING_BYTES)
        new = intake.NewRecording(
            stored=stored, file_name=f"{meeting.name}.json", title=meeting.name, started_at=_HELD_AT
        )
        transcript = Transcript(meeting.utterances, engine="transcript file", language="en")
        with context.factory.begin() as session:
            recording_id, _ = intake.take_in(session, context.settings, new, source=_SOURCE)
            recordings.finish(session, context.settings, recording_id, transcript)
        by_id[recording_id] = meeting
    return by_id


def index(context: Context) -> int:
    """Run the indexing that waits; returns how many documents. Statistics are fresh afterwards."""
    n_documents = run_waiting(context, "index_document")
    with context.factory.begin() as session:
        session.execute(text("ANALYZE"))
    return n_documents


def documents_of(context: Context, meetings: dict[int, Meeting]) -> dict[int, Meeting]:
    """The same meetings by the id of their document."""
    with context.factory() as session:
        rows = session.execute(select(Recording.id, Recording.document_id)).all()
    return {row.document_id: meetings[row.id] for row in rows if row.id in meetings}


def read_articles(path: Path) -> list[dict[str, Any]]:
    """Articles of a SQuAD 2.0 file, or of all `*.json` of a folder in the order of their names.

    Raises:
        BadInput: names the file that cannot be read as SQuAD, or is larger than 500 MB.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise BadInput(f"{path} holds no *.json")
    return [article for file in files for article in _articles(file)]


def load_articles(context: Context, articles: Sequence[dict[str, Any]]) -> dict[int, tuple[str, int]]:
    """Every paragraph as a page; returns (title, number of the paragraph) by document id. Indexes nothing."""
    places: dict[str, tuple[str, int]] = {}
    with context.factory.begin() as session:
        source = Source(name=_SOURCE, kind="confluence", state="ready")
        session.add(source)
        session.flush()
        gate_id = set_gate(session, source.id, "audience", [ANYONE])
        drafts = []
        for at, article in enumerate(articles):
            for number, paragraph in enumerate(article["paragraphs"]):
                external_id = f"{at}/{number}"
                places[external_id] = (str(article["title"]), number)
                drafts.append(_page(external_id, str(article["title"]), str(paragraph["context"]), gate_id))
        documents.save(session, source.id, drafts)
        rows = session.execute(select(Document.id, Document.external_id)).all()
    return {row.id: places[row.external_id] for row in rows}


def _articles(file: Path) -> list[dict[str, Any]]:
    try:
        if file.stat().st_size > _MAX_SET_BYTES:
            raise BadInput(f"{file} is larger than {_MAX_SET_BYTES // 1024**2} MB")
        articles: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["data"]
        for article in articles:
            for paragraph in article["paragraphs"]:
                if not (isinstance(article["title"], str) and isinstance(paragraph["context"], str)):
                    raise TypeError("title and context must be text")
                for question in paragraph["qas"]:
                    question["id"], question["question"]
    except OSError as exc:
        raise BadInput(f"{file} cannot be read: {exc.strerror}") from exc
    except (KeyError, TypeError, ValueError) as exc:
        raise BadInput(f"{file} is not in the format of SQuAD 2.0: {exc!r}") from exc
    return articles


def _page(external_id: str, title: str, body: str, gate_id: int) -> documents.Draft:
    return documents.Draft(
        external_id=external_id,
        kind="page",
        title=title.replace("_", " "),
        url=f"http://127.0.0.1/{external_id}",
        version=1,
        markdown=body,
        language=language_of(body, default="english"),
        content_hash=documents.content_hash(body),
        gate_ids=[gate_id],
        updated_at=_HELD_AT,
    )
