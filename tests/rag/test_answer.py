"""From a question to an answer with citations, or to an honest refusal."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from core.errors import NotConfigured
from core.tables.documents import Document
from core.transcript import Utterance
from rag.answer import Answer, answer_question, citation_url
from rag.chunking_speech import chunk_speech
from rag.embedding import HashedWordsEmbedder
from rag.evidence import Evidence
from rag.extractive import Extractive
from rag.generation import GeneratedAnswer, GeneratedSentence
from rag.store import index_document, store_embeddings
from tests.rag.conftest import EMBEDDER
from tests.rag.factories import make_hit

MakeDocument = Callable[..., Document]
Ask = Callable[..., Answer]


class Scripted:
    """A generator that says what the test tells it, as a model might."""

    name = "scripted"
    budget_tokens = 1_000

    def __init__(self, *sentences: tuple[str, tuple[int, ...]]) -> None:
        self._sentences = tuple(GeneratedSentence(text, cited) for text, cited in sentences)

    def answer(self, question: str, evidence: Sequence[Evidence]) -> GeneratedAnswer:
        return GeneratedAnswer(self._sentences, self.name)


@pytest.fixture
def ask(session_factory: sessionmaker[Session], model_id: int, db_session: Session) -> Ask:
    def run(question: str, **options: Any) -> Answer:
        db_session.commit()
        values = {"passed_gates": [1], "embedder": EMBEDDER, "generator": Extractive(EMBEDDER), **options}
        return answer_question(session_factory, question, **values)

    return run


BACKUP = "# Backups\n\n## Schedule\n\nThe database backup runs every night at two. It is kept for 30 days."


def test_answer_cites_the_page_at_its_heading(ask: Ask, make_document: MakeDocument) -> None:
    make_document("Operations", BACKUP)
    make_document("Lunch", "Soup is served at noon.")
    answer = ask("When does the database backup run?")
    assert answer.outcome == "answered"
    assert "The database backup runs every night at two. [1]" in answer.text
    citation = answer.citations[0]
    assert (citation.number, citation.title, citation.space_key) == (1, "Operations", "ENG")
    assert citation.url == "https://wiki.example/Operations#Schedule"
    assert set(answer.timings_s) == {"understand", "search", "generate", "check", "cite"}
    assert answer.trace["candidates"][0]["is_evidence"] is True


def test_recording_is_cited_at_its_second(
    ask: Ask, make_document: MakeDocument, db_session: Session, model_id: int
) -> None:
    row = make_document("Weekly", "", kind="transcript", url="http://127.0.0.1:8080/recordings/7")
    turns = [
        Utterance(60.0 * n, 60.0 * n + 50, f"Filler talk number {n} about nothing much.", "Bob")
        for n in range(9)
    ]
    turns.append(Utterance(754.6, 760.0, "We will ship the new parser on Friday.", "Ann"))
    passages = chunk_speech("Weekly", turns, count_tokens=EMBEDDER.count_tokens, max_tokens=20, overlap=0)
    todo = index_document(db_session, row.id, passages, model_id=model_id).to_embed
    vectors = EMBEDDER.embed_passages([chunk.embedded_text for chunk in todo])
    store_embeddings(db_session, model_id, [chunk.chunk_id for chunk in todo], vectors)
    answer = ask("When do we ship the new parser?")
    assert answer.sentences[0].text == "Ann: We will ship the new parser on Friday."
    number = answer.sentences[0].citations[0]
    assert answer.citations[number - 1].url.startswith("http://127.0.0.1:8080/recordings/7?t=")
    assert "parser" in answer.citations[number - 1].quote


def test_closed_page_is_not_answered_from(ask: Ask, make_document: MakeDocument) -> None:
    make_document("Secret", BACKUP, gate_ids=[1, 2])
    answer = ask("When does the database backup run?")
    assert (answer.outcome, answer.sentences, answer.citations) == ("nothing_found", (), ())
    assert "Secret" not in str(answer)


def test_question_without_an_answer_is_refused(ask: Ask, make_document: MakeDocument) -> None:
    make_document("Operations", BACKUP)
    answer = ask("Who won the football championship in Brazil?")
    assert answer.outcome in {"low_confidence", "nothing_found"}
    assert answer.sentences == ()
    assert answer.reason


def test_invented_sentence_is_dropped_and_traced(ask: Ask, make_document: MakeDocument) -> None:
    make_document("Operations", BACKUP)
    generator = Scripted(
        ("The database backup runs every night at two.", (1,)),
        ("The database backup is kept for 90 days.", (1,)),
        ("It was written by Napoleon.", (8,)),
    )
    answer = ask("When does the database backup run?", generator=generator)
    assert [sentence.text for sentence in answer.sentences] == [
        "The database backup runs every night at two."
    ]
    assert [drop["text"] for drop in answer.trace["dropped"]] == [
        "The database backup is kept for 90 days.",
        "It was written by Napoleon.",
    ]


def test_nothing_supported_is_no_answer(ask: Ask, make_document: MakeDocument) -> None:
    make_document("Operations", BACKUP)
    answer = ask("When does the database backup run?", generator=Scripted(("It costs 99 euros.", (1,))))
    assert answer.outcome == "unsupported"
    assert "99" not in answer.text
    assert ask("When does the database backup run?", generator=Scripted()).outcome == "low_confidence"


def test_other_embedder_is_named_not_guessed(ask: Ask, make_document: MakeDocument) -> None:
    make_document("Operations", BACKUP)
    other = HashedWordsEmbedder()
    other.revision = "2"
    with pytest.raises(NotConfigured, match="hashed-words 2"):
        ask("When?", embedder=other)


@pytest.mark.parametrize("question", ["", "\x00", "what the of", "'; DROP TABLE documents; --", "x" * 40_000])
def test_hostile_questions_get_a_refusal(ask: Ask, make_document: MakeDocument, question: str) -> None:
    make_document("Operations", BACKUP)
    assert ask(question).outcome != "answered"


@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({"url": "https://w/p?x=1#old", "anchor": "New"}, "https://w/p?x=1#New"),
        ({"url": "https://w/p#old"}, "https://w/p#old"),
        ({"url": "https://w/r/1", "start_s": 61.9}, "https://w/r/1?t=61"),
        ({"url": "https://w/r?id=1", "start_s": 0.0}, "https://w/r?id=1&t=0"),
    ],
)
def test_citation_url(values: dict[str, Any], url: str) -> None:
    hit = make_hit(**values)
    assert citation_url(hit, hit.start_s) == url


def test_sources_that_contradict_each_other_are_both_shown_with_their_day(
    ask: Ask, make_document: MakeDocument
) -> None:
    make_document("Falcon rollout plan", "The Falcon rollout starts on 3 September 2030.")
    make_document("Falcon rollout review", "The Falcon rollout starts on 10 September 2030.")
    answer = ask("When does the Falcon rollout start?")
    assert answer.text.startswith("Sources differ, the newest first:")
    assert "3 September 2030. [" in answer.text and "10 September 2030. [" in answer.text
    assert answer.text.count("(2024-05-01)") == 2
    assert len(answer.conflict) == 2 and answer.span == ""


def test_the_thing_asked_for_leads_and_stands_in_the_sentence(ask: Ask, make_document: MakeDocument) -> None:
    make_document("Falcon rollout plan", "The Falcon rollout starts on 3 September 2030.")
    answer = ask("When does the Falcon rollout start?")
    assert answer.span == "3 September 2030"
    assert answer.text == "3 September 2030 – The Falcon rollout starts on 3 September 2030. [1]"
    assert answer.conflict == ()
