"""Find the passages that answer a question, under the asker's gates, in one SQL statement.

Lexical (true BM25 over `postings`) and vector (HNSW) candidates are fused by their normalized scores, and looked at
once more by `rag.rerank`. Knows no embedder: the caller brings the question's vector.
"""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from rag import rerank
from rag.embedding import Vectors
from rag.narrow_gates import Reach, reach
from rag.query import Query
from rag.sentences import words
from rag.spelling import corrected
from rag.store import StoredModel, vector_text

_NEAR_DUPLICATE = 0.9  # Jaccard overlap of word sets above which two passages are the same one, re-exported
_N_SPARE = 2  # times top_k is read without a second look, so that folding duplicates still leaves top_k
_N_RERANKED = 3  # times n_candidates is looked at once more: both sides and what stands beside them
_MAX_CORRECTIONS = 3


@dataclass(frozen=True, slots=True)
class Filters:
    """Narrows a search; an empty field narrows nothing. Times are aware; `people` match speakers and authors."""

    source_ids: tuple[int, ...] = ()
    spaces: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    document_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """Settings of the fusion.

    Each side's score is divided by its best among the candidates, then weighted and added; a passage gets
    `neighbour_weight` of its neighbours' mean on top. `k1` and `b` are BM25's usual ones (Robertson & Zaragoza 2009)
    and moved nothing when varied. Chosen on every fourth meeting of QMSum train, 272 questions, MRR@10 and hit@5:
    reciprocal rank (k 60) 0.435, 0.559; z-scores 0.479, 0.596; this 0.480, 0.607. A prior for the whole meeting
    (its best passages, or BM25 over meetings) lowered all of them. `is_reranked` orders all candidates by
    `rag.rerank`. `n_postings` bounds how many passages are scored by words; below it the score is exact.
    """

    k1: float = 1.2
    b: float = 0.75
    lexical_weight: float = 1.0
    vector_weight: float = 0.7
    neighbour_weight: float = 0.2
    n_candidates: int = 100
    ef_search: int = 400
    n_postings: int = 24_000
    is_reranked: bool = True


@dataclass(frozen=True, slots=True)
class Hit:
    """One passage found.

    `score` orders hits of one search and means nothing across searches. `lexical_score` is BM25 (0 when no query
    word occurs), `vector_score` the cosine to the question (None without a vector).
    """

    chunk_id: int
    document_id: int
    source_id: int
    kind: str
    title: str
    url: str
    space_key: str | None
    updated_at: datetime | None
    position: int
    heading_path: tuple[str, ...]
    anchor: str | None
    text: str
    context: str
    speakers: tuple[str, ...]
    start_s: float | None
    end_s: float | None
    first_position: int | None
    last_position: int | None
    n_tokens: int
    score: float
    lexical_score: float
    vector_score: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """Hits, best first, and how they were found: `lexemes` searched, `corrections` of unknown query words.

    `narrowed` is what the caller read from the question's own words and searched within.
    """

    hits: tuple[Hit, ...]
    lexemes: tuple[str, ...] = ()
    corrections: dict[str, str] = field(default_factory=dict)
    n_folded: int = 0
    duration_s: float = 0.0
    narrowed: Filters | None = None


# A word is known when the asker may read it somewhere: one that only closed pages hold is corrected like any other.
_TERMS = text("""
    SELECT w.word, s.language, t.lexemes,
           EXISTS (SELECT FROM (SELECT chunk_id FROM postings WHERE lexeme = ANY(t.lexemes) LIMIT 1000) AS p
                   JOIN chunks c ON c.id = p.chunk_id JOIN documents d ON d.id = c.document_id
                   WHERE d.gate_ids <@ CAST(:passed AS int[]) AND d.deleted_at IS NULL AND d.status = 'current'
                  ) AS is_known
    FROM unnest(CAST(:words AS text[])) WITH ORDINALITY AS w(word, position)
    CROSS JOIN (SELECT language FROM corpus_stats UNION SELECT 'english') AS s
    CROSS JOIN LATERAL (SELECT tsvector_to_array(to_tsvector(s.language::regconfig, w.word)) AS lexemes) AS t
    ORDER BY w.position, s.language
""")

