"""`POST /v1/ask`: answered from what the token's person may open, and from nothing else."""

import hashlib

import pytest
from fastapi.testclient import TestClient

from core.tables.documents import Document, Source
from rag import store
from rag.chunking import chunk_markdown
from tests.app.conftest import House

PAGES = {
    "Travel": "The hotel limit in Berlin is 140 euros a night. Breakfast is paid on top.",
    "Salaries": "The salary band of level five starts at 81,000 euros a year.",
}


@pytest.fixture
def wiki(house: House) -> House:
    doors = {
        "Travel": house.gate("space:HB", "group:staff"),
        "Salaries": house.gate("page:7", "group:people-team"),
    }
    embedder = house.context.embedder
    with house.context.factory.begin() as session:
        source_id = session.query(Source).filter_by(name="site").one().id
        for title, markdown in PAGES.items():
            row = Document(
                source_id=source_id, external_id=title, kind="page", title=title, url=f"https://wiki.example/{title}",
                markdown=markdown, content_hash=hashlib.sha256(markdown.encode()).hexdigest(), language="english",
                gate_ids=[doors[title]], space_key="HB", status="current",
            )  # fmt: skip
            session.add(row)
            session.flush()
            model_id = store.register_model(session, embedder)
            passages = chunk_markdown(title, markdown, count_tokens=embedder.count_tokens, space="HB")
            changed = store.index_document(session, row.id, passages, model_id=model_id)
            vectors = embedder.embed_passages([one.embedded_text for one in changed.to_embed])
            store.store_embeddings(session, model_id, [one.chunk_id for one in changed.to_embed], vectors)
            store.mark_indexed(session, row.id, row.content_hash)
    return house


def test_an_answer_cites_its_page(client: TestClient, wiki: House) -> None:
    emma = wiki.person("emma", "staff")
    reply = client.post(
        "/v1/ask", json={"question": "What is the hotel limit in Berlin?"}, headers=emma.headers
    )
    assert reply.status_code == 200, reply.text
    said = reply.json()
    assert said["outcome"] == "answered"
    assert "140" in said["answer"]
    assert [one["title"] for one in said["citations"]] == ["Travel"]
    assert said["citations"][0]["url"].startswith("https://wiki.example/Travel")
    assert said["trace"] is None
    [row] = wiki.rows("SELECT person_id, outcome FROM questions")
    assert (row.person_id, row.outcome) == (emma.id, "answered")


def test_the_same_question_tells_somebody_else_nothing(client: TestClient, wiki: House) -> None:
    question = {"question": "Where does the salary band of level five start?", "explain": True}
    emma, ben = wiki.person("emma", "people-team"), wiki.person("ben", "staff")
    allowed = client.post("/v1/ask", json=question, headers=emma.headers).json()
    assert allowed["outcome"] == "answered"
    assert "81,000" in allowed["answer"]
    refused = client.post("/v1/ask", json=question, headers=ben.headers)
    assert refused.json()["outcome"] != "answered"
    assert "81,000" not in refused.text
    assert "Salaries" not in refused.text


def test_a_question_before_anything_is_indexed(client: TestClient, house: House) -> None:
    said = client.post(
        "/v1/ask", json={"question": "Anybody there?"}, headers=house.person("ann").headers
    ).json()
    assert said["outcome"] == "nothing_found"
    assert "Nothing is searchable yet" in said["answer"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"question": " \x00 "}, 400),
        ({"question": "x" * 3_000}, 400),
        ({"question": ""}, 422),
        ({"question": "ok", "extra": 1}, 422),
        ({"question": ["list"]}, 422),
    ],
)
def test_bad_questions_are_refused(client: TestClient, house: House, body: object, status: int) -> None:
    assert client.post("/v1/ask", json=body, headers=house.person("ann").headers).status_code == status


@pytest.mark.parametrize(
    "raw",
    [
        b'{"question": NaN}',
        b'{"question": "\\ud800"}',
        b'{"question": 1e999}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"",
    ],
)
def test_what_is_no_json_is_refused_not_a_crash(client: TestClient, house: House, raw: bytes) -> None:
    headers = {**house.person("ann").headers, "Content-Type": "application/json"}
    assert client.post("/v1/ask", content=raw, headers=headers).status_code in (200, 400, 422)


def test_a_body_of_megabytes_is_refused(client: TestClient, house: House) -> None:
    reply = client.post("/v1/ask", content=b" " * 2_000_000, headers=house.person("ann").headers)
    assert reply.status_code == 413
