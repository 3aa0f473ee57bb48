"""A corpus of any size in the product's own tables, loaded by COPY: words with a real frequency curve, real vectors.

Words are made up and drawn by Zipf's law (Mandelbrot's form); five passages are a document, two hundred doors stand
before them. Vectors are the product model's own of real passages, mixed in pairs and disturbed, so that they lie in
clusters as real ones do (evenly random ones have no near neighbours, and an index none to find).
"""

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from rag.store import StoredModel, create_index

N_WORDS = 60_000
N_CHUNKS_A_DOCUMENT = 5
N_GATES = 200
CHUNK_WORDS = (40, 64, 88)  # without stop words: passages of about 100 to 250 words as people write them
SENTENCE_WORDS = 10  # without stop words: sentences of about 20
BATCH = 50_000
DIM = 384
WORD_CHARS = 7

_INDEXED = ("postings", "embeddings", "chunks")
_DEFINITIONS = """
    SELECT conname AS name, pg_get_constraintdef(oid) AS definition, contype FROM pg_constraint
    WHERE conrelid = %s::regclass AND contype IN ('p', 'u')
"""
_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT IN
        (SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass)
"""


@dataclass(frozen=True)
class Loaded:
    """What is in the tables, the words in order of frequency, and how long each step took."""

    n_chunks: int
    n_postings: int
    vocabulary: NDArray[np.str_]
    seconds: dict[str, float]


def load(
    url: str, n_chunks: int, vectors: NDArray[np.float32], *, model: tuple[str, str], seed: int = 7
) -> Loaded:
    """Fill empty, migrated tables; indexes are made after the rows, as one would for a first import.

    Args:
        vectors: `(n, 384)` of real passages, length one.
        model: name and revision under which the embedder finds its vectors.
    """
    chance = np.random.default_rng(seed)
    seconds: dict[str, float] = {}
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(
            "SET session_replication_role = replica"
        )  # no look at a parent's row for each of its children
        vocabulary = _vocabulary(db, chance)
        _parents(db, n_chunks, chance, model)
        later = [statement for table in _INDEXED for statement in _without_indexes(db, table)]
        n_postings, n_terms = 0, 0
        with _Timed(seconds, "rows"):
            for start in range(0, n_chunks, BATCH):
                n = min(BATCH, n_chunks - start)
                words = _draw(chance, n)
                _copy_chunks(db, start, words, vocabulary)
                rows, terms = _copy_postings(db, start, words, vocabulary)
                n_postings, n_terms = n_postings + rows, n_terms + terms
                _copy_vectors(db, start, _disturbed(chance, vectors, n))
            db.execute(
                "INSERT INTO corpus_stats (language, n_chunks, n_terms) VALUES ('english', %s, %s)",
                (n_chunks, n_terms),
            )
        db.execute("SET maintenance_work_mem = '2GB'")
        db.execute("SET max_parallel_maintenance_workers = 2")
        with _Timed(seconds, "indexes of words and keys"):
            for statement in later:
                db.execute(statement)
        with _Timed(seconds, "index of vectors"):
            db.execute(create_index(StoredModel(1, DIM, "serving")))
        with _Timed(seconds, "vacuum and statistics"):
            db.execute("SET maintenance_work_mem = '256MB'")
            db.execute("VACUUM (ANALYZE)")
    return Loaded(n_chunks, n_postings, vocabulary, seconds)


def questions(loaded: Loaded, url: str, n: int, *, seed: int = 11) -> list[str]:
    """Questions in words of passages that are there: three to six of one passage, one of them among the commonest."""
    chance = np.random.default_rng(seed)
    common = set(loaded.vocabulary[:300].tolist())
    found = []
    with psycopg.connect(url) as db:
        for chunk_id in chance.integers(1, loaded.n_chunks + 1, n):
            [text] = db.execute("SELECT text FROM chunks WHERE id = %s", (int(chunk_id),)).fetchone()
            words = list(dict.fromkeys(text.lower().replace(".", "").split()))
            frequent = [word for word in words if word in common][:1]
            others = [word for word in words if word not in common]
            chosen = [*chance.permutation(others)[: chance.integers(2, 6)], *frequent]
            found.append(f"what about the {' '.join(chosen)}?")
    return found


def _vocabulary(db: psycopg.Connection[Any], chance: np.random.Generator) -> NDArray[np.str_]:
    """Words of seven letters that the English stemmer leaves as they are."""
    consonants, vowels = np.array(list("bdfgklmnprtvz")), np.array(list("aeiou"))
    parts = [
        chance.choice(consonants if at % 2 == 0 else vowels, 4 * N_WORDS) for at in range(WORD_CHARS - 1)
    ]
    made = np.unique(np.char.add(np.array(["".join(one) for one in zip(*parts, strict=True)]), "k"))
    rows = db.execute(
        "SELECT w FROM unnest(%s::text[]) w WHERE tsvector_to_array(to_tsvector('english', w)) = ARRAY[w] LIMIT %s",
        (chance.permutation(made).tolist(), N_WORDS),
    ).fetchall()  # fmt: skip
    return np.array([row[0] for row in rows])


def _draw(chance: np.random.Generator, n: int) -> list[NDArray[np.int64]]:
    """Ranks of words, one array `(n_i, length)` for each length of passage; together n passages."""
    weights = 1 / (
        np.arange(N_WORDS) + 12.0
    )  # the commonest content word stands in about every third passage
    edges = np.cumsum(weights / weights.sum())
    sizes = [n // len(CHUNK_WORDS)] * len(CHUNK_WORDS)
    sizes[-1] = n - sum(sizes[:-1])
    return [
        np.minimum(np.searchsorted(edges, chance.random((size, length))), N_WORDS - 1)
        for size, length in zip(sizes, CHUNK_WORDS, strict=True)
    ]


def _parents(
    db: psycopg.Connection[Any], n_chunks: int, chance: np.random.Generator, model: tuple[str, str]
) -> None:
    n_documents = -(-n_chunks // N_CHUNKS_A_DOCUMENT)
    db.execute("INSERT INTO sources (name, kind, state) VALUES ('synthetic', 'confluence', 'ready')")
    [[source_id]] = db.execute("SELECT id FROM sources").fetchall()
    db.execute(
        "INSERT INTO gates (source_id, door, principals) SELECT %s, 'space:' || n, ARRAY['anyone'] "
        "FROM generate_series(1, %s) n ORDER BY n",
        (source_id, N_GATES),
    )
    [[first]] = db.execute("SELECT min(id) FROM gates").fetchall()
    db.execute(
        "INSERT INTO embedding_models (id, name, revision, dim, state) OVERRIDING SYSTEM VALUE VALUES (1, %s, %s, %s, 'serving')",
        (*model, DIM),
    )
    doors = chance.integers(0, N_GATES, n_documents) + first
    with db.cursor().copy(
        "COPY documents (id, source_id, external_id, kind, title, url, space_key, content_hash, indexed_hash, gate_ids, "
        "updated_at) FROM STDIN"
    ) as copy:
        for at in range(1, n_documents + 1):
            door = doors[at - 1]
            copy.write(
                f"{at}\t{source_id}\t{at}\tpage\tPage {at}\thttp://127.0.0.1/{at}\tS{door}\th\th\t{{{door}}}\t2024-05-01Z\n"
            )


def _without_indexes(db: psycopg.Connection[Any], table: str) -> Iterator[str]:
    """Drop a table's keys and indexes; yields the statements that make them again."""
    for name, definition in db.execute(_INDEXES, (table, table)).fetchall():
        db.execute(f"DROP INDEX {name}")
        yield definition
    for name, definition, _ in sorted(db.execute(_DEFINITIONS, (table,)).fetchall(), key=lambda row: row[2]):
        db.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE")
        yield f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"


