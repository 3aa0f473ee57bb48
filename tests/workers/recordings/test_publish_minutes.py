"""One recording, one page: whatever dies, whoever is quicker, and whatever people do to the page meanwhile."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests

from connectors.confluence import publishing
from core.errors import Conflict, ImpError, NotConfigured, NotFound, TryAgain
from core.minutes import Evidence, MinutesDraft, MinutesLine
from core.tables.meetings import Recording
from core.transcript import Transcript, Utterance
from tests.workers.confluence_site import SERVICE_EMAIL, SERVICE_TOKEN, StandIn
from tests.workers.recordings.conftest import Studio
from workers import minutes, publish_minutes, recordings
from workers.intake import NewRecording, take_in
from workers.minutes_places import choose_place

PARENT = "240001"
ACTION = "Ben will run the load test."
DECISION = "We launch on January twenty-sixth."
TITLE = "Minutes: Launch review"


def line(section: Any, text: str, **more: Any) -> MinutesLine:
    return MinutesLine(section, text, (Evidence(0, 0, 1.0, 4.0),), 1.0, **more)


def draft(*texts: str, decision: str = DECISION) -> MinutesDraft:
    lines = [
        line("decision", decision),
        *(line("action", text, owner="Ben Okafor") for text in texts or (ACTION,)),
    ]
    return MinutesDraft(tuple(lines), "extractive")


class Press(Studio):
    """A worker with one transcribed recording, and a look at the pages of its space."""

    site: StandIn
    recording_id: int

    def ready(self, site: StandIn, content: bytes = b"sound") -> None:
        self.site = site
        stored = self.context.blobs.put([content], suffix=".wav", max_bytes=100)
        spoken = (Utterance(1.0, 4.0, DECISION, "Carla Reyes"), Utterance(5.0, 8.0, ACTION, "Ben Okafor"))
        with self.context.factory.begin() as session:
            self.recording_id, _ = take_in(
                session, self.context.settings, NewRecording(stored, "launch.wav", "Launch review")
            )
            recordings.finish(
                session, self.context.settings, self.recording_id, Transcript(spoken, "x", "en", 10.0)
            )

    def approve(self, written: MinutesDraft | None = None) -> int:
        with self.context.factory.begin() as session:
            minutes_id = minutes.save_draft(session, self.recording_id, written or draft())
            minutes.approve(session, minutes_id)
        return minutes_id

    def publish(self, written: MinutesDraft | None = None) -> dict[str, Any]:
        self.approve(written)
        return self.run("publish_minutes")

    def api(self, path: str, **params: Any) -> Any:
        url = f"{self.site.url}/wiki/rest/api/content{path}"
        found = requests.get(url, params=params, auth=(SERVICE_EMAIL, SERVICE_TOKEN), timeout=10)
        assert found.ok, found.text
        return found.json()

    def pages(self) -> list[dict[str, Any]]:
        """Current pages that carry the property of this recording, in any space."""
        expand = f"version,body.storage,ancestors,metadata.labels,metadata.properties.{publishing.RECORDING_PROPERTY}"
        found = self.api("", type="page", limit=200, expand=expand)["results"]
        with self.context.factory() as session:
            sha256 = session.get_one(Recording, self.recording_id).sha256
        return [page for page in found if publishing._is_of(page, sha256)]

    def only_page(self) -> dict[str, Any]:
        [page] = self.pages()
        return page

    def body(self) -> str:
        return str(self.only_page()["body"]["storage"]["value"])

    def comments(self) -> list[str]:
        listed = self.api(f"/{self.only_page()['id']}/child/comment", expand="body.storage")["results"]
        return [str(one["body"]["storage"]["value"]) for one in listed]


@pytest.fixture
def press(make_studio: Callable[..., Studio], site: StandIn) -> Press:
    studio = make_studio(
        confluence_url=site.url + "/wiki",
        confluence_username=SERVICE_EMAIL,
        confluence_api_token=SERVICE_TOKEN,
        confluence_minutes_space="MTG",
        confluence_minutes_parent="Meeting minutes",
    )
    press = Press(studio.context)
    press.ready(site)
    return press


def test_a_page_with_marks_at_its_place(press: Press) -> None:
    outcome = press.publish()
    page = press.only_page()
    assert page["title"] == TITLE
    assert page["ancestors"][-1]["id"] == PARENT
    names = {one["name"] for one in page["metadata"]["labels"]["results"]}
    assert publishing.LABEL in names
    assert outcome["page_id"] == page["id"]
    assert requests.get(outcome["page_url"], auth=(SERVICE_EMAIL, SERVICE_TOKEN), timeout=10).ok
    assert DECISION in press.body()
    [row] = press.rows("SELECT state, page_id, page_version, page_url FROM minutes")
    assert tuple(row) == ("published", page["id"], page["version"]["number"], outcome["page_url"])


def test_publishing_twice_writes_nothing_new(press: Press) -> None:
    press.publish()
    before = press.only_page()
    [row] = press.rows("SELECT id FROM minutes")
    with press.context.factory.begin() as session:
        minutes.publish_again(session, row.id)
    press.run("publish_minutes")
    assert press.only_page() == before


def test_a_newer_draft_updates_the_same_page(press: Press) -> None:
    first = press.publish()
    second = press.publish(draft(ACTION, "Frank will send the price list."))
    assert second["page_id"] == first["page_id"]
    assert second["page_version"] == first["page_version"] + 1
    assert "price list" in press.body()
    assert [tuple(row) for row in press.rows("SELECT version, state FROM minutes ORDER BY version")] == [
        (1, "superseded"), (2, "published"),
    ]  # fmt: skip


class _Killed(BaseException):
    """Stands for SIGKILL."""


def test_a_crash_between_create_and_record(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    create = publishing.create

    def dying(*arguments: Any) -> Any:
        create(*arguments)
        raise _Killed

    monkeypatch.setattr(publishing, "create", dying)
    press.approve()
    job = press.claim(press.waiting("publish_minutes"))
    with pytest.raises(_Killed):
        press.run_claimed(job)
    monkeypatch.undo()
    made = press.only_page()
    assert press.rows("SELECT page_id FROM minutes") == [(None,)]
    again = press.claim(job.claimed.id, stale_s=-3600)
    assert press.run_claimed(again)["page_id"] == made["id"]
    assert press.only_page()["version"]["number"] == 1


def test_people_edit_between_a_crash_and_the_next_try(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    create = publishing.create

    def dying(*arguments: Any) -> Any:
        page = create(*arguments)
        press.site.edit(page.id, body=page.storage.replace(DECISION, "We launch in March, says Carla."))
        raise _Killed

    monkeypatch.setattr(publishing, "create", dying)
    press.approve()
    job = press.claim(press.waiting("publish_minutes"))
    with pytest.raises(_Killed):
        press.run_claimed(job)
    monkeypatch.undo()
    press.run_claimed(press.claim(job.claimed.id, stale_s=-3600))
    assert "We launch in March" in press.body()
    assert press.only_page()["version"]["number"] == 2


def test_a_crash_while_the_marks_are_set(press: Press) -> None:
    press.site.faults(
        {"kind": "error", "status": 503, "path": "/content/[0-9]+/(label|property)", "method": "POST"}
    )
    press.approve()
    job = press.claim(press.waiting("publish_minutes"))
    with pytest.raises(TryAgain):
        press.run_claimed(job)
    press.site.faults()
    with press.context.factory.begin() as session:
        from core import jobs

        jobs.retry(session, job.claimed.id)
    press.run("publish_minutes")
    press.only_page()
    assert (
        len(
            [
                page
                for page in press.api("", type="page", limit=200)["results"]
                if page["title"].startswith(TITLE)
            ]
        )
        == 1
    )


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "cut"}, {"kind": "malformed_json"}, {"kind": "error", "status": 500}, {"kind": "error", "status": 502},
        {"kind": "rate_limit", "seconds": 0}, {"kind": "rate_limit", "retry_after": "missing"}, {"kind": "login_page"},
    ],
    ids=lambda fault: fault["kind"] + str(fault.get("status", "")),
)  # fmt: skip
def test_a_fault_at_creation_still_gives_one_page(press: Press, fault: dict[str, Any]) -> None:
    press.site.faults(
        {**fault, "method": "POST", "path": "/rest/api/content$|/rest/api/content\\?", "count": 1}
    )
    press.approve()
    job = press.claim(press.waiting("publish_minutes"))
    with pytest.raises(ImpError):
        press.run_claimed(job)
    with press.context.factory.begin() as session:
        from core import jobs

        jobs.retry(session, job.claimed.id)
    press.run("publish_minutes")
    press.only_page()


def test_passing_faults_of_reading_are_waited_out(press: Press) -> None:
    press.site.faults(
        {"kind": "error", "status": 503, "method": "GET", "count": 2},
        {"kind": "rate_limit", "seconds": 0, "method": "GET", "count": 1},
    )
    press.publish()
    press.only_page()


def test_two_workers_at_once_make_one_page(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that lost its claim unawares creates in the same instant; the server lets only one title through."""
    both, create, made = threading.Barrier(2, timeout=20), publishing.ConfluenceClient.send, []

    def together(self, method, path, body, *arguments, **options):  # type: ignore[no-untyped-def]
        if method == "POST" and path == publishing.CONTENT and body["type"] == "page" and len(made) < 2:
            made.append(1)
            both.wait()
        return create(self, method, path, body, *arguments, **options)

    monkeypatch.setattr(publishing.ConfluenceClient, "send", together)
    minutes_id = press.approve()
    recording, row, page, base = publish_minutes._read(press.context, minutes_id, is_cloud=True)
    ours, results, errors = publish_minutes.render(page), [], []

    def work() -> None:
        client = publish_minutes.connect(press.context.settings)
        try:
            place = choose_place(press.context.settings, client, recording.title).place
            results.append(publish_minutes._write(client, place, recording, row.page_id, base, ours)[0].id)
        except ImpError as exc:
            errors.append(exc)
        finally:
            client.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert set(results) == {press.only_page()["id"]}
    assert len(results) == 2


