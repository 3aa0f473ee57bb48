"""The sample company must hang together: every name, file, page and minute of sound that it points at exists."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from html.entities import name2codepoint
from pathlib import Path
from typing import Any

import pytest
import webvtt
import yaml
from lxml import etree

COMPANY = Path(__file__).parents[2] / "sandbox" / "company"
AUDIO_LIMIT_BYTES = 3 * 2**20
NAMESPACES = 'xmlns:ac="http://atlassian.com/content" xmlns:ri="http://atlassian.com/resource/identifier"'
RI = "{http://atlassian.com/resource/identifier}"
AC = "{http://atlassian.com/content}"
XML_OWN_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}


def read(name: str) -> Any:
    return yaml.safe_load((COMPANY / name).read_text(encoding="utf-8"))


def parse(page: dict[str, Any]) -> etree._Element:
    """Parse a page as Confluence does: HTML's entities known, `ac:` and `ri:` declared, nothing else forgiven."""
    entities = "".join(
        f'<!ENTITY {name} "&#{code};">'
        for name, code in name2codepoint.items()
        if name not in XML_OWN_ENTITIES
    )
    body = (COMPANY / page["file"]).read_text(encoding="utf-8")
    document = f"<!DOCTYPE page [{entities}]><page {NAMESPACES}>{body}</page>"
    parser = etree.XMLParser(resolve_entities=True, no_network=True)
    return etree.fromstring(document.encode(), parser)


DATA = read("company.yaml")
PEOPLE, PAGES, SLACK = DATA["people"], DATA["pages"], DATA["slack"]
MEETINGS = {path.stem: read(f"meetings/{path.name}") for path in (COMPANY / "meetings").glob("*.yaml")}
QUESTIONS = read("questions.yaml")["questions"]
ACCOUNTS = {person["account_id"] for person in PEOPLE}
NAMES = {person["name"] for person in PEOPLE}
SLACK_IDS = {person["slack_id"] for person in PEOPLE if "slack_id" in person} | {SLACK["bot"]["user_id"]}
PRINCIPALS = {f"user:{account}" for account in ACCOUNTS} | {f"group:{group}" for group in DATA["groups"]}
by_title = pytest.mark.parametrize("page", PAGES, ids=lambda page: page["title"])
by_meeting = pytest.mark.parametrize("meeting", MEETINGS.values(), ids=MEETINGS)


def is_unique(values: list[str]) -> bool:
    return len(values) == len(set(values))


