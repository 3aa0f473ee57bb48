"""Answers that are not written again: confirmed ones and just given ones, behind the same doors."""

from collections.abc import Iterator

import pytest

from core.errors import BadInput, NotFound
from rag.answer import Answer
from rag.verified import Confirmed, confirm, expire_changed, list_verified, withdraw
from tests.journeys.slack.library import LEADS, STAFF
from tests.workers.slack.conftest import Desk
from workers import questions

LUNCH = "When is lunch served in Oslo?"


@pytest.fixture
def people(desk: Desk) -> Iterator[dict[str, int]]:
    desk.rows("DELETE FROM verified_answers")
    yield {row.name.split()[0]: row.id for row in desk.rows("SELECT id, name FROM people")}
    desk.rows("UPDATE documents SET deleted_at = now() WHERE title LIKE 'Lunch%'")
    desk.rows("DELETE FROM verified_answers")


def ask(desk: Desk, text: str, person_id: int | None) -> Answer:
    with desk.context.factory.begin() as session:
        asked = questions.write_down(session, text, person_id=person_id, place={"via": "test"}, max_chars=500)
    return questions.answer(desk.context, asked, audience=[person_id])


def confirmed(
    desk: Desk, found: Answer, author_id: int, text: str = "At noon [1].", question: str = LUNCH
) -> int:
    embedder = desk.context.embedder
    citations = [questions.plain_citation(one) for one in found.citations]
    what = Confirmed(question, text, citations, author_id, "Ada Weber")
    with desk.context.factory.begin() as session:
        return confirm(session, what, embedder=embedder, vector=embedder.embed_query(question))


def test_a_confirmed_answer_comes_first_with_who_and_when(desk: Desk, people: dict[str, int]) -> None:
    desk.library.page("Lunch", "Lunch is served in Oslo at twelve o'clock.", [STAFF])
    first = ask(desk, LUNCH, people["Ben"])
    assert first.outcome == "answered" and "verified" not in first.trace
    served_id = confirmed(desk, first, people["Ada"])
    for question in (LUNCH, "when is lunch served in oslo", "When is lunch in Oslo served?"):
        served = ask(desk, question, people["Ben"])
        assert served.text == "At noon [1]." and served.trace["verified"]["id"] == served_id
        assert served.engine == "verified by Ada Weber" and served.citations[0].title == "Lunch"
    assert "verified" not in ask(desk, "When is lunch served in Bergen?", people["Ben"]).trace
    # The second confirmation of the same takes its place.
    confirmed(desk, first, people["Ada"], "At half past twelve.")
    assert ask(desk, LUNCH, people["Ben"]).text == "At half past twelve."
    assert [row.expired_because for row in desk.rows("SELECT * FROM verified_answers ORDER BY id")] == [
        "replaced", None,
    ]  # fmt: skip


def test_only_who_may_open_every_source_is_given_it(desk: Desk, people: dict[str, int]) -> None:
    desk.library.page("Lunch", "Lunch is served in Oslo at twelve o'clock.", [STAFF])
    first = ask(desk, LUNCH, people["Ben"])
    confirmed(desk, first, people["Ada"])
    for other in (people["Gus"], None):
        found = ask(desk, LUNCH, other)
        assert found.outcome != "answered" and "verified" not in found.trace
    with_many = [people["Ben"], None]
    with desk.context.factory.begin() as session:
        asked = questions.write_down(session, LUNCH, person_id=None, place={}, max_chars=500)
    assert questions.answer(desk.context, asked, audience=with_many).outcome != "answered"


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ("UPDATE documents SET content_hash = 'other' WHERE title = 'Lunch'", "changed"),
        ("UPDATE documents SET deleted_at = now() WHERE title = 'Lunch'", "gone"),
        ("UPDATE documents SET status = 'archived' WHERE title = 'Lunch'", "gone"),
        ("DELETE FROM documents WHERE title = 'Lunch'", "gone"),
    ],
)
def test_it_expires_with_its_sources(desk: Desk, people: dict[str, int], change: str, because: str) -> None:
    desk.library.page("Lunch", "Lunch is served in Oslo at twelve o'clock.", [STAFF])
    confirmed(desk, ask(desk, LUNCH, people["Ben"]), people["Ada"])
    desk.rows(change)
    assert "verified" not in ask(desk, LUNCH, people["Ben"]).trace
    with desk.context.factory.begin() as session:
        expire_changed(session)
    assert desk.rows("SELECT expired_because FROM verified_answers")[0][0] == because