def test_a_page_renamed_and_moved_stays_the_page(press: Press) -> None:
    first = press.publish()
    press.site.edit(first["page_id"], title="What we decided about Beacon Mini")
    press.site.act(first["page_id"], "move", target_id="210001", position="append")
    second = press.publish(draft(ACTION, "Frank will send the price list."))
    assert second["page_id"] == first["page_id"]
    page = press.only_page()
    assert page["title"] == "What we decided about Beacon Mini"
    assert page["ancestors"][-1]["id"] == "210001"
    assert "price list" in press.body()


def test_a_page_found_again_by_its_label_when_the_table_forgot_it(press: Press) -> None:
    first = press.publish()
    press.site.edit(first["page_id"], title="Renamed")
    press.rows("UPDATE minutes SET page_id = NULL, published_storage = NULL RETURNING id")
    assert press.publish(draft("Alice will call the lab."))["page_id"] == first["page_id"]
    press.only_page()


@pytest.mark.parametrize("action", ["trash", "archive"])
def test_a_page_people_put_away_stays_away(press: Press, action: str) -> None:
    first = press.publish()
    press.site.act(first["page_id"], action)
    press.approve(draft("Alice will call the lab."))
    with pytest.raises(Conflict, match="restore it"):
        press.run("publish_minutes")
    assert press.pages() == []
    press.site.act(first["page_id"], "restore" if action == "trash" else "unarchive")
    with press.context.factory.begin() as session:
        minutes.publish_again(session, press.rows("SELECT max(id) AS id FROM minutes")[0].id)
    assert press.run("publish_minutes")["page_id"] == first["page_id"]
    assert "call the lab" in press.body()


