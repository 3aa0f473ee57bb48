"""From a file to a page: a meeting is transcribed, searchable, drafted and published; every step twice is once."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from sqlalchemy import text

from core import jobs
from core.access import set_gate
from core.tables.documents import Source
from core.tables.people import Membership
from tests.workers.confluence_site import SERVICE_EMAIL, SERVICE_TOKEN, StandIn
from tests.workers.recordings.conftest import MEETINGS, Studio
from workers import people, periodic, questions
from workers.recordings import open_closed_recordings

TABLES = {
    "recordings": "SELECT * FROM recordings",
    "segments": "SELECT * FROM segments ORDER BY position",
    "documents": "SELECT id, content_hash, indexed_hash, gate_ids FROM documents",
    "chunks": "SELECT id, text, start_s FROM chunks ORDER BY id",
    "embeddings": "SELECT chunk_id, vector::text FROM embeddings ORDER BY chunk_id",
    "minutes": "SELECT id, version, state, lines, page_id, page_version, published_storage FROM minutes",
}


@pytest.fixture
def office(make_studio: Callable[..., Studio], site: StandIn) -> Studio:
    studio = make_studio(
        confluence_url=site.url + "/wiki",
        confluence_username=SERVICE_EMAIL,
        confluence_api_token=SERVICE_TOKEN,
        confluence_minutes_space="MTG",
        imp_minutes_policy="auto",
    )
    with studio.context.factory.begin() as session:
        source = Source(name="site", kind="confluence")
        session.add(source)
        session.flush()
        set_gate(session, source.id, "space:MTG", ["group:staff"])
    return studio


def _state(studio: Studio) -> dict[str, list[Any]]:
    return {name: [tuple(row) for row in studio.rows(query)] for name, query in TABLES.items()}


def _whole_road(studio: Studio) -> dict[str, Any]:
    for kind in ("transcribe_recording", "index_document", "draft_minutes"):
        studio.run(kind)
    return studio.run("publish_minutes")


def test_from_a_file_to_a_page(office: Studio) -> None:
    office.add(
        MEETINGS / "launch-review.ogg", title="Launch review", participants=("Carla Reyes", "Ben Okafor")
    )
    outcome = _whole_road(office)
    page = requests.get(outcome["page_url"], auth=(SERVICE_EMAIL, SERVICE_TOKEN), timeout=10)
    assert page.ok
    for words in ("January twenty-sixth", "eighty-nine euros", "load test", "gateway"):
        assert words in page.text
    [minutes] = office.rows("SELECT state, lines FROM minutes")
    assert minutes.state == "published"
    n_utterances = office.rows("SELECT count(*) AS n FROM segments")[0].n
    for line in minutes.lines:
        assert line["evidence"], line["text"]
        assert all(0 <= first <= last < n_utterances for first, last, *_ in line["evidence"])


def test_the_whole_road_twice_leaves_the_same_rows(office: Studio) -> None:
    recording_id = office.add(MEETINGS / "launch-review.ogg", title="Launch review")
    first_page = _whole_road(office)
    before = _state(office)
    assert before["chunks"]
    assert before["embeddings"]
    with office.context.factory.begin() as session:
        jobs.enqueue(session, "transcribe_recording", str(recording_id), recording_id=recording_id)
    assert _whole_road(office) == first_page
    assert _state(office) == before


def test_what_was_said_is_found_at_its_second_by_those_who_may(office: Studio) -> None:
    recording_id = office.add(MEETINGS / "launch-review.ogg", title="Launch review")
    office.run("transcribe_recording")
    office.run("index_document")
    ann, eve = _person(office, "ann", "staff"), _person(office, "eve")
    told, refused = _ask(office, ann), _ask(office, eve)
    assert told.outcome == "answered"
    assert "eighty-nine" in told.text
    [citation] = told.citations
    assert citation.start_s is not None
    assert f"/recordings/{recording_id}?t={int(citation.start_s)}" in citation.url
    assert refused.outcome == "nothing_found"
    assert "eighty-nine" not in repr(refused)


def _ask(studio: Studio, person_id: int) -> Any:
    with studio.context.factory.begin() as session:
        question_id = questions.write_down(
            session, "How many euros does Beacon Mini cost?", person_id=person_id, place={}, max_chars=200
        )
    return questions.answer(studio.context, question_id, audience=[person_id])


def _person(studio: Studio, name: str, *groups: str) -> int:
    with studio.context.factory.begin() as session:
        person_id = people.ensure_person(session, name=name, email=f"{name}@example.org")
        people.link(session, person_id, "confluence", f"acc-{name}", by="test")
        account_id = session.execute(text("SELECT max(id) FROM identities")).scalar_one()
        session.add_all(Membership(identity_id=account_id, group_name=group) for group in groups)
    return person_id


def test_a_recording_that_came_before_its_space_is_opened_later(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(confluence_minutes_space="MTG")
    recording_id = studio.add(MEETINGS / "launch-review.ogg")
    studio.run("transcribe_recording")
    assert studio.row(recording_id).gate_ids is None
    with studio.context.factory.begin() as session:
        assert open_closed_recordings(session, studio.context.settings) == 0
        source = Source(name="site", kind="confluence")
        session.add(source)
        session.flush()
        gate = set_gate(session, source.id, "space:MTG", ["group:staff"])
    periodic.refresh_all_gates(studio.context)
    assert studio.row(recording_id).gate_ids == [gate]
    assert studio.rows("SELECT gate_ids FROM documents") == [([gate],)]


def test_one_of_two_spaces_unknown_keeps_it_closed(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(imp_recordings_audience=("space:MTG", "space:SECRET"))
    with studio.context.factory.begin() as session:
        source = Source(name="site", kind="confluence")
        session.add(source)
        session.flush()
        set_gate(session, source.id, "space:MTG", ["anyone"])
    assert studio.row(studio.add(MEETINGS / "launch-review.ogg")).gate_ids is None


def test_named_principals_are_a_door_of_their_own(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(imp_recordings_audience=("group:staff", "user:abc"))
    recording_id = studio.add(MEETINGS / "launch-review.ogg")
    [gate] = studio.rows("SELECT id, principals FROM gates")
    assert studio.row(recording_id).gate_ids == [gate.id]
    assert gate.principals == ["group:staff", "user:abc"]


def test_a_person_who_is_unsure_gets_a_new_version_only_for_new_words(office: Studio) -> None:
    recording_id = office.add(MEETINGS / "launch-review.ogg", title="Launch review")
    _whole_road(office)
    office.again("draft_minutes", recording_id)
    assert [row.version for row in office.rows("SELECT version FROM minutes")] == [1]
    with office.context.factory.begin() as session:
        session.execute(
            text("UPDATE segments SET text = 'We decided to paint the office green.' WHERE position = 2")
        )
    office.again("draft_minutes", recording_id)
    assert [row.version for row in office.rows("SELECT version FROM minutes ORDER BY version")] == [1, 2]
