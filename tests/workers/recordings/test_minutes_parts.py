"""The transcript as a page of its own, the recording as a file of the page, labels of the house: by setting."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from connectors.confluence import publishing
from core.errors import NotConfigured
from core.settings import load_settings
from core.tables.meetings import Recording
from tests.workers.confluence_site import SERVICE_EMAIL, SERVICE_TOKEN, StandIn
from tests.workers.recordings.conftest import Studio
from tests.workers.recordings.test_publish_minutes import ACTION, TITLE, Press, _Killed, draft
from workers import minutes

SPOKEN = "We launch on January twenty-sixth."
CHILD = f"Transcript of {TITLE}"
OTHER = draft(ACTION, "Frank will send the price list.")


@pytest.fixture
def make_press(make_studio: Callable[..., Studio], site: StandIn) -> Callable[..., Press]:
    def make(**more: Any) -> Press:
        studio = make_studio(
            confluence_url=site.url + "/wiki",
            confluence_username=SERVICE_EMAIL,
            confluence_api_token=SERVICE_TOKEN,
            confluence_minutes_space="MTG",
            **more,
        )
        press = Press(studio.context)
        press.ready(site)
        return press

    return make


@pytest.fixture
def apart(make_press: Callable[..., Press]) -> Press:
    return make_press(confluence_minutes_transcript="page")


def children(press: Press) -> list[dict[str, Any]]:
    """Current pages that carry the mark of this recording's transcript."""
    expand = (
        f"version,body.storage,ancestors,metadata.labels,metadata.properties.{publishing.RECORDING_PROPERTY}"
    )
    found = press.api("", type="page", limit=200, expand=expand)["results"]
    with press.context.factory() as session:
        key = publishing.transcript_key(session.get_one(Recording, press.recording_id).sha256)
    return [page for page in found if publishing._is_of(page, key)]


def body(page: dict[str, Any]) -> str:
    return str(page["body"]["storage"]["value"])


def labels(page: dict[str, Any]) -> set[str]:
    return {one["name"] for one in page["metadata"]["labels"]["results"]}


def publish_again(press: Press) -> dict[str, Any]:
    [row] = press.rows("SELECT max(id) AS id FROM minutes")
    with press.context.factory.begin() as session:
        minutes.publish_again(session, row.id)
    return press.run("publish_minutes")


def files(press: Press) -> list[str]:
    return [one["title"] for one in press.api(f"/{press.only_page()['id']}/child/attachment")["results"]]


# ---- the transcript's page


def test_the_transcript_stands_under_the_minutes(apart: Press) -> None:
    outcome = apart.publish()
    [child] = children(apart)
    assert child["title"] == CHILD
    assert child["ancestors"][-1]["id"] == outcome["page_id"]
    assert outcome["transcript_page_id"] == child["id"]
    assert labels(child) >= {publishing.TRANSCRIPT_LABEL}
    assert publishing.LABEL not in labels(child)
    assert "Carla Reyes:</strong> " + SPOKEN in body(child)
    assert f'ri:content-title="{TITLE}"' in body(child)
    assert f'ri:content-title="{CHILD}"' in apart.body()
    assert "Carla Reyes:</strong>" not in apart.body()
    assert apart.only_page()["version"]["number"] == 1, "written once"


def test_a_second_publication_writes_neither_page(apart: Press) -> None:
    apart.publish()
    before = (apart.only_page(), children(apart))
    publish_again(apart)
    assert (apart.only_page(), children(apart)) == before