def ancestors(page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the page and all above it; a parent is named by title within the same space."""
    titles = {other["title"]: other for other in PAGES if other["space"] == page["space"]}
    for _ in PAGES:
        yield page
        if page["parent"] is None:
            return
        page = titles[page["parent"]]
    raise AssertionError(f"{page['title']} is its own ancestor")


def test_people_are_told_apart_by_every_id() -> None:
    for field in ("account_id", "username", "name", "email", "token"):
        assert is_unique([person[field] for person in PEOPLE]), field
    assert len(SLACK_IDS) == len(PEOPLE)
    assert all(re.fullmatch("U[A-Z0-9]+", slack_id) for slack_id in SLACK_IDS)
    for person in PEOPLE:
        assert set(person["groups"]) <= set(DATA["groups"])
        assert {type(person[flag]) for flag in ("admin", "guest", "external")} == {bool}


def test_tokens_are_plainly_samples() -> None:
    tokens = [person["token"] for person in PEOPLE] + [SLACK["bot"]["token"]]
    assert all(re.fullmatch("sample-token-[a-z-]+", token) for token in tokens)


def test_spaces_let_in_only_people_and_groups_that_exist() -> None:
    assert is_unique([space["key"] for space in DATA["spaces"]])
    for space in DATA["spaces"]:
        assert space["permissions"]
        assert set(space["permissions"]) <= PRINCIPALS | {"anonymous"}


def test_page_ids_and_titles_are_unique() -> None:
    assert is_unique([page["id"] for page in PAGES])
    assert is_unique([f"{page['space']}/{page['title']}" for page in PAGES])
    assert is_unique([page["file"] for page in PAGES])
    assert {str(path.relative_to(COMPANY)) for path in COMPANY.glob("pages/*")} == {
        page["file"] for page in PAGES
    }


@by_title
def test_page_is_filed_rightly(page: dict[str, Any]) -> None:
    assert re.fullmatch("[0-9]+", page["id"])
    assert page["space"] in {space["key"] for space in DATA["spaces"]}
    assert page["status"] in {"current", "archived", "trashed", "draft"}
    assert page["author"] in ACCOUNTS
    assert [above["title"] for above in ancestors(page)]
    assert set(page.get("restrict", PRINCIPALS)) <= PRINCIPALS
    assert datetime.fromisoformat(page["created"]) <= datetime.fromisoformat(page["updated"])
    for comment in page.get("comments", []):
        assert comment["author"] in ACCOUNTS
        assert datetime.fromisoformat(comment["created"]) >= datetime.fromisoformat(page["created"])


@by_title
def test_page_is_storage_format_whose_references_lead_somewhere(page: dict[str, Any]) -> None:
    root = parse(page)
    attached = {Path(attachment["file"]).name for attachment in page.get("attachments", [])}
    assert {user.get(f"{RI}account-id") for user in root.iter(f"{RI}user")} <= ACCOUNTS
    assert {file.get(f"{RI}filename") for file in root.iter(f"{RI}attachment")} <= attached
    for link in root.iter(f"{RI}page"):
        space = link.get(f"{RI}space-key", page["space"])
        title = link.get(f"{RI}content-title")
        assert any(other["space"] == space and other["title"] == title for other in PAGES), title


def test_attachments_are_what_they_say() -> None:
    starts = {"text/csv": b"part,", "application/pdf": b"%PDF-", "image/png": b"\x89PNG"}
    attachments = [attachment for page in PAGES for attachment in page.get("attachments", [])]
    assert {attachment["media_type"] for attachment in attachments} == set(starts)
    for attachment in attachments:
        assert (COMPANY / attachment["file"]).read_bytes().startswith(starts[attachment["media_type"]])


def test_the_pages_show_what_people_really_use() -> None:
    roots = [parse(page) for page in PAGES]
    macros = {macro.get(f"{AC}name") for root in roots for macro in root.iter(f"{AC}structured-macro")}
    assert macros >= {"info", "warning", "note", "panel", "code", "expand", "status", "details", "jira"}
    assert macros >= {"include", "excerpt", "excerpt-include", "larkmoor-term-of-the-week"}
    elements = {element.tag for root in roots for element in root.iter("*")}
    assert elements >= {f"{AC}task", f"{AC}layout", f"{AC}image", f"{AC}adf-extension", "time"}
    assert any(cell.get("rowspan") for root in roots for cell in root.iter("td", "th"))
    assert max(len("".join(root.itertext()).split()) for root in roots) > 2000
    assert {page["status"] for page in PAGES} == {"current", "archived", "trashed", "draft"}


def test_a_page_without_restriction_lies_under_a_restricted_one() -> None:
    assert any(
        "restrict" not in page and any("restrict" in above for above in ancestors(page)) for page in PAGES
    )


def test_slack_knows_everyone_who_speaks() -> None:
    channels = SLACK["channels"]
    assert is_unique([channel["id"] for channel in channels])
    assert SLACK["bot"]["user_id"] not in {person.get("slack_id") for person in PEOPLE}
    for channel in channels:
        members = set(channel["members"])
        assert members <= SLACK_IDS
        assert channel["bot"] is (SLACK["bot"]["user_id"] in members)
        assert {message["user"] for message in channel["messages"]} <= members
        times = [float(message["ts"]) for message in channel["messages"]]
        assert times == sorted(set(times))
    strangers = {person["slack_id"] for person in PEOPLE if person["external"]}
    assert all(channel["shared"] for channel in channels if strangers & set(channel["members"]))


@by_meeting
def test_meeting_script_names_its_people(meeting: dict[str, Any]) -> None:
    speakers = {utterance["speaker"] for utterance in meeting["utterances"]}
    assert speakers == set(meeting["participants"]) <= NAMES
    assert datetime.fromisoformat(meeting["started_at"]).utcoffset() == timedelta(0)


@by_meeting
def test_recording_is_long_enough_and_the_transcript_lies_inside(meeting: dict[str, Any]) -> None:
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe (of ffmpeg) is not installed, so the recordings cannot be measured")
    audio = COMPANY / "meetings" / meeting["audio"]
    asked = ["-show_entries", "format=duration", "-of", "csv=p=0"]
    probe = subprocess.run(
        ["ffprobe", "-v", "error", *asked, audio], capture_output=True, text=True, check=True
    )
    duration_s = float(probe.stdout)
    assert 180 <= duration_s <= 300
    if meeting["transcript"]:
        cues = webvtt.read(str(COMPANY / "meetings" / meeting["transcript"])).captions
        assert all(cue.start_in_seconds < cue.end_in_seconds <= duration_s for cue in cues)
        assert cues[-1].end_in_seconds > duration_s - 10


@by_meeting
def test_recording_carries_its_title_and_start(meeting: dict[str, Any]) -> None:
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe (of ffmpeg) is not installed, so the recordings cannot be read")
    audio = COMPANY / "meetings" / meeting["audio"]
    asked = ["-show_entries", "stream_tags=title,creation_time", "-of", "json"]
    probe = subprocess.run(["ffprobe", "-v", "error", *asked, audio], capture_output=True, check=True)
    tags = json.loads(probe.stdout)["streams"][0]["tags"]
    found = {key.lower(): value for key, value in tags.items()}
    assert found["title"] == meeting["title"]
    assert datetime.fromisoformat(found["creation_time"]) == datetime.fromisoformat(meeting["started_at"])


def test_transcript_says_what_the_script_says() -> None:
    meeting = MEETINGS["launch-review"]
    cues = webvtt.read(str(COMPANY / "meetings" / meeting["transcript"])).captions
    assert [(cue.voice, cue.text) for cue in cues] == [
        (u["speaker"], u["text"]) for u in meeting["utterances"]
    ]
    starts = [cue.start_in_seconds for cue in cues]
    assert starts == sorted(starts)


def test_one_recording_must_be_heard_because_nothing_is_written_beside_it() -> None:
    beside = {path.suffix for path in (COMPANY / "meetings").glob("incident-retro.*")}
    assert beside == {".ogg", ".yaml"}
    assert MEETINGS["incident-retro"]["transcript"] is None


def test_recordings_are_small_enough_to_ship() -> None:
    sizes = [path.stat().st_size for path in (COMPANY / "meetings").glob("*.ogg")]
    assert len(sizes) == len(MEETINGS)
    assert sum(sizes) <= AUDIO_LIMIT_BYTES


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["text"])
def test_question_can_be_asked_and_checked(question: dict[str, Any]) -> None:
    asker = next(person for person in PEOPLE if question["as"] in (person["email"], person.get("slack_id")))
    assert question["via"] in {"command", "mention", "dm"}
    if question["via"] == "dm":
        assert question["channel"] == "dm"
    else:
        channel = next(channel for channel in SLACK["channels"] if channel["name"] == question["channel"])
        assert asker["slack_id"] in channel["members"]
    if question["expect"] == "answered":
        assert_source_holds(question)
    else:
        assert question["expect"] in {"refused", "no_answer"}
        assert question["must_cite"] is None
        assert question["must_contain"] == []


def assert_source_holds(question: dict[str, Any]) -> None:
    """Fail unless the cited page (its attachments included), attachment or meeting has the words the answer needs."""
    assert question["must_contain"]
    texts = {
        meeting["title"]: " ".join(u["text"] for u in meeting["utterances"]) for meeting in MEETINGS.values()
    }
    for page in (page for page in PAGES if page["status"] == "current"):
        files = [attachment["file"] for attachment in page.get("attachments", [])]
        tables = {Path(file).name: (COMPANY / file).read_text() for file in files if file.endswith(".csv")}
        texts |= {page["title"]: " ".join(["".join(parse(page).itertext()), *tables.values()]), **tables}
    text = texts[question["must_cite"]].casefold()
    assert all(word.casefold() in text for word in question["must_contain"])


def file_names(page: dict[str, Any]) -> set[str]:
    return {Path(attachment["file"]).name for attachment in page.get("attachments", [])}


def may_open(person: dict[str, Any], title: str) -> bool:
    """Whether every door on the way to the page (or its file) lets the person through: space and restrictions."""
    page = next(page for page in PAGES if title in {page["title"], *file_names(page)})
    space = next(space for space in DATA["spaces"] if space["key"] == page["space"])
    own = {f"user:{person['account_id']}", "anonymous"} | {f"group:{group}" for group in person["groups"]}
    doors = [space["permissions"], *(above["restrict"] for above in ancestors(page) if "restrict" in above)]
    return all(own & set(door) for door in doors)


def test_who_is_answered_may_open_the_page_and_who_is_refused_may_not() -> None:
    titles = {page["title"] for page in PAGES}
    cited = {q["text"]: q["must_cite"] for q in QUESTIONS if q["must_cite"] in titles}
    for question in (question for question in QUESTIONS if question["text"] in cited):
        asker = next(person for person in PEOPLE if person["email"] == question["as"])
        assert may_open(asker, cited[question["text"]]) is (question["expect"] == "answered"), question["why"]


def test_the_service_account_may_open_all_it_syncs() -> None:
    account = next(person for person in PEOPLE if person["username"] == "imp-bot")
    assert all(may_open(account, page["title"]) for page in PAGES)


def test_questions_cover_the_promises() -> None:
    assert len(QUESTIONS) >= 8
    assert {question["expect"] for question in QUESTIONS} == {"answered", "refused", "no_answer"}
    outcomes: dict[str, set[str]] = {}
    for question in QUESTIONS:
        outcomes.setdefault(question["text"], set()).add(question["expect"])
    assert {"answered", "refused"} in outcomes.values()
