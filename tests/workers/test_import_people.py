"""A CSV of people: every bad line is named, a file with one bad line changes nothing, a second run neither."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.access import principals_of
from core.errors import BadInput
from core.tables.people import Account, Membership, Person
from workers.import_people import import_people, read_people
from workers.people import person_of_account

GOOD = "\ufeffemail,name,slack,confluence,admin\nAda@x.org,Ada L,U0ADA,acc:ada-1,yes\n\nben@x.org,,U0BEN,,\n"


def test_lines_link_accounts_to_people(db_session: Session) -> None:
    db_session.add(Account(provider="confluence", external_id="acc:ada-1", name="Ada at Confluence"))
    db_session.flush()
    account_id = db_session.execute(select(Account.id)).scalar_one()
    db_session.add(Membership(identity_id=account_id, group_name="staff"))
    changes = import_people(db_session, read_people(GOOD.encode()))
    assert [one.does for one in changes] == [
        ("new person", "link slack U0ADA", "link confluence acc:ada-1", "admin"), ("new person", "link slack U0BEN"),
    ]  # fmt: skip
    ada = person_of_account(db_session, "slack", "U0ADA")
    assert "group:staff" in principals_of(db_session, ada)
    row = db_session.execute(select(Account).where(Account.external_id == "acc:ada-1")).scalar_one()
    assert (row.linked_by, row.name) == ("csv", "Ada at Confluence")
    assert [one.does for one in import_people(db_session, read_people(GOOD.encode()))] == [(), ()]
    assert len(db_session.execute(select(Person)).all()) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("email;slack\nada@x.org;U0ADA;more\n", "line 2: 3 cells, but the header has 2"),
        ("email,slack\nada,U0ADA\nben@x.org,@ben\n", "line 3: '@ben' is no Slack user id"),
        ("email,slack\nada,U0ADA\n", "line 2: 'ada' is no e-mail"),
        ("email,slack\na@x.org,U0ADA\nb@x.org,U0ADA\n", "line 3: slack U0ADA was given to a@x.org in line 2"),
        ("email,boss\na@x.org,yes\n", "unknown column boss"),
        ("email\na@x.org\n", "line 1 must name"),
        ("", "line 1 must name"),
        ("email,slack\n", "no line below"),
        ("email,admin\na@x.org,maybe\n", "line 2: admin is 'maybe'"),
        ("email,email\n", "twice"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(text: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_people(text.encode())
    assert says in str(caught.value)


def test_other_encodings_are_refused_with_advice() -> None:
    with pytest.raises(BadInput, match="UTF-8"):
        read_people("email,name\na@x.org,Jörg\n".encode("latin-1"))


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: f"email,name\n{text}".encode("utf-8", "replace"))
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert read_people(data)