# What the asker may see and asked for. NULL gate_ids are closed: `NULL <@ …` is NULL, never true.
_VISIBLE = """
    d.gate_ids <@ CAST(:passed AS int[]) AND d.deleted_at IS NULL AND d.status = 'current'
    AND (CAST(:source_ids AS int[]) IS NULL OR d.source_id = ANY(CAST(:source_ids AS int[])))
    AND (CAST(:document_ids AS bigint[]) IS NULL OR d.id = ANY(CAST(:document_ids AS bigint[])))
    AND (CAST(:spaces AS text[]) IS NULL OR d.space_key = ANY(CAST(:spaces AS text[])))
    AND (CAST(:kinds AS text[]) IS NULL OR d.kind = ANY(CAST(:kinds AS text[])))
    AND (CAST(:labels AS text[]) IS NULL OR d.labels && CAST(:labels AS text[]))
    AND (CAST(:updated_after AS timestamptz) IS NULL OR d.updated_at >= :updated_after)
    AND (CAST(:updated_before AS timestamptz) IS NULL OR d.updated_at < :updated_before)
    AND (CAST(:people AS text[]) IS NULL
         OR lower(d.author) = ANY(CAST(:people AS text[])) OR lower(d.editor) = ANY(CAST(:people AS text[]))
         OR EXISTS (SELECT FROM unnest(c.speakers) AS s(name) WHERE lower(s.name) = ANY(CAST(:people AS text[]))))
    AND (CAST(:phrases AS text[]) IS NULL
         OR regexp_replace(c.context || ' ' || c.text, '\\s+', ' ', 'g') ILIKE ALL(CAST(:phrases AS text[])))
"""

# Who may read few passages: each of them is looked at.
_AMONG_FEW = """
visible AS MATERIALIZED (
    SELECT c.id AS chunk_id FROM documents d JOIN chunks c ON c.document_id = d.id
    WHERE d.gate_ids && CAST(:passed AS int[]) AND {visible}
), lexical AS MATERIALIZED (
    SELECT s.chunk_id, s.score FROM bm25 s JOIN visible USING (chunk_id)
    ORDER BY s.score DESC, s.chunk_id LIMIT :n_candidates
), nearest AS MATERIALIZED (
    SELECT e.chunk_id, (e.vector::halfvec({dim}) <=> CAST(:vector AS halfvec({dim}))) + 0 AS distance
    FROM visible JOIN embeddings e ON e.chunk_id = visible.chunk_id AND e.model_id = {model_id}
    WHERE :has_vector ORDER BY distance LIMIT :n_candidates
)"""

_AMONG_MANY = """
lexical AS MATERIALIZED (
    -- Best first, looking at each passage's document until enough are visible: OFFSET 0 keeps the planner from
    -- joining every match with every document before the cut.
    SELECT s.chunk_id, s.score
    FROM (SELECT chunk_id, score FROM bm25 ORDER BY score DESC, chunk_id LIMIT :n_looked) AS s
    CROSS JOIN LATERAL (SELECT FROM chunks c JOIN documents d ON d.id = c.document_id
                        WHERE c.id = s.chunk_id AND {visible} OFFSET 0) AS seen
    ORDER BY s.score DESC, s.chunk_id LIMIT :n_candidates
), nearest AS MATERIALIZED (
    SELECT e.chunk_id, e.vector::halfvec({dim}) <=> CAST(:vector AS halfvec({dim})) AS distance
    FROM embeddings e JOIN chunks c ON c.id = e.chunk_id JOIN documents d ON d.id = c.document_id
    WHERE :has_vector AND e.model_id = {model_id} AND {visible}
    ORDER BY e.vector::halfvec({dim}) <=> CAST(:vector AS halfvec({dim})) LIMIT :n_candidates
)"""