def _copy_chunks(
    db: psycopg.Connection[Any], start: int, words: Sequence[NDArray[np.int64]], vocabulary: NDArray[np.str_]
) -> None:
    with db.cursor().copy(
        "COPY chunks (id, document_id, position, content_hash, text, n_tokens, n_terms) FROM STDIN"
    ) as copy:
        at = start
        for ranks in words:
            lines = io.StringIO()
            length = ranks.shape[1]
            for row in vocabulary[ranks].tolist():
                at += 1
                document, position = divmod(at - 1, N_CHUNKS_A_DOCUMENT)
                lines.write(
                    f"{at}\t{document + 1}\t{position}\t{at}\t{_prose(row)}\t{2 * length}\t{length}\n"
                )
            copy.write(lines.getvalue())


def _prose(words: Sequence[str]) -> str:
    """Sentences, since what quotes an answer looks at one after the other."""
    return " ".join(
        " ".join(words[at : at + SENTENCE_WORDS]).capitalize() + "."
        for at in range(0, len(words), SENTENCE_WORDS)
    )


def _copy_postings(
    db: psycopg.Connection[Any], start: int, words: Sequence[NDArray[np.int64]], vocabulary: NDArray[np.str_]
) -> tuple[int, int]:
    """Rows and terms in all. Binary rows of one size, since all words have as many letters."""
    row = np.dtype([("n", ">i2"), ("l1", ">i4"), ("chunk_id", ">i8"), ("l2", ">i4"), ("lexeme", f"S{WORD_CHARS}"),
                    ("l3", ">i4"), ("tf", ">i2"), ("l4", ">i4"), ("n_terms", ">i4")])  # fmt: skip
    letters = vocabulary.astype(f"S{WORD_CHARS}")
    n_rows, n_terms, first = 0, 0, start + 1
    with db.cursor().copy("COPY postings (chunk_id, lexeme, tf, n_terms) FROM STDIN (FORMAT binary)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for ranks in words:
            n, length = ranks.shape
            ordered = np.sort(ranks, axis=1)
            is_first = np.ones_like(ordered, dtype=bool)
            is_first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
            places = np.flatnonzero(is_first)
            rows = np.zeros(len(places), dtype=row)
            rows["n"], rows["l1"], rows["l2"], rows["l3"], rows["l4"] = 4, 8, WORD_CHARS, 2, 4
            rows["chunk_id"] = first + places // length
            rows["lexeme"] = letters[ordered.ravel()[places]]
            rows["tf"] = np.diff(
                np.append(places, n * length)
            )  # a passage's last word ends where the next begins
            rows["n_terms"] = length
            copy.write(rows.tobytes())
            n_rows, n_terms, first = n_rows + len(rows), n_terms + n * length, first + n
        copy.write(b"\xff\xff")
    return n_rows, n_terms


def _copy_vectors(db: psycopg.Connection[Any], start: int, vectors: NDArray[np.float32]) -> None:
    row = np.dtype([("n", ">i2"), ("l1", ">i4"), ("model_id", ">i4"), ("l2", ">i4"), ("chunk_id", ">i8"), ("l3", ">i4"),
                    ("dim", ">i2"), ("unused", ">i2"), ("vector", ">f2", (DIM,))])  # fmt: skip
    rows = np.zeros(len(vectors), dtype=row)
    rows["n"], rows["l1"], rows["l2"], rows["l3"] = 3, 4, 8, 4 + 2 * DIM
    rows["model_id"], rows["dim"] = 1, DIM
    rows["chunk_id"] = np.arange(start + 1, start + len(vectors) + 1)
    rows["vector"] = vectors
    with db.cursor().copy("COPY embeddings (model_id, chunk_id, vector) FROM STDIN (FORMAT binary)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff")


def _disturbed(chance: np.random.Generator, real: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    """Each is a real vector with up to half of two others and a little noise: between real ones, as topics are."""
    own, first, second = chance.integers(0, len(real), (3, n))
    shares = chance.random((2, n, 1), dtype=np.float32) * np.float32(0.5)
    noise = chance.standard_normal((n, DIM), dtype=np.float32) * np.float32(0.1 / DIM**0.5)
    mixed = real[own] + shares[0] * real[first] + shares[1] * real[second] + noise
    scaled: NDArray[np.float32] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return scaled


class _Timed:
    def __init__(self, seconds: dict[str, float], name: str) -> None:
        self._seconds, self._name = seconds, name

    def __enter__(self) -> None:
        self._started = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._seconds[self._name] = time.monotonic() - self._started
