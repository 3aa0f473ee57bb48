"""Judged answers become pairs; what not every user may open never does."""

import json
from pathlib import Path

from sqlalchemy.orm import Session

from core.access import passed_gates, set_gate
from core.tables.documents import Document, Source
from core.tables.questions import Question
from core.tables.search import Chunk
from training.feedback import write_pairs


def _chunk(session: Session, source: Source, title: str, gate_id: int) -> int:
    document = Document(
        source_id=source.id, external_id=title, kind="page", title=title, url=f"https://wiki.example/{title}",
        gate_ids=[gate_id],
    )  # fmt: skip
    session.add(document)
    session.flush()
    chunk = Chunk(document_id=document.id, position=0, content_hash=title, text=f"{title} text", n_tokens=2)
    session.add(chunk)
    session.flush()
    return chunk.id


def _question(
    session: Session, text: str, chunk_id: int, feedback: str | None, outcome: str = "answered"
) -> None:
    session.add(Question(text=text, outcome=outcome, feedback=feedback, citations=[{"chunk_id": chunk_id}]))
    session.flush()


def test_thumbs_label_pairs_and_closed_pages_stay_out(db_session: Session, tmp_path: Path) -> None:
    source = Source(name="wiki", kind="confluence")
    db_session.add(source)
    db_session.flush()
    open_gate = set_gate(db_session, source.id, "space:OPEN", ["anyone"])
    closed_gate = set_gate(db_session, source.id, "space:CLOSED", ["group:leads"])
    opened = _chunk(db_session, source, "Open", open_gate)
    closed = _chunk(db_session, source, "Closed", closed_gate)
    _question(db_session, "good?", opened, "up")
    _question(db_session, "bad?", opened, "down")
    _question(db_session, "unjudged?", opened, None)
    _question(db_session, "refused?", opened, "up", outcome="low_confidence")
    _question(db_session, "secret?", closed, "up")

    n_pairs = write_pairs(db_session, passed_gates(db_session, None), tmp_path / "pairs.jsonl")

    lines = [json.loads(line) for line in (tmp_path / "pairs.jsonl").read_text().splitlines()]
    assert n_pairs == 2
    assert [(line["question"], line["passage"], line["is_helpful"]) for line in lines] == [
        ("good?", "Open text", True),
        ("bad?", "Open text", False),
    ]
