"""Nothing of a closed document leaves the house: not in a message, a block, a name, a link or a log line.

Every place people ask in, every kind of asker, every kind of closed document. Each document carries words
that occur nowhere else in its title, text and address; whatever the product sent to Slack is searched for them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.journeys.slack.house import House, Outgoing, Recorder
from tests.journeys.slack.library import LEADS as LEADS_ONLY
from tests.journeys.slack.library import STAFF, Library
from tests.journeys.slack.seen import bot_messages, shown
from tests.sandbox.slack_driving import (
    ADA,
    BEN,
    CHI,
    EVE,
    GENERAL,
    GUS,
    LEADS,
    PARTNER,
    PROJECT,
    SlackSandbox,
    until,
)

ALL = frozenset({ADA, BEN, CHI, GUS, EVE})
MEMBERS = {
    GENERAL: {ADA, BEN, CHI, GUS},
    PROJECT: {ADA, BEN, CHI},
    LEADS: {ADA, BEN},
    PARTNER: set(ALL),
}


@dataclass(frozen=True)
class Secret:
    """A closed document: what is asked about it, the words that betray it, who may open it."""

    topic: str
    words: tuple[str, str, str]
    readers: frozenset[str]

    @property
    def question(self) -> str:
        return f"What is the access code of the {self.topic} project?"


SECRETS = (
    Secret("lighthouse", ("Velmorax", "QUARZFENSTER7", "u-lantern-31"), frozenset({ADA, BEN})),
    Secret("orchard", ("Brindlewick", "APFELKERN42", "u-apple-77"), frozenset({ADA})),
    Secret("quarry", ("Grauwacke", "STEINBRUCH99", "u-stone-12"), frozenset()),
    Secret("meadow", ("Halmwiese", "GRASHALM55", "u-grass-64"), frozenset()),
    Secret("harbour", ("Poldermast", "ANKERPLATZ8", "u-anchor-29"), frozenset()),
    Secret("glacier", ("Firnspalte", "EISKERN61", "u-ice-83"), frozenset({GUS})),
)


@pytest.fixture(scope="module")
def secrets_kept(warm_house: House) -> House:
    library = Library.open(warm_house.database_url)
    doors: dict[str, list[list[str]]] = {
        "lighthouse": [[STAFF]],
        "orchard": [[STAFF], [LEADS_ONLY]],
        "quarry": [],
        "meadow": [["anyone"]],
        "harbour": [["anyone"]],
        "glacier": [["group:guests"]],
    }
    for secret in SECRETS:
        title, code, address = secret.words
        page_id = library.page(
            f"The {secret.topic} project {title}",
            f"The access code of the {secret.topic} project is {code}.",
            *doors[secret.topic],
            url=f"https://wiki.example/{address}",
        )
        if secret.topic == "meadow":
            warm_house.rows("UPDATE documents SET deleted_at = now() WHERE id = :id", id=page_id)
        if secret.topic == "harbour":
            warm_house.rows("UPDATE documents SET status = 'archived' WHERE id = :id", id=page_id)
    library.close()
    return warm_house


def all_done(house: House) -> None:
    until(
        lambda: (
            not house.rows(
                "SELECT 1 FROM jobs WHERE kind IN ('answer_question', 'share_answer', 'show_sources') "
                "AND state IN ('queued', 'running')"
            )
        ),
        "jobs did not end",
        120,
    )


def public_channel(one: Outgoing) -> str | None:
    """The channel whose members all read this request's message; None when one person does."""
    if one.path not in ("/api/chat.postMessage", "/api/chat.update"):
        return None
    channel = str(one.fields["channel"])
    return channel if channel in MEMBERS else None


def leaks(sent: list[Outgoing], asker: str) -> Iterator[str]:
    for one in sent:
        channel = public_channel(one)
        readers = MEMBERS[channel] if channel else {asker}
        for secret in SECRETS:
            if not readers <= secret.readers:
                for word in secret.words:
                    if word.lower() in f"{one.path} {one.body}".lower():
                        yield f"{word} in {one.path} read by {sorted(readers)}: {one.body[:300]}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "asker", [ADA, BEN, CHI, GUS, EVE], ids=["leader", "staff", "unlinked", "guest", "external"]
)
def test_nothing_closed_is_said_anywhere(
    secrets_kept: House, house: House, slack: SlackSandbox, sent: Recorder, asker: str
) -> None:
    direct = slack.act("direct", user=asker, **{"with": "imp"})["channel"]
    for channel in (one for one, members in MEMBERS.items() if asker in members):
        thread = slack.act("message", user=asker, channel=channel, text="good morning")["ts"]
        for secret in SECRETS:
            slack.act("command", user=asker, channel=channel, command="/ask", text=secret.question)
            slack.act("message", user=asker, channel=channel, text=f"@imp {secret.question}")
            slack.act(
                "message", user=asker, channel=channel, text=f"@imp {secret.question}", thread_ts=thread
            )
    for secret in SECRETS:
        slack.act("message", user=asker, channel=direct, text=secret.question)
    all_done(house)
    clickable = [
        (message, button)
        for message in slack.state()["messages"]
        for button in ("share", "sources")
        if f"'action_id': '{button}'" in shown(message) and message["visible_to"] in (None, asker)
    ]
    for message, button in clickable:
        slack.act("click", user=asker, ts=message["ts"], channel=message["channel"], action_id=button)
    all_done(house)
    found = list(leaks(sent.sent, asker))
    assert not found, f"{len(found)} leaks, the first: {found[0]}"
    assert any(public_channel(one) for one in sent.sent), "what was said in public was looked at"
    said = "".join(one.body for one in sent.sent)
    for secret in SECRETS:
        if asker in secret.readers:
            assert secret.words[1] in said, (
                f"{secret.topic} may be told to {asker}, so the search is not blind"
            )
    for name in ("web", "worker", "beat"):
        log = house.log(name).lower()
        assert not [word for secret in SECRETS for word in secret.words if word.lower() in log]


def test_closed_and_missing_read_the_same(house: House, slack: SlackSandbox) -> None:
    """Whether a page is closed or was never written, the asker sees the same words."""
    question = "Who won the regatta of the Tannenberg sailors?"

    def answer(place: str) -> list[str]:
        slack.act("reset")
        url = f"{house.url}/slack/events"
        slack.put("settings", events_url=url, commands_url=url, interactions_url=url)
        if place == "command":
            slack.act("command", user=BEN, channel=GENERAL, command="/ask", text=question)
        else:
            slack.act("message", user=BEN, channel=GENERAL, text=f"@imp {question}")
        until(lambda: bot_messages(slack, GENERAL), "nothing was said")
        all_done(house)
        return [m["text"] for m in bot_messages(slack, GENERAL)] + [
            block.get("text", {}).get("text", "")
            for m in bot_messages(slack, GENERAL)
            for block in m.get("blocks") or []
            if block["type"] == "section"
        ]

    missing = [answer(place) for place in ("command", "mention")]
    library = Library.open(house.database_url)
    library.page(
        "Regatta", "Fenna Holt won the regatta of the Tannenberg sailors.", [STAFF], [LEADS_ONLY],
        url="https://wiki.example/regatta",
    )  # fmt: skip
    library.close()
    assert [answer(place) for place in ("command", "mention")] == missing
