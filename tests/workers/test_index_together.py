"""Documents that wait are embedded together, and end each for itself."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, text

from core import jobs
from core.db import make_engine, make_session_factory
from core.doorbell import SilentBell
from core.running_job import draining
from core.settings import load_settings
from core.tables.documents import Document, Source
from rag.embedding import HashedWordsEmbedder, Vectors
from workers import index_together
from workers.context import Context
from workers.index_document import run
from workers.run_job import run_job

N_LONG = 700


class Recorder(HashedWordsEmbedder):
    """Remembers what it was given; `before` is called first, with the texts."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []
        self.before: Callable[[Sequence[str]], object] = lambda texts: None

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.before(texts)
        self.calls.append(len(texts))
        return super().embed_passages(texts)


@pytest.fixture(scope="module")
def own_engine(make_database: Callable[[], str]) -> Iterator[Engine]:
    engine = make_engine(make_database())
    yield engine
    engine.dispose()


@pytest.fixture
def embedder() -> Recorder:
    return Recorder()


@pytest.fixture
def context(own_engine: Engine, embedder: Recorder) -> Iterator[Context]:
    context = Context(load_settings(), make_session_factory(own_engine, doorbell=SilentBell()), SilentBell())
    context.embedder = embedder
    yield context
    draining.clear()
    with own_engine.begin() as connection:
        connection.execute(text("TRUNCATE jobs, sources, embedding_models, corpus_stats CASCADE"))