def test_a_closed_source_hides_it_at_once(desk: Desk, people: dict[str, int]) -> None:
    desk.library.page("Lunch", "Lunch is served in Oslo at twelve o'clock.", ["group:cooks", "group:staff"])
    confirmed(desk, ask(desk, LUNCH, people["Ben"]), people["Ada"])
    assert "verified" in ask(desk, LUNCH, people["Ben"]).trace
    desk.rows("UPDATE gates SET principals = '{group:cooks}' WHERE door = 'door:group:cooks+group:staff'")
    assert ask(desk, LUNCH, people["Ben"]).outcome != "answered"


def test_it_is_listed_and_taken_back(desk: Desk, people: dict[str, int]) -> None:
    desk.library.page("Lunch", "Lunch is served in Oslo at twelve o'clock.", [STAFF])
    kept = confirmed(desk, ask(desk, LUNCH, people["Ben"]), people["Ada"])
    ask(desk, LUNCH, people["Ben"])
    with desk.context.factory.begin() as session:
        [row] = list_verified(session)
        assert (row["id"], row["author"], row["state"], row["n_served"]) == (kept, "Ada Weber", "served", 1)
        withdraw(session, kept)
        assert list_verified(session) == []
        assert [one["state"] for one in list_verified(session, every=True)] == ["withdrawn"]
        with pytest.raises(NotFound):
            withdraw(session, kept)
    assert "verified" not in ask(desk, LUNCH, people["Ben"]).trace


def test_what_rests_on_nothing_is_refused(desk: Desk, people: dict[str, int]) -> None:
    desk.library.page("Lunch", "Lunch is served in Oslo at twelve o'clock.", [STAFF])
    found = ask(desk, LUNCH, people["Ben"])
    with pytest.raises(BadInput, match="characters"):
        confirmed(desk, found, people["Ada"], "  ")
    with pytest.raises(BadInput, match="no source"):
        confirmed(desk, Answer(LUNCH, "answered", "x", (), (), 1.0, "", "x"), people["Ada"], "So it is.")


def test_the_same_question_is_answered_once_while_nothing_changes(desk: Desk, people: dict[str, int]) -> None:
    desk.library.page("Lunch", "Lunch is served in Oslo at twelve o'clock.", [STAFF])
    first = ask(desk, LUNCH, people["Ben"])
    again = ask(desk, "when is LUNCH served in Oslo", people["Ada"])
    assert "reused" not in again.trace  # Ada passes more doors
    again = ask(desk, "when is LUNCH served in Oslo", people["Ben"])
    assert again.trace["reused"] and (again.text, again.citations) == (first.text, first.citations)
    desk.rows("UPDATE documents SET content_hash = 'other', indexed_hash = 'other' WHERE title = 'Lunch'")
    assert "reused" not in ask(desk, LUNCH, people["Ben"]).trace
    ask(desk, LUNCH, people["Ben"])
    desk.library.page("Raise", "All leads get a raise.", [LEADS])
    desk.library.page("Dinner", "Dinner is served at six.", [STAFF])
    read = (
        "INSERT INTO jobs (kind, key, queue, state, finished_at, args) SELECT 'index_document', id, 'gpu', 'done', "
        "now() + interval '1 minute', jsonb_build_object('document_id', id) FROM documents WHERE title = "
    )
    desk.rows(f"{read} 'Raise'")
    assert ask(desk, LUNCH, people["Ben"]).trace["reused"], "what is closed to Ben changes nothing for him"
    desk.rows(f"{read} 'Dinner'")
    assert "reused" not in ask(desk, LUNCH, people["Ben"]).trace
    desk.rows("DELETE FROM jobs")
    desk.rows("UPDATE questions SET feedback = 'down'")
    assert "reused" not in ask(desk, LUNCH, people["Ben"]).trace