# BM25 as in Robertson & Zaragoza 2009 with Lucene's idf, which stays positive for very common words.
# The rarest words are read whole; once they have used up the budget of postings, the rest give their best passages
# only (quit/continue with a bound on accumulators, Moffat & Zobel 1996). What is found is then scored by all words.
# The model's id and dimension stand in the statement as numbers: only so can the partial HNSW index be used.
_SEARCH = """
WITH corpus AS (
    SELECT greatest(sum(n_chunks), 1)::float8 AS n_chunks,
           greatest(sum(n_terms)::float8 / greatest(sum(n_chunks), 1), 1) AS mean_terms
    FROM corpus_stats
), common AS (
    -- Postgres' own statistics know the words that stand in many passages; those of the others are counted.
    SELECT word AS lexeme, share * (SELECT reltuples FROM pg_class WHERE oid = CAST('postings' AS regclass)) AS n
    FROM pg_stats CROSS JOIN LATERAL unnest(CAST(most_common_vals AS text)::text[], most_common_freqs) AS m(word, share)
    WHERE schemaname = current_schema() AND tablename = 'postings' AND attname = 'lexeme'
      AND word = ANY(CAST(:lexemes AS text[]))
), frequencies AS MATERIALIZED (
    SELECT lexeme, least(n, (SELECT n_chunks FROM corpus)) AS df FROM (
        SELECT q.lexeme, CASE WHEN common.n > :n_counted THEN common.n
                              ELSE (SELECT count(*) FROM postings p WHERE p.lexeme = q.lexeme) END AS n
        FROM (SELECT DISTINCT unnest(CAST(:lexemes AS text[])) AS lexeme) AS q LEFT JOIN common USING (lexeme)
    ) AS counted WHERE n > 0
), weights AS MATERIALIZED (
    SELECT lexeme, ln(1 + (corpus.n_chunks - df + 0.5) / (df + 0.5)) AS idf,
           sum(df) OVER (ORDER BY df, lexeme) - df AS n_before, df
    FROM frequencies CROSS JOIN corpus
), matched AS (
    SELECT w.lexeme, w.idf, p.chunk_id, p.tf, p.n_terms
    FROM weights w CROSS JOIN LATERAL (
        SELECT chunk_id, tf, n_terms FROM postings WHERE lexeme = w.lexeme ORDER BY impact DESC, chunk_id
        LIMIT CASE WHEN w.n_before + w.df > :n_postings
                   THEN CASE WHEN w.n_before < 4 * :n_candidates THEN :n_postings ELSE :n_best END END
    ) AS p
), bm25 AS (
    SELECT m.chunk_id,
           sum(m.idf * m.tf * (:k1 + 1) / (m.tf + :k1 * (1 - :b + :b * m.n_terms / corpus.mean_terms))) AS score
    FROM matched m CROSS JOIN corpus
    GROUP BY m.chunk_id
), {sides}, found AS MATERIALIZED (
    SELECT chunk_id FROM lexical UNION SELECT chunk_id FROM nearest
), candidates AS MATERIALIZED (
    -- Also what stands beside a passage found: it says much of what that passage is about.
    SELECT chunk_id FROM found
    UNION
    SELECT beside.id FROM found JOIN chunks f ON f.id = found.chunk_id
    JOIN chunks beside ON beside.document_id = f.document_id AND beside.position BETWEEN f.position - 1 AND f.position + 1
    CROSS JOIN LATERAL (SELECT FROM chunks c JOIN documents d ON d.id = c.document_id
                        WHERE c.id = beside.id AND {visible} OFFSET 0) AS seen
    WHERE :is_reranked
), parts AS MATERIALIZED (
    SELECT chunk_id, array_agg(lexeme) AS lexemes, array_agg(points) AS points, sum(points) AS score
    FROM (
        SELECT p.chunk_id, p.lexeme,
               w.idf * p.tf * (:k1 + 1) / (p.tf + :k1 * (1 - :b + :b * p.n_terms / corpus.mean_terms)) AS points
        FROM (
            SELECT own.* FROM candidates CROSS JOIN LATERAL (
                SELECT * FROM postings WHERE chunk_id = candidates.chunk_id AND lexeme = ANY(CAST(:lexemes AS text[])) OFFSET 0
            ) AS own OFFSET 0
        ) AS p
        JOIN weights w USING (lexeme) CROSS JOIN corpus
    ) AS scored
    GROUP BY chunk_id
), measured AS (
    SELECT c.id AS chunk_id, c.document_id, c.position, md5(c.text) AS text_hash, coalesce(s.score, 0) AS lexical_score,
           CASE WHEN :has_vector THEN 1 - (e.vector::halfvec({dim}) <=> CAST(:vector AS halfvec({dim}))) END
               AS vector_score,
           CASE WHEN :has_vector THEN 1 - (e.vector::halfvec({dim}) <=> CAST(:tuned AS halfvec({dim}))) END
               AS tuned_score
    FROM candidates
    JOIN chunks c ON c.id = candidates.chunk_id
    LEFT JOIN parts s ON s.chunk_id = c.id
    LEFT JOIN embeddings e ON e.chunk_id = c.id AND e.model_id = {model_id}
), fused AS (
    SELECT *, :lexical_weight * coalesce(lexical_score / nullif(max(lexical_score) OVER (), 0), 0)
              + :vector_weight * coalesce(greatest(vector_score, 0) / nullif(max(vector_score) OVER (), 0), 0) AS points
    FROM measured
), scored AS (
    SELECT *, points + :neighbour_weight * coalesce(
        sum(points) OVER (PARTITION BY document_id ORDER BY position
                          RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW), 0) / 2 AS score
    FROM fused
), folded AS (
    SELECT *, row_number() OVER (PARTITION BY text_hash ORDER BY score DESC, chunk_id) AS copy,
           count(*) OVER (PARTITION BY text_hash) AS n_copies
    FROM scored
), best AS (
    SELECT * FROM folded WHERE copy = 1 ORDER BY score DESC, chunk_id LIMIT :n_rows
), idfs AS MATERIALIZED (
    SELECT array_agg(lexeme) AS lexemes, array_agg(idf) AS idfs FROM weights
)
SELECT c.id AS chunk_id, d.id AS document_id, d.source_id, d.kind, d.title, d.url, d.space_key, d.updated_at,
       c.position, c.heading_path, c.anchor, c.text, c.context, c.speakers, c.start_s, c.end_s,
       c.first_position, c.last_position, c.n_tokens, best.score, best.lexical_score, best.vector_score,
       best.tuned_score, best.n_copies,
       parts.lexemes AS part_lexemes, parts.points AS part_points,
       CASE WHEN row_number() OVER (ORDER BY best.score DESC, c.id) = 1 THEN idfs.lexemes END AS idf_lexemes,
       CASE WHEN row_number() OVER (ORDER BY best.score DESC, c.id) = 1 THEN idfs.idfs END AS idfs
FROM best
LEFT JOIN parts ON parts.chunk_id = best.chunk_id
CROSS JOIN idfs
JOIN chunks c ON c.id = best.chunk_id
JOIN documents d ON d.id = c.document_id
ORDER BY best.score DESC, c.id
"""