def test_a_page_deleted_for_good_is_made_anew(press: Press) -> None:
    first = press.publish()
    press.site.act(first["page_id"], "trash")
    press.site.act(first["page_id"], "purge")
    second = press.publish(draft("Alice will call the lab."))
    assert second["page_id"] != first["page_id"]
    press.only_page()


def test_somebody_elses_page_of_that_title_is_left_alone(press: Press) -> None:
    other = press.site.add(space="MTG", title=TITLE, body="<p>Mine.</p>")
    outcome = press.publish()
    assert outcome["page_id"] != other["id"]
    assert press.only_page()["title"] == f"{TITLE} (2)"
    assert press.api(f"/{other['id']}", expand="body.storage")["body"]["storage"]["value"] == "<p>Mine.</p>"


def test_two_meetings_of_one_title_get_two_pages(press: Press) -> None:
    first = press.publish()
    press.ready(press.site, b"another meeting")
    second = press.publish()
    assert first["page_id"] != second["page_id"]
    assert press.only_page()["title"] == f"{TITLE} (2)"


def test_human_edits_survive_a_new_draft(press: Press) -> None:
    page_id = press.publish(draft(ACTION, "Frank will send the price list."))["page_id"]
    edited = press.body().replace("Frank will send", "Frank and Emma will send")
    edited = edited.replace(
        "<h2>Action items</h2>", "<p>Note by Carla: read this first.</p><h2>Action items</h2>"
    )
    press.site.edit(page_id, body=edited)
    press.publish(
        draft(
            "Ben will run the load test twice.", "Frank will send the price list.", "Alice will call the lab."
        )
    )
    body = press.body()
    assert "Note by Carla: read this first." in body
    assert "Frank and Emma will send" in body
    assert "load test twice" in body
    assert "call the lab" in body
    assert press.comments() == []


