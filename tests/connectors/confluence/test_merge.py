"""What people did to a page survives a new draft, and the new draft gets in where they did nothing."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.confluence.merge import Merged, merge, task_states
from connectors.confluence.minutes_page import MinutesPage, line_id, render
from connectors.confluence.page_pieces import pieces_of
from connectors.confluence.storage_format.convert import to_markdown
from connectors.confluence.storage_format.parse import parse
from core.minutes import Evidence, MinutesDraft, MinutesLine, Section
from core.transcript import Transcript, Utterance
from tests.connectors.confluence.samples import SAMPLES, needs_samples

Said = tuple[Section, str]
FIRST: tuple[Said, ...] = (
    ("summary", "The team met about the launch."),
    ("decision", "Ship the beta on Monday."),
    ("decision", "Use Postgres for the queue."),
    ("action", "Write the release notes."),
    ("action", "Book the demo room."),
    ("question", "Who pays for the servers?"),
    ("topic", "Launch plan and risks."),
)


def draft(*said: Said, style: str = "list", due: date | None = None, warnings: tuple[str, ...] = ()) -> str:
    lines = tuple(MinutesLine(section, text, (Evidence(0, 0, 5, 9),), 0.9, due=due) for section, text in said)
    return render(
        MinutesPage(
            "r1", "Weekly", "https://imp.example", MinutesDraft(lines, "extractive"),
            Transcript((Utterance(0, 9, "hello all", "Mia"),), "vtt"), decision_style=style, warnings=warnings,  # type: ignore[arg-type]
        )
    )  # fmt: skip


def shown(storage: str) -> str:
    found = to_markdown(storage)
    assert not any("broken" in warning for warning in found.warnings)
    return found.markdown


def without(storage: str, text: str) -> str:
    """The page after somebody deleted the line with this text."""
    line = rf"(<li>(?:(?!<li>).)*{re.escape(text)}.*?</li>|<ac:task>(?:(?!<ac:task>).)*{re.escape(text)}.*?</ac:task>)\n?"
    changed = re.sub(line, "", storage, count=1, flags=re.DOTALL)
    assert changed != storage
    return changed


BASE = draft(*FIRST)
STATUS = '<ac:structured-macro ac:name="status">{}</ac:structured-macro>'
COLOUR = '<ac:parameter ac:name="colour">Red</ac:parameter>'
TITLE = '<ac:parameter ac:name="title">late</ac:parameter>'


@pytest.fixture(params=["list", "panel"])
def drafted(request: pytest.FixtureRequest) -> Callable[..., str]:
    return lambda *said: draft(*said, style=request.param)


def test_pieces_put_together_are_the_page() -> None:
    pieces = pieces_of(BASE)
    assert pieces is not None
    assert "".join(p.source for p in pieces) == BASE
    assert any(p.is_list and p.kind == "ac:adf-extension" and len(p.items) == 2 for p in pieces)


class TestPeople:
    def test_a_changed_line_stays(self, drafted: Callable[..., str]) -> None:
        base = drafted(*FIRST)
        theirs = base.replace("Ship the beta on Monday.", "Ship the beta on Tuesday!")
        merged = merge(base, theirs, drafted(*FIRST, ("topic", "Hiring.")))
        assert "Ship the beta on Tuesday!" in shown(merged.storage)
        assert "on Monday" not in shown(merged.storage)
        assert "Hiring." in shown(merged.storage)
        assert merged.conflicts == ()

    def test_a_deleted_line_stays_deleted(self) -> None:
        merged = merge(BASE, without(BASE, "Who pays"), draft(*FIRST, ("question", "When is the launch?")))
        assert "Who pays" not in shown(merged.storage)
        assert "When is the launch?" in shown(merged.storage)

    def test_a_line_they_deleted_and_the_draft_reworded_stays_deleted_and_is_reported(self) -> None:
        reworded = [
            (s, t.replace("Who pays for the servers?", "Who pays for the new servers?")) for s, t in FIRST
        ]
        merged = merge(BASE, without(BASE, "Who pays"), draft(*reworded))
        assert "Who pays" not in shown(merged.storage)
        assert [(c.section, c.kept, c.dropped[:24]) for c in merged.conflicts] == [
            ("Open questions", "", "Who pays for the new ser")
        ]

    def test_a_list_deleted_with_its_last_line_takes_new_lines_while_its_heading_stands(self) -> None:
        theirs = re.sub(r"<ul>\s*</ul>", "", without(BASE, "Who pays"))
        ours = draft(*FIRST, ("question", "When is the launch?"))
        merged = shown(merge(BASE, theirs, ours).storage)
        assert "Who pays" not in merged
        assert (
            merged.index("## Open questions")
            < merged.index("- When is the launch?")
            < merged.index("## Topics")
        )
        without_section = merge(BASE, theirs.replace("<h2>Open questions</h2>", ""), ours)
        assert "When is" not in shown(without_section.storage)
        assert len(without_section.conflicts) == 1

    def test_added_lines_and_blocks_stay_where_they_are(self) -> None:
        theirs = BASE.replace("<h2>Topics</h2>", "<p>Call me.</p><h2>Topics</h2>").replace(
            "</ac:task>\n<ac:task>", "</ac:task><ac:task><ac:task-id>3</ac:task-id><ac:task-status>incomplete</ac:task-status>"
            "<ac:task-body>mine</ac:task-body></ac:task>\n<ac:task>", 1
        )  # fmt: skip
        merged = shown(merge(BASE, theirs, draft(*FIRST[1:], ("topic", "Hiring."))).storage)
        assert merged.index("release notes") < merged.index("mine") < merged.index("demo room")
        assert merged.index("Call me.") < merged.index("## Topics") < merged.index("Hiring.")
        assert "The team met" not in merged

    def test_rows_of_the_facts_merge_one_by_one(self) -> None:
        theirs = BASE.replace("<td><p>vtt</p></td>", "<td><p>Mia's notes</p></td>")
        ours = BASE.replace("<td><p>extractive</p></td>", "<td><p>flan-t5</p></td>")
        merged = shown(merge(BASE, theirs, ours).storage)
        assert "| **Transcribed by** | Mia's notes |" in merged
        assert "| **Drafted by** | flan-t5 |" in merged

    def test_a_page_wrapped_in_a_layout_still_merges(self) -> None:
        cell = "<ac:layout><ac:layout-section><ac:layout-cell>{}</ac:layout-cell></ac:layout-section></ac:layout>"
        merged = merge(BASE, cell.format(BASE), draft(*FIRST, ("topic", "Hiring.")))
        assert merged.storage.startswith("<ac:layout><ac:layout-section><ac:layout-cell>")
        assert "Hiring." in shown(merged.storage)
        assert shown(merged.storage).count("Launch plan") == 1

    def test_moved_sections_stay_moved(self) -> None:
        start, end = BASE.index("<h2>Open questions"), BASE.index("<h2>Topics")
        theirs = BASE[start:end] + BASE[:start] + BASE[end:]
        merged = shown(merge(BASE, theirs, draft(*FIRST, ("question", "When?"))).storage)
        assert merged.index("## Open questions") < merged.index("When?") < merged.index("## Decisions")

    def test_both_changed_keeps_theirs_and_says_so(self) -> None:
        theirs = BASE.replace("Book the demo room.", "Book the big demo room.")
        reworded = [(s, t.replace("Book the demo room.", "Book the demo room today.")) for s, t in FIRST]
        merged = merge(BASE, theirs, draft(*reworded))
        assert "Book the big demo room." in shown(merged.storage)
        assert "today" not in shown(merged.storage)
        assert [(c.section, c.kept, c.dropped) for c in merged.conflicts] == [
            ("Action items", "Book the big demo room. 0:05", "Book the demo room today. 0:05")
        ]

    def test_a_line_both_added_is_written_once(self) -> None:
        added = "<li><p><a href='https://imp.example/recordings/r1?t=5'>0:05</a> Hiring.</p></li></ul>"
        head, tail = BASE.split("<h2>Topics</h2>")
        theirs = head + "<h2>Topics</h2>" + tail.replace("</ul>", added, 1)
        assert shown(merge(BASE, theirs, draft(*FIRST, ("topic", "Hiring."))).storage).count("Hiring.") == 1


class TestTicks:
    def tick(self, storage: str, text: str) -> str:
        before, after = storage[: storage.index(text)], storage[storage.index(text) :]
        start = before.rindex("incomplete")
        return before[:start] + "complete" + before[start + len("incomplete") :] + after

    def test_a_ticked_task_stays_ticked_when_the_draft_changes_it(self) -> None:
        theirs = self.tick(BASE, "Book the demo room.")
        merged = merge(BASE, theirs, draft(*FIRST, due=date(2026, 5, 4)))
        states = task_states(merged.storage)
        assert states[line_id("action", "Book the demo room.")] is True
        assert states[line_id("action", "Write the release notes.")] is False
        assert merged.storage.count('datetime="2026-05-04"') == 2
        assert merged.conflicts == ()

    def test_a_ticked_task_the_draft_dropped_stays(self) -> None:
        theirs = self.tick(BASE, "Book the demo room.")
        merged = merge(BASE, theirs, draft(*(said for said in FIRST if "demo" not in said[1])))
        assert "- [x] Book the demo room." in shown(merged.storage)

    def test_states_without_uuids_go_by_number(self) -> None:
        task = "<ac:task><ac:task-id>{}</ac:task-id><ac:task-status>{}</ac:task-status><ac:task-body>x</ac:task-body></ac:task>"
        tasks = task.format(4, "complete") + task.format(5, "incomplete")
        assert task_states(f"<ac:task-list>{tasks}</ac:task-list>") == {"4": True, "5": False}
        assert task_states("<ac:task-list><ac:task>") == {}


class TestDraft:
    def test_untouched_lines_follow_the_draft(self) -> None:
        ours = draft(("summary", "The team met again about the launch."), *FIRST[2:], warnings=("Rough.",))
        assert merge(BASE, BASE, ours) == Merged(ours, (), True)

    def test_what_confluence_rewrites_on_saving_is_no_change_by_people(self) -> None:
        saved = re.sub(r' local-id="[^"]*"', "", BASE).replace(
            ' ac:schema-version="1"', ' ac:schema-version="1" ac:macro-id="7"'
        )
        saved = re.sub(r"<ac:task-uuid>.*?</ac:task-uuid>", "", saved).replace(
            "<table><tbody>", "<table><colgroup><col /></colgroup><tbody>"
        )
        saved = re.sub(r">\n+<", "><", saved)
        ours = draft(*FIRST[2:], ("topic", "Hiring."))
        merged = merge(BASE, saved, ours)
        assert shown(merged.storage) == shown(ours)
        assert merged.conflicts == ()

    def test_the_second_telling_of_decisions_follows_the_first(self) -> None:
        theirs = BASE.replace("Ship the beta on Monday.", "Ship it.", 1)
        storage = merge(BASE, theirs, draft(*FIRST, ("decision", "Hire Bob."))).storage
        fallback = storage[storage.index("<ac:adf-fallback>") : storage.index("</ac:adf-fallback>")]
        assert re.findall(r"<li>([^<]*?) ?<", fallback) == [
            "Ship it.",
            "Use Postgres for the queue.",
            "Hire Bob.",
        ]

    def test_a_decision_people_added_outlives_the_drafts_own(self) -> None:
        item = '<ac:adf-node type="decision-item"><ac:adf-content>Ours alone.</ac:adf-content></ac:adf-node>'
        theirs = BASE.replace(
            '<ac:adf-node type="decision-item">', item + '<ac:adf-node type="decision-item">', 1
        )
        merged = merge(BASE, theirs, draft(*(said for said in FIRST if said[0] != "decision"))).storage
        assert merged.count("Ours alone.") == 2  # told in the node and in its fallback
        assert "Ship the beta" not in merged
        assert "- **Decision:** Ours alone." in shown(merged)

    def test_the_order_of_macro_parameters_says_nothing(self) -> None:
        flagged = BASE.replace("Ship the beta on Monday.", STATUS.format(COLOUR + TITLE))
        saved = BASE.replace("Ship the beta on Monday.", STATUS.format(TITLE + COLOUR))
        assert merge(flagged, saved, BASE) == Merged(BASE, (), True)

    def test_a_first_decision_replaces_none_found(self) -> None:
        base, ours = draft(FIRST[0]), draft(*FIRST)
        theirs = base.replace("about the launch", "about the big launch")
        merged = shown(merge(base, theirs, ours).storage)
        assert "No decisions were found" not in merged
        assert "Use Postgres" in merged
        assert "big launch" in merged


@pytest.mark.parametrize(
    "broken", ["<p>never closed", "</ul>", "<ul><li>a</ul>", "<div>" * 500, "", "plain", "<", "\ud800"]
)
def test_a_page_nobody_can_take_apart_is_kept(broken: str) -> None:
    merged = merge(BASE, broken, draft(*FIRST, ("topic", "Hiring.")))
    if parse(broken).n_repairs:
        assert merged.storage == broken
        assert len(merged.conflicts) == 1
    merge(broken, BASE, BASE)
    merge(BASE, BASE, broken)


# ---- properties

_texts = st.sampled_from(
    [
        "Ship it.",
        "Ship it now.",
        "Ask Bob about it.",
        "Ask Bob.",
        "a < b & c",
        "Book the room",
        "Pay.",
        "Pay Mia.",
        "Plan B",
    ]
)
_sections = st.sampled_from(["summary", "decision", "action", "question", "topic"])
_drafts = st.builds(
    lambda said, style, due, warned: draft(*said, style=style, due=due, warnings=warned),
    st.lists(st.tuples(_sections, _texts), max_size=8),
    st.sampled_from(["list", "panel"]),
    st.sampled_from([None, date(2026, 1, 2)]),
    st.sampled_from([(), ("Rough.",), ("Rough.", "Old.")]),
)


@st.composite
def _edited(draw: st.DrawFn, storage: str) -> str:
    """A page after a person's edits, well formed: pieces deleted, moved, reworded, ticked, added, wrapped."""
    for _ in range(draw(st.integers(0, 4))):
        pieces = pieces_of(storage) or []
        blocks = [n for n, p in enumerate(pieces) if p.kind not in ("open", "close")]
        edit = draw(st.sampled_from(["delete", "move", "reword", "tick", "add", "item", "wrap"]))
        sources = [p.source for p in pieces]
        if edit == "reword":
            storage = storage.replace(
                draw(_texts), draw(st.sampled_from(["Done.", "Ship it.", "Ship it <em>soon</em>."])), 1
            )
        elif edit == "tick":
            storage = storage.replace(
                "<ac:task-status>incomplete", "<ac:task-status>complete", draw(st.integers(0, 2))
            )
        elif edit == "item":
            storage = storage.replace(
                "</p></li>", f"</p></li><li>{draw(st.sampled_from(['Pay.', 'new']))}</li>", 1
            )
        elif edit == "wrap":
            storage = f"<div>{storage}</div>"
        elif edit == "add" or not blocks:
            storage = draw(st.sampled_from(["<p>hi</p>", "<h2>Topics</h2>", "<hr/>"])) + storage
        else:
            taken = sources.pop(draw(st.sampled_from(blocks)))
            if edit == "move":
                sources.insert(draw(st.sampled_from([0, len(sources)])), taken)
            storage = "".join(sources)
    return storage


