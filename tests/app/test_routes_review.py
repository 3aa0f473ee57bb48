"""Minutes reviewed in the browser: shown beside the sound, edited, approved, discarded; only by our own page."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.auth import COOKIE
from app.form_marks import HEADER
from core.minutes import Evidence, MinutesDraft, MinutesLine
from core.tables.meetings import Minutes, Segment
from tests.app.conftest import House, Somebody
from workers.minutes import draft_of, save_draft

LINES = (
    MinutesLine("decision", "Launch <b>Friday</b></script>.", (Evidence(0, 0, 61.0, 65.0),), 0.5, is_flagged=True),
    MinutesLine("action", "Ben will call.", (Evidence(1, 1, 70.0, 75.0),), 1.0, "Ben"),
)  # fmt: skip


class Page:
    """A signed-in browser on the page of one recording."""

    def __init__(self, client: TestClient, house: House, who: Somebody, recording_id: int) -> None:
        client.cookies.set(COOKIE, who.token)
        self.client, self.house, self.url = client, house, f"/recordings/{recording_id}"
        self.html = client.get(self.url).text
        self.mark = self.html.partition('data-form="')[2].partition('"')[0]

    def send(self, method: str, path: str, body: Any = None, mark: str | None = None) -> Any:
        given = {HEADER: self.mark if mark is None else mark}
        return self.client.request(method, self.url + path, json=body, headers=given)

    def newest(self) -> Minutes:
        with self.house.context.factory() as session:
            return session.query(Minutes).order_by(Minutes.id.desc()).limit(1).one()


@pytest.fixture
def drafted(house: House) -> tuple[int, int]:
    """Ids of a recording for staff and of its draft."""
    recording_id = house.recording(gate_ids=[house.gate("space:MTG", "group:staff")])
    with house.context.factory.begin() as session:
        for position, speaker in enumerate(["Speaker 1", "Ben"]):
            session.add(Segment(recording_id=recording_id, position=position, start_s=60.0 + 10 * position,
                                end_s=66.0 + 10 * position, speaker=speaker, text="Launch Friday."))  # fmt: skip
        return recording_id, save_draft(session, recording_id, MinutesDraft(LINES, "test"))


@pytest.fixture
def page(client: TestClient, house: House, drafted: tuple[int, int]) -> Page:
    return Page(client, house, house.person("ann", "staff"), drafted[0])


def test_lines_stand_beside_the_sound(page: Page) -> None:
    assert 'data-start="61.0"' in page.html and ">1:01</button>" in page.html
    assert "please check · 50 % supported" in page.html
    assert "Launch &lt;b&gt;Friday&lt;/b&gt;&lt;/script&gt;." in page.html and "<b>Friday" not in page.html
    assert 'id="approve"' in page.html


def test_lines_are_edited(page: Page, drafted: tuple[int, int]) -> None:
    lines = [
        {"section": "decision", "text": "Launch on Friday.", "before": 0},
        {"section": "action", "text": "Ben will call.", "before": 1, "owner": "Ben"},
        {"section": "question", "text": "Who pays?"},
    ]
    reply = page.send("PUT", f"/minutes/{drafted[1]}/lines", {"lines": lines})
    assert reply.status_code == 200, reply.text
    row = page.newest()
    assert reply.json() == {"minutes_id": row.id} and row.version == 2 and row.edited_by is not None
    changed, same, added = draft_of(row).lines
    assert (changed.text, changed.evidence, changed.is_edited) == (
        "Launch on Friday.",
        LINES[0].evidence,
        True,
    )
    assert same == LINES[1]
    assert (added.evidence, added.is_edited) == ((), True)
    stale = page.send("PUT", f"/minutes/{drafted[1]}/lines", {"lines": lines})
    assert stale.status_code == 409 and "meanwhile" in stale.json()["detail"]
    again = page.client.get(page.url).text
    assert "edited by a person" in again and "Version 2" in again


def test_a_draft_is_approved(page: Page, drafted: tuple[int, int]) -> None:
    assert page.send("POST", f"/minutes/{drafted[1]}/approve").json() == {"state": "approved"}
    assert page.house.rows("SELECT 1 FROM jobs WHERE kind = 'publish_minutes'")
    assert 'id="approve"' not in page.client.get(page.url).text
    assert page.send("POST", f"/minutes/{drafted[1]}/discard").status_code == 409


def test_a_draft_is_discarded(page: Page, drafted: tuple[int, int]) -> None:
    assert page.send("POST", f"/minutes/{drafted[1]}/discard").json() == {"state": "discarded"}
    assert (page.newest().state, page.newest().reviewed_by is None) == ("discarded", False)


def test_speakers_are_named(page: Page) -> None:
    assert page.send("PUT", "/speakers", {"names": {"Speaker 1": "Ada"}}).json() == {"n_renamed": 1}
    assert "<b>Ada</b>" in page.client.get(page.url).text
    assert page.send("PUT", "/speakers", {"names": {"Nobody": "Ada"}}).status_code == 404


@pytest.mark.parametrize("mark", ["", "0" * 64, "é"])
def test_another_sites_form_changes_nothing(page: Page, drafted: tuple[int, int], mark: str) -> None:
    for method, path in (
        ("POST", f"/minutes/{drafted[1]}/approve"), ("POST", f"/minutes/{drafted[1]}/discard"),
        ("PUT", f"/minutes/{drafted[1]}/lines"), ("PUT", "/speakers"),
    ):  # fmt: skip
        body = (
            {"lines": [{"section": "summary", "text": "Forged."}]}
            if path.endswith("lines")
            else {"names": {}}
        )
        sent = page.client.request(
            method, page.url + path, json=body, headers=[(HEADER.encode(), mark.encode())]  # type: ignore[arg-type]
        )  # fmt: skip
        assert sent.status_code == 403
    assert page.newest().state == "draft"


def test_somebody_elses_mark_is_no_mark(page: Page, drafted: tuple[int, int]) -> None:
    mark = page.mark
    other = Page(page.client, page.house, page.house.person("bob", "staff"), drafted[0])
    assert other.send("POST", f"/minutes/{drafted[1]}/approve", mark=mark).status_code == 403


def test_who_may_not_open_it_changes_nothing(
    client: TestClient, house: House, drafted: tuple[int, int]
) -> None:
    recording_id, minutes_id = drafted
    for who in (house.person("hugo"), house.person("boss", is_admin=True)):
        for method, path, body in (
            ("POST", f"minutes/{minutes_id}/approve", None), ("POST", f"minutes/{minutes_id}/discard", None),
            ("PUT", "speakers", {"names": {"Speaker 1": "X"}}),
            ("PUT", f"minutes/{minutes_id}/lines", {"lines": [{"section": "summary", "text": "X"}]}),
        ):  # fmt: skip
            sent = client.request(
                method, f"/recordings/{recording_id}/{path}", json=body, headers=who.headers
            )
            assert sent.status_code == 404
    assert house.rows("SELECT state FROM minutes")[0].state == "draft"


def test_minutes_of_another_recording_are_not_reached(page: Page, drafted: tuple[int, int]) -> None:
    closed = page.house.recording(b"closed", gate_ids=[page.house.gate("space:X", "group:board")])
    with page.house.context.factory.begin() as session:
        minutes_id = save_draft(session, closed, MinutesDraft(LINES, "test"))
    assert page.send("POST", f"/minutes/{minutes_id}/approve").status_code == 404


@pytest.mark.parametrize(
    "line",
    [
        {"section": "gossip", "text": "x"},
        {"section": "summary", "text": "x" * 2_001},
        {"section": "summary", "text": "x", "due": "tomorrow"},
        {"section": "summary", "text": "x", "before": -1},
        {"section": "summary", "text": "x", "support": 1},
    ],
)
def test_what_is_no_line(page: Page, drafted: tuple[int, int], line: dict[str, Any]) -> None:
    assert page.send("PUT", f"/minutes/{drafted[1]}/lines", {"lines": [line]}).status_code == 422
