"""The second at which a sentence was said: the utterance inside a passage that shares most words with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from core.db import SessionFactory
from rag.search import Hit
from rag.sentences import words
from rag.support import content_words, stem

UTTERANCES = text("""
    SELECT c.id AS chunk_id, s.start_s, s.text
    FROM chunks c
    JOIN recordings r ON r.document_id = c.document_id
    JOIN segments s ON s.recording_id = r.id AND s.position BETWEEN c.first_position AND c.last_position
    WHERE c.id = ANY(:chunk_ids) ORDER BY c.id, s.position
""")


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """One utterance of a passage: when it starts, and the stems of its words."""

    start_s: float
    stems: frozenset[str]


def spoken_lines(factory: SessionFactory, hits: Sequence[Hit]) -> dict[int, list[SpokenLine]]:
    """The utterances of each passage of speech by chunk id; pages have none."""
    chunk_ids = sorted({hit.chunk_id for hit in hits if hit.start_s is not None})
    lines: dict[int, list[SpokenLine]] = {}
    if not chunk_ids:
        return lines
    with factory() as session:
        for row in session.execute(UTTERANCES, {"chunk_ids": chunk_ids}):
            stems = frozenset(stem(word) for word in words(row.text))
            lines.setdefault(row.chunk_id, []).append(SpokenLine(row.start_s, stems))
    return lines


def moment_of(sentence: str, hit: Hit, lines: Mapping[int, Sequence[SpokenLine]]) -> float | None:
    """Seconds from the recording's start; the passage's own start when no utterance fits, None for a page."""
    spoken = lines.get(hit.chunk_id)
    if not spoken:
        return hit.start_s
    said = {stem(word) for word in content_words(sentence)}
    best = max(spoken, key=lambda line: (len(said & line.stems), -line.start_s))
    return best.start_s if said & best.stems else hit.start_s
