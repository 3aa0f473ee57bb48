"""Erased is erased: every column of every table and every stored file is read for a word nobody else ever says."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from sqlalchemy import text

from core import jobs
from core.errors import BadInput, NotFound, TryAgain
from core.minutes import Evidence, MinutesDraft, MinutesLine
from core.tables.meetings import Minutes
from sandbox.slack.app import create_app
from sandbox.slack.config import Config
from tests.sandbox.slack_driving import BOT_TOKEN, Served, SlackSandbox
from tests.workers.confluence_site import SERVICE_EMAIL, SERVICE_TOKEN, StandIn
from tests.workers.recordings.conftest import Studio
from workers import corrections, minutes, people
from workers.erase_person import LABEL, erase_person
from workers.erase_recording import erase_recording

WORD = "Quixelborn"
NAME, EMAIL, ACCOUNT = "Zebulon Marrowgate", "zebulon@marrowgate.example", "acc-zebulon-1"
ANNOUNCED = "Minutes are ready"
VTT = f"""WEBVTT

00:00:00.000 --> 00:00:05.000
<v {NAME}>We decided to launch {WORD} on January twenty-sixth.

00:00:06.000 --> 00:00:10.000
<v Ben Okafor>{NAME} will send the {WORD} price list on Friday, and quicksel born is ready.
"""
TEXT_COLUMNS = """
    SELECT c.table_name, c.column_name FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
      AND c.data_type IN ('text', 'character varying', 'jsonb', 'json', 'ARRAY', 'USER-DEFINED', 'bytea')
    ORDER BY 1, 2
