"""Space x ancestor x own restriction x asker x Slack place: what the product finds is what a rule of its own allows.

The rule below is written out by hand and knows no gate: it walks from the space down to the page and asks at each
door whether the reader is named. The product syncs the same pages from the stand-in, over both flavors of the API,
and searches them with its own SQL.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from core.access import gates_passed_by_all
from core.tables.people import Account, Person
from rag.embedding import HashedWordsEmbedder
from rag.query import understand
from rag.search import Ranking, search
from rag.store import StoredModel, find_model
from tests.workers.conftest import Worker
from workers import slack_people

ALICE, BEN, HUGO = "5f2a11ce0c4d5e6f70819201", "5f2be00b0c4d5e6f70819202", "5f2460000c4d5e6f70819207"
BOT = "5f2b07000c4d5e6f70819200"
GROUPS = {
    ALICE: {"staff", "engineering", "leads"},
    BEN: {"staff", "engineering"},
    HUGO: {"contractors"},
}
SPACES = {
    "STAFF": ["group:staff"],
    "OPEN": ["anonymous"],
    "TWO": [f"user:{ALICE}", "group:contractors"],
    "NONE": [f"user:{BOT}"],
}
ANCESTOR = {"free": [], "leads": ["group:leads"], "ben": [f"user:{BEN}", f"user:{HUGO}"]}
OWN = {"free": [], "engineering": ["group:engineering"], "alice": [f"user:{ALICE}", f"user:{HUGO}"]}
NAMES = {ALICE: "Alice Marlow", BEN: "Ben Okafor", HUGO: "Hugo Meyer"}
ASKERS = {"alice": ALICE, "ben": BEN, "hugo": HUGO, "unlinked": None, "external": None}
CHANNELS = {"team": ["alice", "ben"], "everybody": list(ASKERS)}
PLACES = ("alone", "team", "everybody", "too large to look at")


@dataclass(frozen=True)
class Case:
    space: str
    ancestor: str
    own: str

    @property
    def title(self) -> str:
        return f"{self.space} {self.ancestor} {self.own}"


CASES = [Case(*one) for one in product(SPACES, ANCESTOR, OWN)]


def may_pass(named: list[str], account: str | None) -> bool:
    """Whether somebody stands among those a door names."""
    if "anonymous" in named:
        return True
    if account is None:
        return False
    return f"user:{account}" in named or any(f"group:{group}" in named for group in GROUPS[account])


def may_read(case: Case, account: str | None) -> bool:
    """Through the space, past the ancestor, into the page. A page without a restriction has no door there."""
    if not may_pass(SPACES[case.space], account):
        return False
    for restriction in (ANCESTOR[case.ancestor], OWN[case.own]):
        if restriction and not may_pass(restriction, account):
            return False
    return True


def allowed(case: Case, asker: str, place: str) -> bool:
    """In public everyone who reads the place must be able to open the page; nobody knows who reads a large channel."""
    readers = [ASKERS[asker]]
    if place in CHANNELS:
        readers += [ASKERS[name] for name in CHANNELS[place]]
    elif place != "alone":
        readers.append(None)
    return all(may_read(case, reader) for reader in readers)


class FakeSlack:
    """Members of a channel, as Slack lists them; every account is known already, so nothing else is asked."""

    def conversations_members(self, *, channel: str, **_: Any) -> dict[str, Any]:
        if channel not in CHANNELS:
            return {"members": [f"U{n}" for n in range(6000)]}
        return {"members": [f"U-{name}" for name in CHANNELS[channel]] + ["U-robot"]}


def furnish(worker: Worker) -> None:
    """The pages of all cases on the stand-in, synced, linked and indexed."""
    pages: list[dict[str, Any]] = []
    for number, (space, ancestor) in enumerate(product(SPACES, ANCESTOR)):
        parent = f"above {space} {ancestor}"
        pages.append({"id": f"{900100 + number}", "space": space, "title": parent, "author": BOT,
                      "body": "<p>A page above others.</p>", "restrict": ANCESTOR[ancestor]})  # fmt: skip
        pages += [
            {"id": f"{910000 + number * 10 + n}", "space": space, "title": Case(space, ancestor, own).title,
             "parent": parent, "author": BOT, "restrict": OWN[own],
             "body": f"<p>The lantern of {space}{number} hangs where {own}{n} keeps it.</p>"}
            for n, own in enumerate(OWN)
        ]  # fmt: skip
    company = {
        "spaces": [{"key": key, "name": key, "permissions": named} for key, named in SPACES.items()],
        "pages": pages,
    }
    worker.site._call("POST", "seed", company)
    worker.sync()
    worker.context.embedder = HashedWordsEmbedder()
    while ids := worker.waiting("index_document"):  # one job may take others along
        worker.run_job(ids[0])
    link(worker)


def link(worker: Worker) -> None:
    with worker.context.factory.begin() as session:
        for name, account in ASKERS.items():
            person_id = None
            if account is not None:
                known = session.query(Account).filter_by(provider="confluence", name=NAMES[account]).one()
                if known.person_id is None:
                    person = Person(name=name)
                    session.add(person)
                    session.flush()
                    known.person_id = person.id
                person_id = known.person_id
            slack = Account(provider="slack", external_id=f"U-{name}", person_id=person_id, linked_by="admin",
                            is_external=name == "external")  # fmt: skip
            session.add(slack)
        session.add(Account(provider="slack", external_id="U-robot", is_bot=True, linked_by="admin"))


def found(worker: Worker, asker: str, place: str) -> set[str]:
    """Titles the product's search gives to this asker in this place."""
    client: Any = FakeSlack()
    audience = [slack_people.person_of(worker.context, client, f"U-{asker}")]
    if place != "alone":
        audience += slack_people.audience_of(worker.context, client, place)
    query = understand("Where does the lantern hang?")
    embedder = worker.context.embedder
    with worker.context.factory() as session:
        model = find_model(session, embedder)
        assert isinstance(model, StoredModel)
        passed = gates_passed_by_all(session, audience)
        hits = search(
            session, query, embedder.embed_query(query.text), model=model, passed_gates=passed, top_k=500,
            ranking=Ranking(n_candidates=1000, is_reranked=False),
        ).hits  # fmt: skip
    return {hit.title for hit in hits if "lantern" in hit.text}