def test_a_crash_after_the_transcript_was_made(apart: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    create = publishing.create

    def dying(client: Any, key: str, *arguments: Any) -> Any:
        page = create(client, key, *arguments)
        if key.endswith(":transcript"):
            raise _Killed
        return page

    monkeypatch.setattr(publishing, "create", dying)
    apart.approve()
    job = apart.claim(apart.waiting("publish_minutes"))
    with pytest.raises(_Killed):
        apart.run_claimed(job)
    monkeypatch.undo()
    [made] = children(apart)
    apart.run_claimed(apart.claim(job.claimed.id, stale_s=-3600))
    assert [one["id"] for one in children(apart)] == [made["id"]]
    apart.only_page()


def test_a_transcript_renamed_and_moved_stays_the_transcript(apart: Press) -> None:
    child_id = apart.publish()["transcript_page_id"]
    apart.site.edit(child_id, title="Word for word")
    apart.site.act(child_id, "move", target_id="240001", position="append")
    apart.publish(OTHER)
    [child] = children(apart)
    assert (child["id"], child["title"]) == (child_id, "Word for word")
    assert 'ri:content-title="Word for word"' in apart.body()


def test_a_transcript_found_by_its_mark_when_the_table_forgot_it(apart: Press) -> None:
    child_id = apart.publish()["transcript_page_id"]
    apart.site.edit(child_id, title="Word for word")
    apart.rows("UPDATE minutes SET transcript_page_id = NULL, transcript_storage = NULL RETURNING id")
    apart.publish(OTHER)
    assert [one["id"] for one in children(apart)] == [child_id]


def test_edits_of_the_transcript_stay(apart: Press) -> None:
    child_id = apart.publish()["transcript_page_id"]
    [child] = children(apart)
    apart.site.edit(child_id, body=body(child) + "<p>Heard by Emma: it was the 26th.</p>")
    apart.rows("UPDATE segments SET text = text || ' Indeed.' RETURNING position")
    apart.publish(OTHER)
    [child] = children(apart)
    assert "Heard by Emma" in body(child)
    assert SPOKEN + " Indeed." in body(child)


@pytest.mark.parametrize("action", ["trash", "archive"])
def test_a_transcript_people_put_away_stays_away(apart: Press, action: str) -> None:
    child_id = apart.publish()["transcript_page_id"]
    apart.site.act(child_id, action)
    apart.publish(OTHER)
    assert children(apart) == []
    assert CHILD not in apart.body()
    assert "price list" in apart.body()


def test_somebody_elses_page_of_the_transcripts_title(apart: Press) -> None:
    other = apart.site.add(space="MTG", title=CHILD, body="<p>Mine.</p>")
    apart.publish()
    [child] = children(apart)
    assert child["title"] == f"{CHILD} (2)"
    assert f'ri:content-title="{CHILD} (2)"' in apart.body()
    assert apart.api(f"/{other['id']}", expand="body.storage")["body"]["storage"]["value"] == "<p>Mine.</p>"


def test_from_section_to_page_and_back(make_press: Callable[..., Press]) -> None:
    press = make_press()
    press.publish()
    assert "Carla Reyes:</strong>" in press.body()
    for where in ("page", "section"):
        settings = press.context.settings.model_copy(update={"confluence_minutes_transcript": where})
        press.context.settings = settings
        publish_again(press)
        assert ("Carla Reyes:</strong>" in press.body()) == (where == "section")
        assert len(children(press)) == 1, "what was published is not thrown away"


# ---- the recording


def test_the_recording_is_linked_unless_it_is_wanted(make_press: Callable[..., Press]) -> None:
    press = make_press()
    assert press.publish()["attached"] is None
    assert files(press) == []
    assert f"/recordings/{press.recording_id}?t=0" in press.body()


def test_the_recording_is_attached_once(make_press: Callable[..., Press]) -> None:
    press = make_press(confluence_minutes_recording="attach")
    outcome = press.publish()
    press.publish(OTHER)
    publish_again(press)
    [name] = files(press)
    assert name == outcome["attached"]
    assert name.startswith("launch-")
    assert f'ri:filename="{name}"' in press.body()
    page_id = press.only_page()["id"]
    url = f"{press.site.url}/wiki/download/attachments/{page_id}/{name}"
    assert requests.get(url, auth=(SERVICE_EMAIL, SERVICE_TOKEN), timeout=10).content == b"sound"


def test_a_recording_too_large_is_linked_and_the_page_says_so(make_press: Callable[..., Press]) -> None:
    press = make_press(confluence_minutes_recording="attach", confluence_minutes_attach_bytes=4)
    press.publish()
    assert files(press) == []
    assert "linked, not attached" in press.body()


@pytest.mark.parametrize("status", [403, 413])
def test_a_refused_file_stops_no_minutes(make_press: Callable[..., Press], status: int) -> None:
    press = make_press(confluence_minutes_recording="attach")
    press.site.faults({"kind": "error", "status": status, "method": "POST", "path": "/child/attachment"})
    assert press.publish()["attached"] is None
    assert "linked, not attached" in press.body()
    assert "ri:attachment" not in press.body()


def test_a_file_whose_line_people_removed_is_not_attached_again(make_press: Callable[..., Press]) -> None:
    press = make_press(confluence_minutes_recording="attach")
    name = press.publish()["attached"]
    [file] = press.api(f"/{press.only_page()['id']}/child/attachment")["results"]
    press.site.act(file["id"], "trash")
    row = press.body().partition("<tr><th><p>Recording")[2].partition("</tr>")[0]
    press.site.edit(press.only_page()["id"], body=press.body().replace(row, "</p></th><td><p>gone</p></td>"))
    press.publish(OTHER)
    assert name not in files(press)


# ---- labels


def test_labels_of_the_house(make_press: Callable[..., Press]) -> None:
    press = make_press(confluence_minutes_labels="Board,minutes-2026", confluence_minutes_transcript="page")
    press.publish()
    [child] = children(press)
    assert labels(press.only_page()) >= {"board", "minutes-2026", publishing.LABEL}
    assert labels(child) >= {"board", "minutes-2026", publishing.TRANSCRIPT_LABEL}


def test_a_label_confluence_would_refuse_stops_the_start() -> None:
    with pytest.raises(NotConfigured, match="CONFLUENCE_MINUTES_LABELS: 'two words' is no label"):
        load_settings(confluence_minutes_labels="fine,two words")