@settings(max_examples=200, deadline=None)
@given(_drafts, _drafts)
def test_an_untouched_page_becomes_the_new_draft(base: str, ours: str) -> None:
    assert merge(base, base, ours) == Merged(ours, (), ours != base)


@settings(max_examples=200, deadline=None)
@given(st.data(), _drafts)
def test_an_unchanged_draft_leaves_the_page_alone(data: st.DataObject, base: str) -> None:
    theirs = data.draw(_edited(base))
    assert merge(base, theirs, base) == Merged(theirs, (), False)


@settings(max_examples=200, deadline=None)
@given(st.data(), _drafts, _drafts)
def test_any_merge_is_well_formed_and_settles(data: st.DataObject, base: str, ours: str) -> None:
    theirs = data.draw(_edited(base))
    merged = merge(base, theirs, ours)
    assert parse(merged.storage).n_repairs == 0
    for added in ("hi", "new"):
        assert len(re.findall(rf">{added}<", merged.storage)) >= min(
            len(re.findall(rf">{added}<", theirs)), 1
        )
    again = merge(ours, merged.storage, ours)
    assert again.storage == merged.storage


@needs_samples
@pytest.mark.parametrize("name", SAMPLES)
def test_real_pages_merge(name: str) -> None:
    page = SAMPLES[name]
    added = page + "<p>one more line</p>"
    assert merge(page, page, added).storage == added
    assert merge(page, added, page).storage == added
    merge(BASE, page, draft(*FIRST, ("topic", "Hiring.")))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30) | _drafts, st.text(max_size=30) | _drafts, st.text(max_size=30) | _drafts)
def test_merge_never_raises_and_tells_whether_it_changed_the_page(base: str, theirs: str, ours: str) -> None:
    merged = merge(base, theirs, ours)
    assert merged.changed == (merged.storage != theirs)
