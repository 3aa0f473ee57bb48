"""The page of a recording: well formed whatever was said, complete, the same each time."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from connectors.confluence.minutes_page import MinutesPage, clock, line_id, moment_url, render, task_number
from connectors.confluence.storage_format.convert import to_markdown
from connectors.confluence.storage_format.escape import plain_text
from core.minutes import Evidence, MinutesDraft, MinutesLine, Section
from core.transcript import Transcript, Utterance

SECTIONS: tuple[Section, ...] = ("summary", "decision", "action", "question", "topic")


def line(section: Section, text: str, **more: object) -> MinutesLine:
    return MinutesLine(
        section=section, text=text, evidence=(Evidence(0, 1, 61.5, 70.0),), support=0.9, **more
    )  # type: ignore[arg-type]


def page(*lines: MinutesLine, **more: object) -> MinutesPage:
    return MinutesPage(
        recording_id="rec/1",
        title=more.pop("title", "Weekly"),  # type: ignore[arg-type]
        public_url="https://imp.example/",
        draft=MinutesDraft(lines, engine="extractive"),
        transcript=more.pop("transcript", Transcript((), engine="transcript file (VTT)")),  # type: ignore[arg-type]
        **more,  # type: ignore[arg-type]
    )


def parsed(storage: str) -> etree._Element:
    """Strict XML: the test fails when the page is not well formed."""
    return etree.fromstring(
        f'<r xmlns:ac="urn:ac" xmlns:ri="urn:ri">{storage}</r>', etree.XMLParser(huge_tree=True)
    )


def shown(storage: str) -> str:
    return " ".join(plain_text(to_markdown(storage).markdown).split())


def test_everything_is_said() -> None:
    storage = render(
        page(
            line("summary", "We met."),
            line("decision", "Ship on Monday."),
            line("action", "write the notes", owner="Mia K", due=date(2026, 5, 4)),
            line("action", "call Bob", owner="Jo", due_text="soon", is_flagged=True),
            line("question", "Who pays?"),
            line("topic", "Budget"),
            started_at=datetime(2026, 5, 1, 9, 30, tzinfo=UTC),
            duration_s=3725,
            participants=("Mia K", "Jo"),
            source="Zoom",
            account_ids={"mia k": "5b10"},
            warnings=("Rough transcript.",),
            transcript=Transcript(
                (Utterance(0, 2, "hello", "Mia K", 0.5), Utterance(2, 8, "hi", None, 0.9)), engine="sphinx"
            ),
        )
    )
    parsed(storage)
    found = to_markdown(storage)
    text = shown(storage)
    for words in ("We met.", "Ship on Monday.", "Who pays?", "Budget", "Rough transcript.", "Zoom", "sphinx", "extractive",
                  "2026-05-01 09:30 UTC", "1:02:05", "80% mean confidence", "Mia K: hello", "Speaker ?: hi", "1 of 6 lines",
                  "Jo: call Bob, due soon please check 1:01"):  # fmt: skip
        assert words in text, words
    assert [(t.text, t.is_done, t.assignee, t.due) for t in found.tasks] == [
        ("@5b10 write the notes, due 2026-05-04 1:01", False, "5b10", date(2026, 5, 4)),
        ("Jo: call Bob, due soon please check 1:01", False, None, None),
    ]
    assert "https://imp.example/recordings/rec%2F1?t=61" in {link.url for link in found.links}
    assert found.markdown.count("Ship on Monday.") == 1
    assert not any("broken" in warning for warning in found.warnings)


@pytest.mark.parametrize("style", ["list", "panel"])
def test_decisions_in_both_styles(style: str) -> None:
    storage = render(page(line("decision", "A"), line("decision", "B"), decision_style=style))
    assert ("adf-extension" in storage) == (style == "list")
    assert re.findall(r"\b[AB]\b", to_markdown(storage).markdown) == ["A", "B"]


def test_nothing_found_is_said() -> None:
    assert "No decisions were found" in shown(render(page()))
    assert "No action items were found" in shown(render(page()))


def test_line_ids_are_stable_and_unique() -> None:
    storage = render(
        page(line("topic", "same"), line("topic", "Same "), line("question", "same"), line("action", "do"))
    )
    ids = re.findall(r'local-id="([^"]+)"', storage)
    assert len(ids) == len(set(ids)) == 3
    assert line_id("topic", "same") in ids
    assert f"<ac:task-id>{task_number(line_id('action', 'do'))}</ac:task-id>" in storage
    assert storage == render(
        page(line("topic", "same"), line("topic", "Same "), line("question", "same"), line("action", "do"))
    )


HOSTILE = [
    "<script>alert(1)</script>", "]]>", "<![CDATA[x", "&nbsp;&bogus;", "\x00\x08\x1b[31m", "\ud800", "\u202eevil\u202c", "\u200fאב",
    '"><ac:structured-macro ac:name="html">', "{{ page }}{% raw %}", "x" * 40_000, "a\nb\r\nc\x85d\u2028e", "\ufffe\uffff", "]]]]>><",
]  # fmt: skip


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(section: Section, text: str) -> None:
    hostile = page(
        line(section, text, owner=text, due_text=text),
        title=text, participants=(text,), source=text, warnings=(text,), account_ids={"x": text},
        transcript=Transcript((Utterance(0, 1, text, text),), engine=text),
    )  # fmt: skip
    root = parsed(render(hostile))
    assert root.find(".//{*}script") is None
    macros = {m.get("{urn:ac}name") for m in root.iter("{urn:ac}structured-macro")}
    assert macros <= {"details", "note", "expand", "status", "panel"}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(SECTIONS), st.text(max_size=40)), max_size=8))
def test_every_line_comes_back(said: list[tuple[Section, str]]) -> None:
    storage = render(page(*(line(section, text) for section, text in said)))
    parsed(storage)
    text = shown(storage)
    for _, words in said:
        kept = re.sub(
            r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff\u202a-\u202e\u2066-\u2069]",
            "",
            words,
        )
        assert " ".join(kept.split()) in text


def test_long_transcript_is_cut_and_said_so() -> None:
    transcript = Transcript(tuple(Utterance(n, n + 1, "x" * 100, "A") for n in range(50)), engine="e")
    storage = render(replace(page(transcript=transcript), max_transcript_chars=1_000))
    assert "41 more utterances" in shown(storage)
    parsed(storage)


def test_clock_and_address() -> None:
    assert [clock(s) for s in (0, 61.9, 3600, -5)] == ["0:00", "1:01", "1:00:00", "0:00"]
    assert moment_url("https://a/", "r 1", 7.9) == "https://a/recordings/r%201?t=7"
