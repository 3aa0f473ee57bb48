"""Gates: a door lets through whom it names, nobody else; an audience passes what everyone in it passes."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from core.access import ANYONE, gates_passed_by_all, passed_gates, principals_of, set_gate
from core.tables.documents import Gate, Source
from core.tables.people import Account, Membership, Person

MakePerson = Callable[..., int]


@pytest.fixture
def source_id(db_session: Session) -> int:
    source = Source(name="site", kind="confluence")
    db_session.add(source)
    db_session.flush()
    return source.id


@pytest.fixture
def make_person(db_session: Session) -> MakePerson:
    def make(name: str, *groups: str, provider: str = "confluence") -> int:
        person = Person(name=name)
        db_session.add(person)
        db_session.flush()
        account = Account(provider=provider, external_id=f"acc-{name}", person_id=person.id)
        db_session.add(account)
        db_session.flush()
        db_session.add_all(Membership(identity_id=account.id, group_name=group) for group in groups)
        db_session.flush()
        return person.id

    return make


def test_what_a_person_is_for_a_door(db_session: Session, make_person: MakePerson) -> None:
    ann = make_person("ann", "staff", "leads")
    assert sorted(principals_of(db_session, ann)) == [ANYONE, "group:leads", "group:staff", "user:acc-ann"]
    assert principals_of(db_session, None) == [ANYONE]
    assert principals_of(db_session, 2**31 - 1) == [ANYONE]


def test_slack_groups_open_no_confluence_door(db_session: Session, make_person: MakePerson) -> None:
    eve = make_person("eve", "staff", provider="slack")
    assert principals_of(db_session, eve) == [ANYONE]


def test_doors_let_through_whom_they_name(
    db_session: Session, source_id: int, make_person: MakePerson
) -> None:
    staff = set_gate(db_session, source_id, "space:HB", ["group:staff"])
    own = set_gate(db_session, source_id, "page:1", ["user:acc-ann"])
    public = set_gate(db_session, source_id, "space:DOCS", [ANYONE])
    nobody = set_gate(db_session, source_id, "page:2", [])
    ann, ben, hugo = make_person("ann", "staff"), make_person("ben", "staff"), make_person("hugo")
    assert set(passed_gates(db_session, ann)) == {staff, own, public}
    assert set(passed_gates(db_session, ben)) == {staff, public}
    assert passed_gates(db_session, hugo) == passed_gates(db_session, None) == [public]
    assert nobody not in passed_gates(db_session, ann)


def test_an_audience_passes_what_all_of_it_pass(
    db_session: Session, source_id: int, make_person: MakePerson
) -> None:
    staff = set_gate(db_session, source_id, "space:HB", ["group:staff"])
    public = set_gate(db_session, source_id, "space:DOCS", [ANYONE])
    ann, hugo = make_person("ann", "staff"), make_person("hugo")
    assert gates_passed_by_all(db_session, [ann]) == sorted([staff, public])
    assert gates_passed_by_all(db_session, [ann, ann]) == sorted([staff, public])
    assert gates_passed_by_all(db_session, [ann, hugo]) == [public]
    assert gates_passed_by_all(db_session, [ann, None]) == [public]
    assert gates_passed_by_all(db_session, []) == [], "nobody is not everybody"


def test_a_change_of_a_door_takes_effect_at_once(
    db_session: Session, source_id: int, make_person: MakePerson
) -> None:
    ann = make_person("ann", "staff")
    gate = set_gate(db_session, source_id, "space:HB", ["group:staff", "group:staff"])
    assert db_session.get_one(Gate, gate).principals == ["group:staff"]
    assert set_gate(db_session, source_id, "space:HB", ["group:leads"]) == gate
    assert gate not in passed_gates(db_session, ann)


def test_a_name_that_looks_like_a_group_opens_no_group_door(
    db_session: Session, source_id: int, make_person: MakePerson
) -> None:
    gate = set_gate(db_session, source_id, "space:HB", ["group:staff"])
    tricky = make_person("group:staff")
    assert gate not in passed_gates(db_session, tricky)
