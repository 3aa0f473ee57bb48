"""What people do to a page of minutes comes back: ticks as the state of action items, their own lines as evidence."""

from collections.abc import Callable

import pytest

from core.tables.people import Account, Person
from tests.workers.confluence_site import SERVICE_EMAIL, SERVICE_TOKEN, StandIn
from tests.workers.recordings.conftest import Studio
from tests.workers.recordings.test_publish_minutes import ACTION, DECISION, Press
from workers.action_items import open_actions
from workers.confluence_pages import enqueue_page
from workers.sources import ensure_confluence_source

BEN = "5f2be00b0c4d5e6f70819202"


@pytest.fixture
def press(make_studio: Callable[..., Studio], site: StandIn) -> Press:
    studio = make_studio(
        confluence_url=site.url + "/wiki", confluence_username=SERVICE_EMAIL, confluence_api_token=SERVICE_TOKEN,
        confluence_minutes_space="MTG", confluence_minutes_parent="Meeting minutes", imp_recordings_audience="anyone",
    )  # fmt: skip
    press = Press(studio.context)
    press.ready(site)
    with press.context.factory.begin() as session:
        person = Person(name="Ben Okafor")
        session.add(person)
        session.flush()
        session.add(Account(provider="confluence", external_id=BEN, name="Ben Okafor", person_id=person.id))
    return press


def read_page(press: Press, page_id: str) -> None:
    with press.context.factory.begin() as session:
        source_id = ensure_confluence_source(session, press.context.settings)
        assert source_id is not None
        enqueue_page(session, source_id, page_id)
    press.run("sync_page")


def to_do(press: Press) -> list[str]:
    with press.context.factory() as session:
        [person] = press.rows("SELECT id FROM people WHERE name = 'Ben Okafor' ORDER BY id LIMIT 1")
        return [one.text for one in open_actions(session, person.id)]


def test_ticks_and_own_lines_come_back(press: Press) -> None:
    press.publish()
    page = press.only_page()
    assert len(to_do(press)) == 1, "published is to be done"
    read_page(press, page["id"])
    [document] = press.rows("SELECT markdown FROM documents WHERE external_id = :id", id=page["id"])
    assert document.markdown == "", "our own lines are no evidence for themselves"
    body = press.body()
    task = "<ac:task><ac:task-id>77</ac:task-id><ac:task-status>incomplete</ac:task-status><ac:task-body>Order cake</ac:task-body></ac:task>"
    edited = body.replace(
        "<ac:task-status>incomplete</ac:task-status>", "<ac:task-status>complete</ac:task-status>", 1
    )
    edited = edited.replace("</ac:task-list>", f"{task}</ac:task-list>", 1)
    press.site.edit(page["id"], body=f"{edited}<p>The banner will be turquoise, adds Carla.</p>")
    read_page(press, page["id"])
    states = press.rows(
        "SELECT text, is_done, done_at IS NOT NULL AS has_time FROM action_items ORDER BY position"
    )
    assert [(row.is_done, row.has_time) for row in states] == [(True, True), (False, False)]
    assert "Order cake" in states[1].text
    assert to_do(press) == []
    [document] = press.rows("SELECT markdown, gate_ids FROM documents WHERE external_id = :id", id=page["id"])
    assert "turquoise" in document.markdown
    assert "Order cake" in document.markdown
    assert ACTION not in document.markdown
    assert DECISION not in document.markdown
    assert document.gate_ids, "it stands behind the doors of its page"


def test_a_page_that_was_closed_shows_nobody_its_tasks(press: Press) -> None:
    press.publish()
    page = press.only_page()
    press.site.act(page["id"], "restrict", principals=["user:5f2a11ce0c4d5e6f70819201"])
    read_page(press, page["id"])
    assert to_do(press) == []