@pytest.fixture(params=["cloud", "data_center"])
def furnished(request: pytest.FixtureRequest) -> Worker:
    worker: Worker = request.getfixturevalue(request.param)
    furnish(worker)
    return worker


def test_the_product_finds_what_the_rule_allows_and_nothing_else(furnished: Worker) -> None:
    n_cases = n_open = 0
    for asker, place in product(ASKERS, PLACES):
        shown = found(furnished, asker, place)
        for case in CASES:
            expected = allowed(case, asker, place)
            assert (case.title in shown) == expected, f"{case} asked by {asker} in {place}"
            n_cases += 1
            n_open += expected
    assert n_cases == 4 * 3 * 3 * 5 * 4
    assert 40 < n_open < n_cases / 2, "a rule that opens or closes everything would prove nothing"


def test_a_door_nobody_may_look_at_is_closed_to_all(cloud: Worker) -> None:
    """Permissions that the site shows no more: what was open to everyone is closed at the next refresh."""
    furnish(cloud)
    in_the_open = {case.title for case in CASES if case.space == "OPEN"}
    assert in_the_open & found(cloud, "unlinked", "alone")
    cloud.site.faults({"kind": "error", "status": 403, "path": "permission"})
    cloud.run("refresh_gates", f"{cloud.source_id}:space:OPEN", space_key="OPEN")
    for asker in ASKERS:
        assert not in_the_open & found(cloud, asker, "alone")
    cloud.site.faults()
    cloud.run("refresh_gates", f"{cloud.source_id}:space:OPEN", space_key="OPEN")
    assert in_the_open & found(cloud, "unlinked", "alone")
