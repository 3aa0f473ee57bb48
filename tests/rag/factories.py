"""Plain values with sensible defaults; a test names only what it is about."""

from datetime import UTC, datetime
from typing import Any

from rag.evidence import Evidence
from rag.search import Hit

_DEFAULTS: dict[str, Any] = {
    "chunk_id": 1,
    "document_id": 1,
    "source_id": 1,
    "kind": "page",
    "title": "Title",
    "url": "https://wiki.example/page",
    "space_key": "ENG",
    "updated_at": datetime(2024, 5, 1, tzinfo=UTC),
    "position": 0,
    "heading_path": (),
    "anchor": None,
    "text": "Text.",
    "context": "Title",
    "speakers": (),
    "start_s": None,
    "end_s": None,
    "first_position": None,
    "last_position": None,
    "n_tokens": 10,
    "score": 1.0,
    "lexical_score": 1.0,
    "vector_score": 0.5,
}


def make_hit(text: str = "Text.", **values: Any) -> Hit:
    return Hit(**{**_DEFAULTS, "text": text, **values})


def make_evidence(*texts: str) -> list[Evidence]:
    """One block a text, each of its own document."""
    return [
        Evidence(number, (make_hit(text, chunk_id=number, document_id=number),))
        for number, text in enumerate(texts, start=1)
    ]
