"""The same question before and after a closed page was written: every field of the reply stays as it was.

A page somebody may not open must not show in an answer, nor in a snippet, a title, a count, a score, a correction of
the question's spelling, or the names of the timings. What takes how long is noise in both.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.cli import app
from core.settings import Settings
from core.tables.documents import Document, Source
from rag import store
from rag.chunking import chunk_markdown
from tests.app.conftest import House, Somebody

OPEN = {
    "Travel": "The hotel limit in Berlin is 140 euros a night. Breakfast is paid on top.",
    "Office": "The Berlin office has two floors. The kitchen is on the upper floor.",
    "Expenses": "Expenses are paid within ten days. Keep the receipt of the hotel.",
    "Lantern": "The lantern project ships in May. Its budget is reviewed every month.",
}
CLOSED = {
    "Velmorax acquisition": "The hotel limit for the Velmorax acquisition in Berlin is 900 euros. Ask Brindlewick.",
    "Lantern budget": "The lantern budget is 81,000 euros. Lantern lantern lantern budget budget.",
    "Hotel list": "Hotel, hotel and hotel. Berlin hotels we left after the Velmorax talks.",
}
QUESTIONS = (
    "What is the hotel limit in Berlin?",
    "What is the hotel limit for the Velmorax acquisition?",
    "What is the lantern budget?",
    "Who is Brindlewick?",
    "What about the Velmorex talks?",
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Every question is answered anew, so that there is something to compare."""
    return settings.model_copy(update={"imp_reuse_answers_s": 0})


@pytest.fixture
def write(house: House) -> Callable[[dict[str, str], list[int] | None], None]:
    embedder = house.context.embedder

    def pages(texts: dict[str, str], gate_ids: list[int] | None) -> None:
        with house.context.factory.begin() as session:
            source_id = session.query(Source).filter_by(name="site").one().id
            for title, markdown in texts.items():
                row = Document(
                    source_id=source_id, external_id=title, kind="page", title=title, markdown=markdown,
                    url=f"https://wiki.example/{title}", gate_ids=gate_ids, space_key="HB", language="english",
                    content_hash=hashlib.sha256(markdown.encode()).hexdigest(),
                )  # fmt: skip
                session.add(row)
                session.flush()
                model_id = store.register_model(session, embedder)
                passages = chunk_markdown(title, markdown, count_tokens=embedder.count_tokens, space="HB")
                changed = store.index_document(session, row.id, passages, model_id=model_id)
                vectors = embedder.embed_passages([one.embedded_text for one in changed.to_embed])
                store.store_embeddings(session, model_id, [one.chunk_id for one in changed.to_embed], vectors)

    return pages


def without_noise(reply: dict[str, Any]) -> dict[str, Any]:
    """The reply with the seconds of each stage taken out; which stages there are stays."""
    return {
        **{name: value for name, value in reply.items() if name != "question_id"},
        "timings_s": sorted(reply["timings_s"]),
    }


def by_api(client: TestClient, who: Somebody, question: str) -> dict[str, Any]:
    reply = client.post("/v1/ask", json={"question": question, "explain": True}, headers=who.headers)
    assert reply.status_code == 200, reply.text
    return without_noise(reply.json())


@pytest.mark.parametrize("doors", ["another group", "unknown"])
def test_no_field_of_a_reply_tells_of_a_closed_page(
    client: TestClient, house: House, write: Callable[..., None], doors: str
) -> None:
    staff, leads = house.gate("space:HB", "group:staff"), house.gate("page:7", "group:leads")
    asker, leader = house.person("ben", "staff"), house.person("ada", "staff", "leads")
    write(OPEN, [staff])
    before = {question: by_api(client, asker, question) for question in QUESTIONS}
    write(CLOSED, [staff, leads] if doors == "another group" else None)
    after = {question: by_api(client, asker, question) for question in QUESTIONS}
    for question in QUESTIONS:
        assert after[question] == before[question], question
    if doors == "another group":
        told = by_api(client, leader, "What is the hotel limit for the Velmorax acquisition?")
        assert "900" in told["answer"], "the closed page can be found by who may open it"


def test_the_terminal_tells_no_more(
    client: TestClient, house: House, write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.session.open_context", lambda: house.context)
    staff, leads = house.gate("space:HB", "group:staff"), house.gate("page:7", "group:leads")
    house.person("ben", "staff")
    write(OPEN, [staff])

    def by_terminal(question: str) -> dict[str, Any]:
        ended = CliRunner().invoke(app, ["ask", question, "--as", "ben@example.org", "--json", "--explain"])
        return without_noise(json.loads(ended.stdout))

    before = {question: by_terminal(question) for question in QUESTIONS}
    write(CLOSED, [staff, leads])
    assert {question: by_terminal(question) for question in QUESTIONS} == before