"""


@pytest.fixture
def slack(free_port: Callable[[], int]) -> Iterator[tuple[SlackSandbox, str]]:
    port = free_port()
    app = create_app(Config(public_url=f"http://127.0.0.1:{port}"))
    with Served(app, port) as served, httpx.Client(timeout=20) as http:
        sandbox = SlackSandbox(served.url, http)
        sandbox.act("reset")
        sandbox.put("rate_limits", enabled=False)
        yield sandbox, served.url


class House(Studio):
    """One published meeting, asked about, corrected, announced; and another one that must stay."""

    site: StandIn
    slack: SlackSandbox
    recording_id: int

    def places(self, mark: str) -> set[str]:
        """Where the mark still stands: `table.column`, or `file`."""
        found = set()
        for table, column in self.rows(str(TEXT_COLUMNS)):
            query = f'SELECT 1 FROM "{table}" WHERE strpos(lower("{column}"::text), :mark) > 0 LIMIT 1'
            if self.rows(query, mark=mark.lower()):
                found.add(f"{table}.{column}")
        root = Path(self.context.settings.blobs_url.removeprefix("file://"))
        for path in root.rglob("*"):
            if path.is_file() and mark.lower().encode() in path.read_bytes().lower():
                found.add("file")
        return found

    def pages(self, mark: str) -> int:
        listed = requests.get(
            f"{self.site.url}/wiki/rest/api/content", params={"type": "page", "limit": 200, "status": "any",
            "expand": "body.storage"}, auth=(SERVICE_EMAIL, SERVICE_TOKEN), timeout=10,
        ).json()["results"]  # fmt: skip
        return sum(mark in page["body"]["storage"]["value"] + page["title"] for page in listed)

    def messages(self, mark: str) -> int:
        return sum(mark in str(one) for one in self.slack.state()["messages"])


@pytest.fixture
def house(
    make_studio: Callable[..., Studio], site: StandIn, slack: tuple[SlackSandbox, str], tmp_path: Path
) -> House:
    sandbox, url = slack
    channel = next(key for key, one in sandbox.state()["channels"].items() if one["name"] == "general")
    studio = make_studio(
        confluence_url=site.url + "/wiki", confluence_username=SERVICE_EMAIL, confluence_api_token=SERVICE_TOKEN,
        confluence_minutes_space="MTG", slack_bot_token=BOT_TOKEN, slack_signing_secret="s", slack_api_url=f"{url}/api/",
        slack_announce_channel=channel, imp_recordings_audience="group:staff",
    )  # fmt: skip
    house = House(studio.context)
    house.site, house.slack = site, sandbox
    _people(house)
    house.recording_id = _meeting(house, tmp_path, f"{WORD} launch review", VTT)
    _meeting(
        house,
        tmp_path,
        "Kitchen meeting",
        "WEBVTT\n\n00:00:00.000 --> 00:00:05.000\n<v Ann Lee>The kettle is new.\n",
    )
    _questions(house)
    return house


def _people(house: House) -> None:
    with house.context.factory.begin() as session:
        person_id = people.ensure_person(session, name=NAME, email=EMAIL)
        people.link(session, person_id, "confluence", ACCOUNT, by="email", email=EMAIL, name=NAME)
        people.new_token(session, person_id, label="cli")


def _meeting(house: House, folder: Path, title: str, vtt: str) -> int:
    path = folder / f"{title}.vtt"
    path.write_text(vtt)
    recording_id = house.add(path, title=title)
    for kind in ("transcribe_recording", "index_document"):
        house.run(kind)
    house.rows("UPDATE jobs SET state = 'done' WHERE kind = 'draft_minutes' RETURNING id")
    row = house.segments(recording_id)[-1]
    evidence = (Evidence(0, 0, 0.0, 5.0),)
    lines = (
        MinutesLine("decision", row[4], evidence, 1.0),
        MinutesLine("action", row[4], evidence, 1.0, owner=row[3]),
    )
    with house.context.factory.begin() as session:
        minutes_id = minutes.save_draft(session, recording_id, MinutesDraft(lines, "extractive"))
        minutes.approve(session, minutes_id)
    house.run("publish_minutes")
    house.run("announce_minutes")
    return recording_id


def _questions(house: House) -> None:
    [document] = house.rows(
        "SELECT id FROM documents WHERE external_id = :key",
        key=f"recording:{house.recording_id}",
    )
    with house.context.factory.begin() as session:
        person = people.person_by_email(session, EMAIL)
        session.execute(
            text("""INSERT INTO questions (text, answer, citations, trace, person_id, feedback_reason) VALUES
                    ('When?', :said, CAST(:cited AS jsonb), '{}', NULL, NULL),
                    (:seen, 'Nothing found.', '[]', CAST(:trace AS jsonb), NULL, NULL),
                    ('My own', 'No.', '[]', '{}', :person, :mine), ('Kettle?', 'It is new.', '[]', '{}', NULL, NULL)"""),
            {
                "said": f"{WORD} launches in January.", "seen": f"What is {WORD}?", "mine": f"{NAME} says so",
                "cited": f'[{{"document_id": {document.id}, "quote": "{WORD}"}}]', "person": person.id,
                "trace": f'{{"candidates": [{{"document_id": {document.id}, "title": "{WORD}"}}]}}',
            },
        )  # fmt: skip
        session.execute(
            text("""INSERT INTO verified_answers (question, question_key, answer, citations, n_sources, author_name)
                    VALUES ('q', 'q', :said, CAST(:cited AS jsonb), 1, :name)"""),
            {"said": WORD, "cited": f'[{{"document_id": {document.id}}}]', "name": NAME},
        )
        session.execute(
            text("INSERT INTO alerts (key, message) VALUES ('a', :said), ('b', 'the kettle')"),
            {"said": f"{WORD} launch review.vtt cannot be read"},
        )
        corrections.correct_word(
            session,
            house.context.settings,
            house.recording_id,
            "quicksel born",
            WORD,
        )
    for kind in ("index_document", "publish_minutes"):
        house.run(kind)


def test_nothing_of_a_recording_is_left_anywhere(house: House) -> None:
    before = house.places(WORD)
    assert {"segments.text", "recordings.title", "documents.markdown", "chunks.text", "postings.lexeme", "minutes.lines",
            "minutes.published_storage", "action_items.text", "questions.answer", "questions.trace", "glossary.term",
            "verified_answers.answer", "alerts.message", "file"} <= before  # fmt: skip
    assert house.pages(WORD) == 1
    assert house.messages(ANNOUNCED) == 2
    statistics = "SELECT sum(n_chunks) AS n_chunks, sum(n_terms) AS n_terms FROM corpus_stats"
    with house.context.factory.begin() as session:
        erased = erase_recording(session, house.recording_id)
    assert house.places(WORD) <= {"file"}
    house.run("erase_outside")
    assert house.places(WORD) == set()
    assert house.pages(WORD) == 0
    assert house.messages(ANNOUNCED) == 1
    assert (erased.n_utterances, erased.n_minutes, erased.n_pages, erased.n_answers) == (2, 1, 1, 2)
    assert {"chunks.text", "minutes.lines", "alerts.message", "questions.text"} <= house.places("kettle")
    assert house.pages("kettle") == 1
    assert house.rows("SELECT count(*) AS n_chunks, sum(n_terms) AS n_terms FROM chunks") == house.rows(
        statistics
    )


def test_a_page_that_cannot_be_reached_is_tried_again(house: House) -> None:
    with house.context.factory.begin() as session:
        job_id = erase_recording(session, house.recording_id).job_id
    house.site.faults({"kind": "error", "status": 503, "path": "/content/.*", "method": "DELETE"})
    with pytest.raises(TryAgain):
        house.run("erase_outside")
    assert "file" not in house.places(WORD), "what can be reached goes at once"
    assert house.messages(ANNOUNCED) == 1
    house.site.faults()
    with house.context.factory.begin() as session:
        jobs.retry(session, job_id)
    house.run("erase_outside")
    assert house.pages(WORD) == 0


def test_a_dry_run_changes_nothing_and_an_erased_file_stays_out(house: House, tmp_path: Path) -> None:
    before = house.places(WORD)
    with house.context.factory() as session:
        foreseen = erase_recording(session, house.recording_id)
        session.rollback()
    assert foreseen.n_utterances == 2
    assert house.places(WORD) == before
    with house.context.factory.begin() as session:
        erase_recording(session, house.recording_id)
    house.run("erase_outside")
    with pytest.raises(BadInput, match="stays erased"):
        house.add(tmp_path / f"{WORD} launch review.vtt")
    with house.context.factory.begin() as session, pytest.raises(NotFound):
        erase_recording(session, house.recording_id)


def test_a_page_of_somebody_else_is_left_alone(house: House) -> None:
    with house.context.factory.begin() as session:
        row = session.query(Minutes).filter_by(recording_id=house.recording_id).one()
        row.page_id = "240001"
        erase_recording(session, house.recording_id)
    outcome: dict[str, Any] = house.run("erase_outside")
    assert outcome["pages"]["left"] == {"240001": "not_ours"}
    assert house.rows("SELECT 1 FROM alerts WHERE key LIKE 'erasure:%'")


def test_a_person_becomes_a_former_participant(house: House) -> None:
    before = house.places(NAME)
    assert {"people.name", "identities.name", "segments.speaker", "segments.text", "chunks.text", "minutes.lines",
            "questions.feedback_reason", "verified_answers.author_name", "documents.markdown"} <= before  # fmt: skip
    assert {"people.email", "identities.email"} <= house.places(EMAIL)
    with house.context.factory.begin() as session:
        erased = erase_person(session, house.context.settings, EMAIL)
    assert erased.n_utterances == 2
    for kind in ("index_document", "publish_minutes"):
        house.run(kind)
    assert house.places(NAME) == {"file"}, "the transcript file as it came: erase the recording for that"
    assert house.places(EMAIL) == house.places(ACCOUNT) == set()
    assert house.pages(NAME) == 0
    assert {"segments.speaker", "chunks.text", "minutes.lines"} <= house.places(LABEL)
    assert [row[3] for row in house.segments(house.recording_id)] == [LABEL, "Ben Okafor"]
    assert {"segments.text"} <= house.places(WORD)
    with house.context.factory.begin() as session, pytest.raises(NotFound, match="nobody with the address"):
        erase_person(session, house.context.settings, EMAIL)
