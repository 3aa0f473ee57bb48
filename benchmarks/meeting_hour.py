"""A meeting of one hour, its transcript beside it, until its minutes are a page: wall seconds and peak memory.

    python -m benchmarks.meeting_hour

The sound is made here (tones, so that nothing is to be heard), the transcript from sentences of our own, about 9,000
words. Its jobs run in this process on an embedded Postgres, one after the other as a worker with nothing else to do
runs them; the page is written to the stand-in Confluence, a process of its own. Seconds count from the file handed in
to the page published; the models load within that, as after a restart (`--warm` loads them before). Memory is the
highest resident memory of this process, which is all workers at once, without Postgres and the stand-in.
"""

import argparse
import itertools
import random
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from benchmarks.in_process import compute_as_a_worker, run_waiting, temporary_context
from benchmarks.made_up_site import ACCOUNT
from benchmarks.report import Figure, add_out, finish
from core.log import configure_logging
from sandbox.confluence.process import REPOSITORY, running
from workers.add_recording import LocalRecording, add_local
from workers.context import Context

BUDGET_S = 60.0
STEPS = ("transcribe_recording", "index_document", "draft_minutes", "publish_minutes")
PEOPLE = ("Ada Holm", "Ben Okafor", "Carla Reyes", "Dan Wu", "Eve Lindt")
THINGS = (
    "the billing export", "the warehouse scanner", "the login page", "the price list", "the search index", "the backup",
    "the onboarding guide", "the mobile release", "the supplier contract", "the load test", "the support rota",
    "the audit report", "the staging cluster", "the newsletter", "the returns process", "the quarterly budget",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
SAID = (
    "I looked at {thing} again and it still takes {number} minutes, which is more than we promised in spring.",
    "Um, so the numbers for {thing} went up by {number} percent since we last spoke about it.",
    "Yeah, right.",
    "Customers keep asking about {thing}, and I think they are mostly confused by the second step.",
    "If we move {thing} to the other team we lose about {number} days, but nobody waits for us any more.",
    "We tried {other} first, and that made {thing} slower, so I put it back on {day}.",
    "Okay, thanks.",
    "The risk with {thing} is that only two people know how {other} works.",
    "I am not sure that {thing} belongs into this release at all, to be honest.",
    "Can somebody tell me who owns {thing} while {who} is away?",
    "Last year we had {number} incidents with {thing}, and most of them began with {other}.",
)  # fmt: skip
TOLD = (
    "Okay, so we decided to ship {thing} on {day} and to leave {other} as it is.",
    "{who} will write up what we know about {thing} by {day}.",
    "I will send the new figures for {thing} to everybody until {day}.",
    "Then it is agreed: {other} waits until {thing} is done.",
    "How long may {thing} be down before we have to tell the customers?",
)
PUBLISHED = text(
    "SELECT page_url, jsonb_array_length(lines) AS n_lines FROM minutes WHERE state = 'published'"
)


def main() -> None:
    options = _options()
    configure_logging(level="ERROR")
    compute_as_a_worker()
    with (
        tempfile.TemporaryDirectory(prefix="imp-hour-") as folder,
        running(seed=REPOSITORY / "sandbox" / "company") as stand_in,
        temporary_context(
            confluence_url=stand_in.cloud_url, confluence_username=ACCOUNT["email"],
            confluence_api_token=ACCOUNT["token"], confluence_minutes_space="MTG", imp_minutes_policy="auto",
        ) as context,
    ):  # fmt: skip
        media, n_words = make_meeting(Path(folder), options.minutes, options.words)
        print(f"{options.minutes} minutes, {n_words:,} words, {media.stat().st_size / 1e6:.1f} MB of sound")
        if options.warm:
            context.warm()
        finish("A meeting becomes a page", measure(context, media), options)


def measure(context: Context, media: Path) -> list[Figure]:
    """Seconds of each step from file to page, their sum and the peak of memory."""
    began = time.perf_counter()
    add_local(context, LocalRecording(media, title="Weekly planning"))
    spent = {"take in": time.perf_counter() - began}
    for kind in STEPS:
        started = time.perf_counter()
        if run_waiting(context, kind) == 0:
            raise SystemExit(f"no figure: there was no {kind} to do")
        spent[kind] = time.perf_counter() - started
    total_s = time.perf_counter() - began
    with context.factory() as session:
        page = session.execute(PUBLISHED).one()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.024 / 1000
    return [
        *(Figure(name, seconds, "s") for name, seconds in spent.items()),
        Figure("file to published page", total_s, "s", f"{page.n_lines} lines of minutes"),
        Figure("share of the budget", total_s / BUDGET_S, "", f"of {BUDGET_S:.0f} s"),
        Figure("peak memory", peak_mb, "MB", "this process"),
    ]


def make_meeting(folder: Path, minutes: float, n_words: int, *, seed: int = 5) -> tuple[Path, int]:
    """Tones as a sound file with a transcript beside it that fills the time. The same numbers give the same meeting."""
    media = folder / "weekly-planning.m4a"
    sine = f"sine=frequency=220:sample_rate=16000:duration={minutes * 60}"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", sine, "-c:a", "aac", "-b:a", "32k"]
    subprocess.run([*command, str(media)], check=True)
    lines = _sentences(random.Random(seed), n_words)
    n_made = sum(len(line.split()) for line in lines)
    each_s = minutes * 60 / n_made
    cues, now_s = ["WEBVTT", ""], 0.0
    speakers, who = itertools.cycle(PEOPLE), PEOPLE[0]
    for number, line in enumerate(lines):
        who = next(speakers) if number % 2 == 0 else who
        end_s = now_s + each_s * len(line.split())
        cues += [f"{_clock(now_s)} --> {_clock(end_s)}", f"<v {who}>{line}", ""]
        now_s = end_s
    media.with_suffix(".vtt").write_text("\n".join(cues))
    return media, n_made


def _sentences(dice: random.Random, n_words: int) -> list[str]:
    """Talk that stays with a few things for some minutes, with a decision, task or question now and then."""
    lines: list[str] = []
    while sum(len(line.split()) for line in lines) < n_words:
        topic = dice.sample(THINGS, 3)
        for number in range(40):
            form = dice.choice(TOLD if number % 12 == 11 else SAID)
            thing, other = dice.sample(topic, 2)
            line = form.format(
                thing=thing, other=other, day=dice.choice(DAYS), who=dice.choice(PEOPLE), number=dice.randint(2, 60)
            )  # fmt: skip
            lines.append(line[0].upper() + line[1:])
    return lines


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours:02}:{minutes:02}:{rest:06.3f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.meeting_hour", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--minutes", type=float, default=60.0, help="length of the recording")
    parser.add_argument("--words", type=int, default=9_000, help="least words of its transcript")
    parser.add_argument("--warm", action="store_true", help="load the models before the clock starts")
    add_out(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