# Under a narrow filter the index goes on reading until enough rows pass, within pgvector's own bound on tuples.
# A generic plan, which Postgres tries after five runs of a prepared statement, knows neither the gates nor the
# lexemes and measured 10 to 30 times slower.
_SCAN_ON = text("""
    SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),
           set_config('hnsw.ef_search', CAST(:ef_search AS text), true),
           set_config('plan_cache_mode', 'force_custom_plan', true)
""")


def search(
    session: Session,
    query: Query,
    vector: Vectors,
    *,
    model: StoredModel,
    passed_gates: Sequence[int],
    tuned: Vectors | None = None,
    filters: Filters | None = None,
    top_k: int = 10,
    ranking: Ranking | None = None,
) -> Found:
    """The `top_k` passages nearest to the query among those behind `passed_gates`.

    Args:
        vector: the question's, `(dim,)`, by the embedder of `model`; all zeros searches by words only.
        passed_gates: ids of the gates the asker passes; a document needs all of its own among them.
        tuned: the vector as `rag.lens` sees it, to order what was found; `vector` itself when None.
    """
    if not passed_gates:
        return Found(())  # every document has a door
    started = time.monotonic()
    ranking = ranking or Ranking()
    seen = reach(session, passed_gates)
    terms, corrections = _terms(session, query, passed_gates)
    lexemes = list(dict.fromkeys(lexeme for _, found in terms for lexeme in found))
    values = {
        **_filter_values(filters or Filters(), query.phrases),
        **_ranking_values(ranking),
        "passed": list(passed_gates),
        "lexemes": lexemes,
        "vector": vector_text(vector),
        "tuned": vector_text(vector if tuned is None else tuned),
        "has_vector": bool(vector.any()),
        "is_reranked": ranking.is_reranked,
        "n_looked": _n_looked(
            seen, ranking, is_narrowed=bool(query.phrases) or filters not in (None, Filters())
        ),
        "n_rows": _N_RERANKED * ranking.n_candidates if ranking.is_reranked else top_k * _N_SPARE,
    }
    session.execute(_SCAN_ON, {"ef_search": ranking.ef_search})
    rows = session.execute(_statement(model, are_few=seen.are_few), values).all()
    scores = [row.score for row in rows]
    if ranking.is_reranked and rows:
        asked = rerank.Asked(query.text, tuple(terms), _paired(rows[0].idf_lexemes, rows[0].idfs))
        scores = rerank.scores(asked, [_candidate(row) for row in rows]).tolist()
    best = sorted(range(len(rows)), key=lambda at: -scores[at])[: top_k * _N_SPARE]
    looked_at = [_hit(rows[at], scores[at]) for at in best]  # of the others nobody needs one
    folded = fold_duplicates(looked_at)
    return Found(
        hits=tuple(folded[:top_k]),
        lexemes=tuple(lexemes),
        corrections=corrections,
        n_folded=len(looked_at) - len(folded) + sum(row.n_copies - 1 for row in rows),
        duration_s=time.monotonic() - started,
    )


