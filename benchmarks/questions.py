"""How long a question takes: by stage, and through Slack from the command to the visible answer.

    python -m benchmarks.questions --repeats 5

The processes of the demo run in a temporary folder: sample company synced, launch review heard. Every question of
`sandbox/company/questions.yaml` is asked `--repeats` times, one after the other, as the person it belongs to.
Through Slack: the stand-in Slack sends the signed command to the web process, a worker answers, the stand-in says when
the person sees it. Acknowledgement: what that stand-in waited for HTTP 200 from /slack/events.
"""

import argparse
import time
from collections import defaultdict

import httpx

from app.demo.questions import DemoQuestion, load_questions
from app.demo.stand_in_slack import StandInSlack
from benchmarks.in_process import compute_as_a_worker
from benchmarks.report import Figure, add_out, finish, spread
from benchmarks.sample_company import Company, running_company
from workers import people, questions

MEETING = "launch-review"
SHOWN = 0.5, 0.95


def main() -> None:
    options = _options()
    compute_as_a_worker()
    with running_company() as company:
        company.sync()
        company.hear(MEETING)
        asked = load_questions(company.folder) * options.repeats
        figures = through_slack(company, asked)
        figures += in_process(company, asked)
    finish(f"{len(asked)} questions to the sample company", figures, options)


def through_slack(company: Company, asked: list[DemoQuestion]) -> list[Figure]:
    """Each as a slash command; the first one, which loads the models, is shown apart."""
    slack = StandInSlack(company.demo.slack_url)
    waits_s = [slack.ask(one.user, _channel(one), "command", one.text).wait_s for one in [asked[0], *asked]]
    return [
        Figure("Slack: first question ever", 1000 * waits_s[0], "ms", "the worker loads its models"),
        *spread("Slack: command to answer", waits_s[1:], *SHOWN),
        *spread("Slack: acknowledgement", _acknowledged_s(company)[1:], 0.5, 0.99),
    ]


def _channel(one: DemoQuestion) -> str:
    """Where the command is typed; its answer is for the asker alone wherever that is."""
    return "general" if one.channel == "dm" else one.channel


def _acknowledged_s(company: Company) -> list[float]:
    """Seconds until each slash command had its HTTP 200, as the stand-in measured them."""
    state = httpx.get(f"{company.demo.slack_url}/_sandbox/state", timeout=30).json()
    commands = [one for one in state["deliveries"] if one["kind"] == "command"]
    if refused := [one for one in commands if not one["done"]]:
        raise SystemExit(f"no figure: {len(refused)} commands were not acknowledged")
    return [one["attempts"][0]["duration_s"] for one in commands]


def in_process(company: Company, asked: list[DemoQuestion]) -> list[Figure]:
    """Each answered here, by the code the worker runs, on the same database."""
    context = company.context
    emails = company.emails()
    stages_s: dict[str, list[float]] = defaultdict(list)
    totals_s: list[float] = []
    n_answered = 0
    for number, one in enumerate([asked[0], *asked]):
        with context.factory.begin() as session:
            person_id = people.person_by_email(session, emails[one.user]).id
            question_id = questions.write_down(
                session, one.text, person_id=person_id, place={"kind": "cli"}, max_chars=2_000
            )
        started = time.monotonic()
        found = questions.answer(context, question_id, audience=[person_id])
        if number == 0:
            continue  # loads the models
        totals_s.append(time.monotonic() - started)
        n_answered += found.outcome == "answered"
        for stage, seconds in found.timings_s.items():
            stages_s[stage].append(seconds)
    figures = [figure for stage, seconds in stages_s.items() for figure in spread(stage, seconds, *SHOWN)]
    return [
        *figures,
        *spread("in process, total", totals_s, *SHOWN),
        Figure("answered, the rest refused", n_answered / len(asked), "of all"),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.questions", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--repeats", type=int, default=5, help="how often each question is asked (default 5)")
    add_out(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
