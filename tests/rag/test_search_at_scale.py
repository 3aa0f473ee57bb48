"""The short cuts of large corpora give what the long way gives: words read in part, few passages looked at one by one."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.tables.documents import Document, Gate, Source
from rag import narrow_gates, search
from rag.chunking import chunk_markdown
from rag.query import understand
from rag.search import Found, Ranking
from rag.spelling import edit_distance, one_edit_away
from rag.store import find_model, index_document, register_model, store_embeddings
from tests.rag.conftest import EMBEDDER

WORDS = [f"{a}{b}{c}k" for a in "bdfglmnprt" for b in "aeiou" for c in "bdglmnrtv"]
PLAIN = Ranking(is_reranked=False)


@pytest.fixture
def corpus(db_session: Session) -> Session:
    """300 pages of 30 words by Zipf's law behind 60 doors, with fresh statistics."""
    chance = random.Random(3)
    weights = [1 / (rank + 3) for rank in range(len(WORDS))]
    source = Source(name="s", kind="confluence")
    db_session.add(source)
    db_session.flush()
    gates = [Gate(source_id=source.id, door=str(n), principals=["anyone"]) for n in range(60)]
    db_session.add_all(gates)
    db_session.flush()
    model_id = register_model(db_session, EMBEDDER)
    for n in range(300):
        markdown = " ".join(chance.choices(WORDS, weights, k=30))
        page = Document(
            source_id=source.id, external_id=str(n), kind="page", title="", url="u", markdown=markdown,
            content_hash=str(n), gate_ids=[gates[n % 60].id],
        )  # fmt: skip
        db_session.add(page)
        db_session.flush()
        todo = index_document(
            db_session,
            page.id,
            chunk_markdown("", markdown, count_tokens=EMBEDDER.count_tokens),
            model_id=model_id,
        ).to_embed
        store_embeddings(
            db_session,
            model_id,
            [one.chunk_id for one in todo],
            EMBEDDER.embed_passages([t.embedded_text for t in todo]),
        )
    db_session.execute(text("ANALYZE postings"))
    db_session.execute(text("ANALYZE documents"))
    db_session.execute(text("ANALYZE chunks"))
    return db_session


def ask(session: Session, question: str, ranking: Ranking, passed: list[int] | None = None) -> Found:
    model = find_model(session, EMBEDDER)
    assert model is not None
    query = understand(question)
    gates = passed or list(session.scalars(text("SELECT id FROM gates")))
    return search.search(
        session, query, EMBEDDER.embed_query(query.text), model=model, passed_gates=gates, ranking=ranking
    )


def questions() -> list[str]:
    chance = random.Random(5)
    return [" ".join([chance.choice(WORDS[:5]), *chance.sample(WORDS[20:200], 2)]) for _ in range(12)]


def test_a_common_word_cut_short_moves_no_good_hit(corpus: Session) -> None:
    words_only = replace(PLAIN, vector_weight=0.0, neighbour_weight=0.0)
    n_same, n_all, n_cut = 0, 0, 0
    for question in questions():
        whole = ask(corpus, question, replace(words_only, n_postings=10**6)).hits[:3]
        cut = ask(corpus, question, replace(words_only, n_postings=60)).hits
        scores = {hit.chunk_id: hit.lexical_score for hit in cut}
        n_same += sum(hit.chunk_id in scores for hit in whole)
        n_all += len(whole)
        # Whatever is found is scored by all its words, also by those that were cut short.
        assert all(
            scores[hit.chunk_id] == pytest.approx(hit.lexical_score, rel=0.02)
            for hit in whole
            if hit.chunk_id in scores
        )
        n_cut += len(scores)
    assert n_same >= 0.9 * n_all and n_cut


def test_the_budget_is_kept(corpus: Session) -> None:
    common = "SELECT count(*) FROM postings WHERE lexeme = :word"
    n = corpus.scalar(text(common), {"word": WORDS[0]})
    assert n > 60, "the commonest word stands in most passages"
    lexical = ask(corpus, WORDS[0], replace(PLAIN, n_postings=30, vector_weight=0.0, n_candidates=300))
    candidates = {hit.chunk_id for hit in lexical.hits}
    best = corpus.scalars(
        text("SELECT chunk_id FROM postings WHERE lexeme = :word ORDER BY impact DESC, chunk_id LIMIT 10"),
        {"word": WORDS[0]},
    ).all()
    assert candidates & set(best)


def test_few_passages_one_by_one_are_the_same_as_through_the_index(
    corpus: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    gates = list(corpus.scalars(text("SELECT id FROM gates ORDER BY id LIMIT 2")))
    assert narrow_gates.reach(corpus, gates).are_few
    assert not narrow_gates.reach(corpus, list(corpus.scalars(text("SELECT id FROM gates")))).are_few
    for question in questions():
        one_by_one = ask(corpus, question, PLAIN, gates).hits
        monkeypatch.setattr(
            search, "reach", lambda *_: narrow_gates.Reach(1.0, is_known=False, are_few=False)
        )
        through_index = ask(corpus, question, PLAIN, gates).hits
        monkeypatch.undo()
        assert [hit.chunk_id for hit in one_by_one] == [hit.chunk_id for hit in through_index]
        assert all(
            hit.score == pytest.approx(other.score)
            for hit, other in zip(one_by_one, through_index, strict=True)
        )


def test_looking_at_the_best_only_finds_what_looking_at_all_does(
    corpus: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    gates = list(corpus.scalars(text("SELECT id FROM gates ORDER BY id LIMIT 20")))
    share = narrow_gates.reach(corpus, gates)
    assert share.is_known and not share.are_few and 0.25 < share.share < 0.45
    few = replace(PLAIN, n_candidates=5)
    for question in questions():
        bounded = ask(corpus, question, few, gates).hits
        monkeypatch.setattr(search, "_n_looked", lambda *_, **__: None)
        whole = ask(corpus, question, few, gates).hits
        monkeypatch.undo()
        assert [hit.chunk_id for hit in bounded] == [hit.chunk_id for hit in whole]


def test_without_statistics_nobody_is_taken_for_few(db_session: Session) -> None:
    assert narrow_gates.reach(db_session, [1, 2]) == narrow_gates.Reach(1.0, is_known=False, are_few=False)


@given(word=st.text("abcé", min_size=4, max_size=7), other=st.text("abcé", min_size=3, max_size=8))
def test_one_edit_away_is_what_the_distance_says(word: str, other: str) -> None:
    is_near = edit_distance(word, other, 1) == 1 and word[0] == other[0]
    assert (other in one_edit_away(word)) == is_near
