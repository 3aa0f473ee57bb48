"""Pages and questions full of hostile text, through index, answer and Slack: well-formed and harmless."""

import re

import pytest

from tests.connectors.slack.hostile import HOSTILE
from tests.journeys.slack.house import House
from tests.journeys.slack.library import Library
from tests.journeys.slack.seen import bot_messages, shown
from tests.journeys.slack.test_slack_leaks import all_done
from tests.sandbox.slack_driving import ADA, BEN, GENERAL, SlackSandbox

OURS = re.compile(r"https://(wiki\.example|evil\.example/\?a=%3C)|@U0ADA00001\Z")


def typed(text: str) -> str:
    """As it survives JSON on its way to the stand-in, at most as long as a question may be."""
    return text[:1_500].encode("utf-8", "replace").decode()


@pytest.mark.slow
def test_hostile_pages_and_questions_do_no_harm(house: House, slack: SlackSandbox, library: Library) -> None:
    for number, hostile in enumerate(HOSTILE):
        words = typed(hostile).replace("\x00", "")
        library.page(
            f"Vault {number} {words[:200]}",
            f"The passphrase of vault {number} is OPENSESAME{number}. {words}",
            ["anyone"],
            url=f"https://wiki.example/vault/{number}",
        )
    house.rows("UPDATE identities SET name = '<!channel>*' WHERE external_id = :id", id=BEN)
    ((newest,),) = house.rows("SELECT coalesce(max(id), 0) FROM jobs")
    for number, hostile in enumerate(HOSTILE):
        question = f"What is the passphrase of vault {number}, <@{BEN}>? {typed(hostile)}"
        slack.act("command", user=ADA, channel=GENERAL, command="/ask", text=question)
        if number % 4 == 0:
            slack.act("message", user=ADA, channel=GENERAL, text=f"@imp {question}")
    all_done(house)
    state = slack.state()
    refused = [one for one in state["requests"] if one["error"] not in (None, "")]
    assert not refused, refused[:3]
    failed = house.rows(
        "SELECT error FROM jobs WHERE kind = 'answer_question' AND state = 'failed' AND id > :newest",
        newest=newest,
    )
    assert not failed, failed[:3]
    said = [shown(message) for message in bot_messages(slack, GENERAL)]
    n_answered = sum("OPENSESAME" in one for one in said)
    assert n_answered > len(HOSTILE) // 2, "the search must find most of them, or nothing was proved"
    for one in said:
        for mark in re.findall(r"<([^<>]*)>", one):
            assert OURS.match(mark.split("|")[0]), mark
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x00-\x08]", one)