def test_a_conflict_becomes_one_comment(press: Press) -> None:
    page_id = press.publish()["page_id"]
    press.site.edit(page_id, body=press.body().replace("twenty-sixth", "thirtieth, says Carla"))
    newer = draft(decision="We launch on January twenty-eighth <b>&amp;</b> everywhere.")
    outcome = press.publish(newer)
    assert outcome["n_conflicts"] == 1
    assert "thirtieth, says Carla" in press.body()
    [comment] = press.comments()
    assert "thirtieth, says Carla" in comment
    assert "January twenty-eighth &lt;b&gt;" in comment
    with press.context.factory.begin() as session:
        minutes.publish_again(session, press.rows("SELECT max(id) AS id FROM minutes")[0].id)
    press.run("publish_minutes")
    assert len(press.comments()) == 1


def test_a_death_after_the_comment_does_not_repeat_it(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    page_id = press.publish()["page_id"]
    press.site.edit(page_id, body=press.body().replace("twenty-sixth", "thirtieth"))
    comment = publishing.comment

    def dying(*arguments: Any) -> None:
        comment(*arguments)
        raise _Killed

    monkeypatch.setattr(publishing, "comment", dying)
    press.approve(draft(decision="We launch on January twenty-eighth."))
    job = press.claim(press.waiting("publish_minutes"))
    with pytest.raises(_Killed):
        press.run_claimed(job)
    monkeypatch.undo()
    press.run_claimed(press.claim(job.claimed.id, stale_s=-3600))
    assert len(press.comments()) == 1


def test_somebody_saves_between_reading_and_writing(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    page_id = press.publish()["page_id"]
    update, n_edits = publishing.update, []

    def interrupted(client: Any, page: Any, storage: str) -> Any:
        if not n_edits:
            n_edits.append(1)
            press.site.edit(page_id, body=page.storage + "<p>Added in that very second.</p>")
        return update(client, page, storage)

    monkeypatch.setattr(publishing, "update", interrupted)
    press.publish(draft("Alice will call the lab."))
    assert "Added in that very second." in press.body()
    assert "call the lab" in press.body()
    assert press.only_page()["version"]["number"] == 3


def test_a_version_conflict_that_never_ends_gives_up(press: Press) -> None:
    press.publish()
    press.site.faults({"kind": "error", "status": 409, "method": "PUT"})
    press.approve(draft("Alice will call the lab."))
    with pytest.raises(Conflict):
        press.run("publish_minutes")
    assert "call the lab" not in press.body()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"confluence_minutes_space": None}, NotConfigured, "CONFLUENCE_MINUTES_SPACE"),
        ({"confluence_minutes_parent": "No such page"}, NotFound, "CONFLUENCE_MINUTES_PARENT"),
        ({"confluence_url": None}, NotConfigured, "CONFLUENCE_URL"),
    ],
)
def test_what_is_not_configured_is_named(
    press: Press, change: dict[str, Any], error: type[Exception], words: str
) -> None:
    press.context.settings = press.context.settings.model_copy(update=change)
    press.approve()
    with pytest.raises(error, match=words):
        press.run("publish_minutes")
    assert press.pages() == []


def test_data_center_gets_what_it_can_show(make_studio: Callable[..., Studio], site: StandIn) -> None:
    studio = make_studio(
        confluence_url=site.url, confluence_pat=SERVICE_TOKEN, confluence_minutes_space="MTG"
    )
    press = Press(studio.context)
    press.ready(site)
    press.rows(
        "INSERT INTO identities (provider, external_id, name) VALUES ('confluence', 'abc', 'Ben Okafor') RETURNING id"
    )
    press.publish()
    body = press.body()
    assert "adf-extension" not in body
    assert "ri:account-id" not in body
    assert "<strong>Ben Okafor</strong>" in body


def test_an_ambiguous_name_mentions_nobody(press: Press) -> None:
    for account_id, name in (("a1", "Ben Okafor"), ("a2", "ben okafor "), ("a3", "Alice Marlow")):
        press.rows(
            "INSERT INTO identities (provider, external_id, name) VALUES ('confluence', :id, :name) RETURNING id",
            id=account_id, name=name,
        )  # fmt: skip
    assert publish_minutes._mentions([("Ben", "1"), ("ben ", "2"), ("Alice", "3"), (None, "4")]) == {
        "alice": "3"
    }
    press.publish()
    assert "ri:account-id" not in press.body()


def test_a_draft_nobody_approved_is_not_published(press: Press) -> None:
    with press.context.factory.begin() as session:
        minutes_id = minutes.save_draft(session, press.recording_id, draft())
    with pytest.raises(Conflict, match="draft"):
        publish_minutes._read(press.context, minutes_id, is_cloud=True)