def _candidate(row: Any) -> rerank.Candidate:
    return rerank.Candidate(
        document_id=row.document_id,
        position=row.position,
        text=row.text,
        speakers=row.speakers,
        parts=_paired(row.part_lexemes, row.part_points),
        cosine=row.vector_score,
        tuned=row.tuned_score,
    )


def _n_looked(seen: Reach, ranking: Ranking, *, is_narrowed: bool) -> int | None:
    """How many of the best passages by words hold enough that the asker may see; None for all, where nobody knows."""
    if is_narrowed or not seen.is_known or seen.share <= 0:
        return None
    return 200 + math.ceil(3 * ranking.n_candidates / seen.share)


def _paired(lexemes: Sequence[str] | None, values: Sequence[float] | None) -> dict[str, float]:
    return dict(zip(lexemes or (), values or (), strict=True))


def fold_duplicates(hits: Sequence[Hit]) -> list[Hit]:
    """Hits without those that repeat a better one (page copies, re-exports); order stays."""
    kept: list[tuple[Hit, frozenset[str]]] = []
    for hit in hits:
        terms = frozenset(words(hit.text))
        if not any(_overlap(terms, other) >= _NEAR_DUPLICATE for _, other in kept):
            kept.append((hit, terms))
    return [hit for hit, _ in kept]


def _overlap(left: frozenset[str], right: frozenset[str]) -> float:
    union = len(left | right)
    return len(left & right) / union if union else 1.0


