"""A reviewer's edits: each is a new version, untouched lines keep their proof, nothing is lost to somebody else's."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.errors import BadInput, Conflict, NotFound
from core.minutes import Evidence, MinutesDraft, MinutesLine
from core.tables.documents import Source
from core.tables.meetings import Minutes, Recording
from workers.edit_minutes import WrittenLine, assign_owners, edit_lines, edit_sections
from workers.minutes import approve, draft_of, save_draft

LINES = (
    MinutesLine("summary", "The launch was discussed.", (Evidence(0, 1, 0.0, 9.0),), 0.9),
    MinutesLine("decision", "The launch moves to Friday.", (Evidence(2, 2, 10.0, 14.0),), 1.0),
    MinutesLine("decision", "The budget stays at 900 euros.", (Evidence(5, 5, 40.0, 44.0),), 0.8),
    MinutesLine(
        "action", "Ben will write the notes.", (Evidence(3, 3, 20.0, 24.0),), 1.0, "Ben", date(2026, 5, 7), "Thursday",
        is_flagged=True,
    ),
)  # fmt: skip


@pytest.fixture
def drafted(db_session: Session) -> int:
    source = Source(name="uploads", kind="recordings", state="ready")
    db_session.add(source)
    db_session.flush()
    recording = Recording(
        sha256="e" * 64, blob_url="file:///x", file_name="x.wav", size_bytes=1, title="Weekly", source_id=source.id
    )  # fmt: skip
    db_session.add(recording)
    db_session.flush()
    return save_draft(db_session, recording.id, MinutesDraft(LINES, "test", ("a warning",)))


def lines_of(session: Session, minutes_id: int) -> tuple[MinutesLine, ...]:
    return draft_of(session.get_one(Minutes, minutes_id)).lines


def test_only_what_was_changed_is_marked(db_session: Session, drafted: int) -> None:
    said = "The budget stays at 900 euros.\nThe launch moves to Monday.\n\n  Cake  is served.\n"
    edited = edit_sections(db_session, drafted, {"decision": said}, person_id=None)
    summary, budget, launch, cake, action = lines_of(db_session, edited)
    assert (summary, budget, action) == (LINES[0], LINES[2], LINES[3])
    assert (launch.text, launch.evidence, launch.is_edited) == (
        "The launch moves to Monday.", LINES[1].evidence, True,
    )  # fmt: skip
    assert (cake.text, cake.evidence, cake.is_edited) == ("Cake is served.", (), True)
    old, new = db_session.get_one(Minutes, drafted), db_session.get_one(Minutes, edited)
    assert (old.state, new.state, new.version) == ("superseded", "draft", old.version + 1)
    assert new.warnings == ["a warning"]
    assert lines_of(db_session, drafted) == LINES


def test_a_reworded_action_keeps_owner_and_date_and_loses_its_flag(db_session: Session, drafted: int) -> None:
    edited = edit_sections(
        db_session, drafted, {"action": "Ben will write the release notes."}, person_id=None
    )
    action = lines_of(db_session, edited)[-1]
    assert (action.owner, action.due, action.due_text) == ("Ben", date(2026, 5, 7), "Thursday")
    assert action.is_edited and not action.is_flagged and action.support == 0.0


def test_nothing_changed_makes_no_version(db_session: Session, drafted: int) -> None:
    same = {"summary": "The launch was discussed.", "question": " \n"}
    assert edit_sections(db_session, drafted, same, person_id=None) == drafted  # type: ignore[arg-type]
    assert db_session.get_one(Minutes, drafted).state == "draft"


def test_two_reviewers_do_not_overwrite_each_other(db_session: Session, drafted: int) -> None:
    edit_sections(db_session, drafted, {"summary": "First."}, person_id=None)
    with pytest.raises(Conflict, match="meanwhile"):
        edit_sections(db_session, drafted, {"summary": "Second."}, person_id=None)


def test_approved_minutes_are_not_edited(db_session: Session, drafted: int) -> None:
    approve(db_session, drafted)
    with pytest.raises(Conflict, match="approved"):
        edit_sections(db_session, drafted, {"summary": "Late."}, person_id=None)


def test_an_action_is_given_to_somebody_else(db_session: Session, drafted: int) -> None:
    edited = assign_owners(db_session, drafted, {3: "Ada"}, person_id=None)
    action = lines_of(db_session, edited)[3]
    assert (action.text, action.owner, action.due) == ("Ada will write the notes.", "Ada", date(2026, 5, 7))
    assert lines_of(db_session, edited)[:3] == LINES[:3]
    assert assign_owners(db_session, edited, {3: "Ada"}, person_id=None) == edited
    nobody = assign_owners(db_session, edited, {3: None}, person_id=None)
    assert lines_of(db_session, nobody)[3].owner is None


@pytest.mark.parametrize(
    "written",
    [
        [],
        [WrittenLine("summary", "  ")],
        [WrittenLine("summary", "x" * 2_001)],
        [WrittenLine("summary", "one", 0), WrittenLine("summary", "two", 0)],
        [WrittenLine("summary", "one", 4)],
        [WrittenLine("summary", "one", -1)],
        [WrittenLine("action", "one", owner="x" * 121)],
        [WrittenLine("summary", "one")] * 501,
    ],
)
def test_what_is_no_minutes(db_session: Session, drafted: int, written: list[WrittenLine]) -> None:
    with pytest.raises(BadInput):
        edit_lines(db_session, drafted, written, person_id=None)
    assert db_session.get_one(Minutes, drafted).state == "draft"


def test_what_is_not_there(db_session: Session, drafted: int) -> None:
    with pytest.raises(NotFound):
        edit_lines(db_session, 10**6, [], person_id=None)
    with pytest.raises(BadInput):
        assign_owners(db_session, drafted, {0: "Ada"}, person_id=None)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from([LINES[1].text, LINES[2].text, "The launch moves.", "Something new."]), min_size=1
    )
)
def test_whatever_is_written_is_what_is_kept(db_session: Session, drafted: int, said: list[str]) -> None:
    with db_session.begin_nested() as attempt:
        edited = edit_sections(db_session, drafted, {"decision": "\n".join(said)}, person_id=None)
        kept = [line for line in lines_of(db_session, edited) if line.section == "decision"]
        assert [line.text for line in kept] == said
        for old in LINES[1:3]:  # the first that says the same is the line itself
            assert sum(line == old for line in kept) == min(1, said.count(old.text))
        attempt.rollback()
    db_session.expire_all()