def add(context: Context, *markdowns: str) -> list[int]:
    """Documents that wait to be indexed; returns their jobs, in order."""
    with context.factory.begin() as session:
        source = session.query(Source).one_or_none() or Source(name="s", kind="confluence")
        session.add(source)
        session.flush()
        n_before = session.query(Document).count()
        rows = [
            Document(
                source_id=source.id, external_id=str(n_before + at), kind="page", title=f"Page {at}", url="u",
                markdown=markdown, content_hash=f"h{at}", gate_ids=[1],
            )
            for at, markdown in enumerate(markdowns)
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        return [jobs.enqueue(session, "index_document", str(row.id), document_id=row.id) for row in rows]


def long_page(n_sections: int, word: str = "word") -> str:
    return "\n\n".join(f"# Section {at}\n\nThe {word} number {at} stands here." for at in range(n_sections))


def job(context: Context, job_id: int) -> Any:
    with context.factory() as session:
        return session.execute(
            text("SELECT j.*, d.indexed_hash, (SELECT count(*) FROM embeddings e JOIN chunks c ON c.id = e.chunk_id "
                 "WHERE c.document_id = d.id) AS n_vectors FROM jobs j "
                 "JOIN documents d ON d.id = (j.args->>'document_id')::bigint WHERE j.id = :id"),
            {"id": job_id},
        ).one()  # fmt: skip


def test_many_small_documents_share_batches_and_end_each_for_itself(
    context: Context, embedder: Recorder
) -> None:
    ids = add(context, *(long_page(3, f"w{at}") for at in range(40)))
    assert run_job(context, ids[0], run) == "done"
    rows = [job(context, one) for one in ids]
    assert {(row.state, row.n_vectors, row.attempts) for row in rows} == {("done", 3, 1)}
    assert all(row.outcome["n_embedded"] == 3 and row.indexed_hash for row in rows)
    assert sum(embedder.calls) == 120 and len(embedder.calls) <= 6
    assert all(run_job(context, one, run) == "not_claimed" for one in ids)


def test_what_the_model_cannot_take_fails_alone(context: Context, embedder: Recorder) -> None:
    ids = add(context, *(long_page(3, "poison" if at == 4 else "fine") for at in range(9)))

    def refuse(texts: Sequence[str]) -> None:
        if any("poison" in one for one in texts):
            raise ValueError("cannot")

    embedder.before = refuse
    assert run_job(context, ids[0], run) == "done"
    rows = [job(context, one) for one in ids]
    assert [row.state for row in rows] == ["done"] * 4 + ["queued"] + ["done"] * 4
    assert (rows[4].indexed_hash, rows[4].n_vectors, rows[4].attempts) == (None, 0, 1)
    assert "ValueError" in rows[4].error
    with context.factory.begin() as session:
        session.execute(text("UPDATE jobs SET run_after = now() WHERE id = :id"), {"id": ids[4]})
    later = add(context, long_page(2))
    assert run_job(context, later[0], run) == "done"
    assert job(context, ids[4]).attempts == 1, "what failed once is never taken along again"


def test_short_documents_overtake_a_long_one(context: Context) -> None:
    ids = add(context, long_page(N_LONG), *(long_page(2) for _ in range(30)))
    assert run_job(context, ids[0], run) == "done"
    first, *others = [job(context, one) for one in ids]
    assert first.n_vectors == N_LONG and {row.state for row in others} == {"done"}
    assert max(row.finished_at for row in others) < first.finished_at
    assert first.progress["total"] == N_LONG


def test_a_long_document_taken_along_goes_back_and_is_finished_by_its_own_job(
    context: Context, embedder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_together, "ROUND_S", 0.0)
    ids = add(context, long_page(index_together.SLICE), long_page(N_LONG))
    assert run_job(context, ids[0], run) == "done"
    back = job(context, ids[1])
    assert (back.state, back.attempts, back.indexed_hash) == ("queued", 0, None)
    n_done = sum(embedder.calls)
    assert run_job(context, ids[1], run) == "done"
    assert job(context, ids[1]).n_vectors == N_LONG
    assert sum(embedder.calls) == index_together.SLICE + N_LONG, f"{n_done} vectors were computed twice"


def test_who_lost_a_claim_marks_nothing(context: Context, embedder: Recorder) -> None:
    ids = add(context, *(long_page(3) for _ in range(3)))

    def steal(texts: Sequence[str]) -> None:
        with context.factory.begin() as session:
            session.execute(text("UPDATE jobs SET claim = 'other' WHERE id = :id"), {"id": ids[1]})

    embedder.before = steal
    assert run_job(context, ids[0], run) == "done"
    rows = [job(context, one) for one in ids]
    assert [row.state for row in rows] == ["done", "running", "done"]
    assert rows[1].claim == "other" and rows[1].indexed_hash is None


@pytest.mark.parametrize("is_draining", [True, False], ids=["drained", "leader broken"])
def test_who_was_taken_along_goes_back_uncounted(
    context: Context, embedder: Recorder, is_draining: bool
) -> None:
    ids = add(context, long_page(3, "poison"), *(long_page(index_together.SLICE) for _ in range(3)))

    def stop(texts: Sequence[str]) -> None:
        if is_draining:
            draining.set()
        elif any("poison" in one for one in texts):
            raise ValueError("cannot")

    embedder.before = stop
    assert run_job(context, ids[0], run) == ("interrupted" if is_draining else "retry")
    rows = [job(context, one) for one in ids]
    assert {row.state for row in rows} == {"queued"}
    assert [row.attempts for row in rows] == [0 if is_draining else 1, 0, 0, 0]
    draining.clear()
    embedder.before = lambda texts: None
    assert run_job(context, ids[1], run) == "done"
    assert {job(context, one).state for one in ids[1:]} == {"done"}


def test_a_deleted_document_is_taken_out_beside_others(context: Context) -> None:
    ids = add(context, long_page(2), long_page(2))
    run_job(context, ids[0], run)
    with context.factory.begin() as session:
        session.execute(text("UPDATE documents SET deleted_at = now() WHERE external_id = '1'"))
        again = [
            jobs.enqueue(session, "index_document", str(row.id), document_id=row.id)
            for row in session.query(Document).order_by(Document.id)
        ]
    assert run_job(context, again[0], run) == "done"
    gone = job(context, again[1])
    assert (gone.state, gone.outcome, gone.n_vectors) in [("queued", {}, 2), ("done", {"n_removed": 2}, 0)]
    run_job(context, again[1], run)
    assert job(context, again[1]).n_vectors == 0