def _terms(
    session: Session, query: Query, passed_gates: Sequence[int]
) -> tuple[list[tuple[str, tuple[str, ...]]], dict[str, str]]:
    """The query's words with their stems in every language present, without stop words of the question's own
    language; and the corrections among them."""
    stems: dict[str, dict[str, list[str]]] = defaultdict(dict)
    known: set[str] = set()
    for row in session.execute(_TERMS, {"words": list(query.words), "passed": list(passed_gates)}):
        stems[row.word][row.language] = row.lexemes
        if row.is_known:
            known.add(row.word)
    language = _question_language(stems)
    kept = {word: by_language for word, by_language in stems.items() if by_language.get(language) != []}
    terms = {
        word: [lexeme for found in by_language.values() for lexeme in found]
        for word, by_language in kept.items()
    }
    corrections: dict[str, str] = {}
    for word in [word for word in kept if word not in known][:_MAX_CORRECTIONS]:
        stem = next(iter(kept[word].get(language, [])), word)
        nearest = corrected(session, stem, passed_gates)
        if nearest is not None:
            corrections[word] = nearest
            terms[word].append(nearest)
    return [(word, tuple(dict.fromkeys(lexemes))) for word, lexemes in terms.items()], corrections


def _question_language(stems: dict[str, dict[str, list[str]]]) -> str:
    """The language most of whose stop words occur; English when none does."""
    n_stops = Counter(
        language for by_language in stems.values() for language, lexemes in by_language.items() if not lexemes
    )
    return max(n_stops, key=lambda language: (n_stops[language], language == "english"), default="english")


def nearest_ids(
    session: Session, model: StoredModel, values: Mapping[str, object], *, ranking: Ranking | None = None
) -> list[int]:
    """The vector side's candidates alone, nearest first; `values` as the statement's own. For measuring what it misses."""
    ranking = ranking or Ranking()
    session.execute(_SCAN_ON, {"ef_search": ranking.ef_search})
    passed: Any = values["passed"]
    seen = reach(session, passed)
    sides = _sides(model, are_few=seen.are_few)
    statement = f"WITH bm25 AS (SELECT 0 AS chunk_id, 0 AS score WHERE false), {sides} SELECT chunk_id FROM nearest ORDER BY distance"
    return list(
        session.scalars(
            text(statement),
            {**values, "has_vector": True, "n_candidates": ranking.n_candidates, "n_looked": None},
        )
    )


def _sides(model: StoredModel, *, are_few: bool) -> str:
    template = _AMONG_FEW if are_few else _AMONG_MANY
    return template.format(visible=_VISIBLE, dim=int(model.dim), model_id=int(model.id))


@cache
def _statement(model: StoredModel, *, are_few: bool) -> TextClause:
    """Made once a model: preparing so long a text anew takes longer than planning it."""
    sides = _sides(model, are_few=are_few)
    return text(_SEARCH.format(sides=sides, visible=_VISIBLE, dim=int(model.dim), model_id=int(model.id)))


def _filter_values(filters: Filters, phrases: Sequence[str]) -> dict[str, object]:
    return {
        "source_ids": list(filters.source_ids) or None,
        "document_ids": list(filters.document_ids) or None,
        "spaces": list(filters.spaces) or None,
        "kinds": list(filters.kinds) or None,
        "labels": list(filters.labels) or None,
        "people": [name.lower() for name in filters.people] or None,
        "updated_after": filters.updated_after,
        "updated_before": filters.updated_before,
        "phrases": [f"%{_escaped(phrase)}%" for phrase in phrases] or None,
    }


def _ranking_values(ranking: Ranking) -> dict[str, object]:
    return {
        "k1": ranking.k1,
        "b": ranking.b,
        "lexical_weight": ranking.lexical_weight,
        "vector_weight": ranking.vector_weight,
        "neighbour_weight": ranking.neighbour_weight,
        "n_candidates": ranking.n_candidates,
        "n_postings": ranking.n_postings,
        "n_counted": ranking.n_postings // 2,
        "n_best": ranking.n_postings // 6,
    }


def _escaped(phrase: str) -> str:
    return phrase.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _hit(row: Any, score: float) -> Hit:
    values = row._asdict()
    for name in ("n_copies", "tuned_score", "part_lexemes", "part_points", "idf_lexemes", "idfs"):
        del values[name]
    values["heading_path"] = tuple(values["heading_path"])
    values["speakers"] = tuple(values["speakers"])
    return Hit(**{**values, "score": score})
