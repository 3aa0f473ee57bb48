"""Peak memory of each process of the demo, against the budget of 3 GB.

    python -m benchmarks.memory

Starts the demo's processes in a temporary folder, syncs the sample company, hears a meeting, publishes nothing, asks
every question once. Per process: the highest resident memory the kernel saw (VmHWM; pages shared with others counted
in each). In all: the highest sum of proportional shares (PSS; shared pages counted once) seen by a look every half
second, children of children (Postgres' backends, file readers, ffmpeg) included, and this process, which supervises.
"""

import argparse
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from app.demo.questions import load_questions
from app.demo.stand_in_slack import StandInSlack
from benchmarks.report import Figure, add_out, finish
from benchmarks.sample_company import MEETINGS, Company, running_company

BUDGET_MB = 3_000
EVERY_S = 0.5
STAND_INS = "sandbox-"


@dataclass
class Seen:
    """Peaks in MB. `shares` are the PSS by process at the moment their sum was highest."""

    resident: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    shares: dict[str, float] = field(default_factory=dict)
    during: str = ""

    @property
    def total(self) -> float:
        return sum(self.shares.values())


class Watch:
    """Looks at a tree of processes from a thread, between `with` and its end."""

    def __init__(self, pids: dict[str, int]) -> None:
        self.seen = Seen()
        self.doing = "start"
        self._pids = pids
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._ended.wait(EVERY_S):
            self._look()

    def _look(self) -> None:
        shares: dict[str, float] = defaultdict(float)
        for name, pid in self._pids.items():
            for process in _family(pid, with_children=name != "supervisor"):
                resident, share = _memory_mb(process)
                self.seen.resident[name] = max(self.seen.resident[name], resident)
                shares[name] += share
        if sum(shares.values()) > self.seen.total:
            self.seen.shares, self.seen.during = dict(shares), self.doing


def main() -> None:
    options = _options()
    with running_company() as company:
        assert company.demo.stack is not None
        pids = {"supervisor": psutil.Process().pid, **company.demo.stack.supervisor.pids()}
        with Watch(pids) as watch:
            use(company, watch, options.meeting)
        crashed = sorted(name for name, pid in pids.items() if not psutil.pid_exists(pid))
    if crashed:
        raise SystemExit(f"no figure: ended on the way: {', '.join(crashed)}")
    finish("Peak memory of the demo's processes", figures(watch.seen), options)


def use(company: Company, watch: Watch, meeting: str) -> None:
    """What the demo does, step by step."""
    watch.doing = "sync"
    company.sync()
    watch.doing = "meeting"
    company.hear(meeting)
    watch.doing = "questions"
    slack = StandInSlack(company.demo.slack_url)
    for one in load_questions(company.folder):
        slack.ask(one.user, one.channel, one.via, one.text)


def figures(seen: Seen) -> list[Figure]:
    per_process = [
        Figure(name, resident, "MB", f"{seen.shares.get(name, 0):,.0f} MB of the sum below")
        for name, resident in sorted(seen.resident.items(), key=lambda item: -item[1])
    ]
    product = sum(share for name, share in seen.shares.items() if not name.startswith(STAND_INS))
    return [
        *per_process,
        Figure("all at their common peak", seen.total, "MB", f"PSS, during: {seen.during}"),
        Figure("  without the stand-ins", product, "MB", "PSS at that moment"),
        Figure("share of the budget", seen.total / BUDGET_MB, "", f"of {BUDGET_MB:,} MB"),
    ]


def _family(pid: int, *, with_children: bool) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)] if with_children else [process]
    except psutil.NoSuchProcess:
        return []


def _memory_mb(process: psutil.Process) -> tuple[float, float]:
    """Highest resident memory so far, and the proportional share now; zeros once it has ended."""
    folder = Path("/proc") / str(process.pid)
    try:
        peak, share = _kilobytes(folder / "status", "VmHWM"), _kilobytes(folder / "smaps_rollup", "Pss")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0, 0.0
    return peak / 1000, share / 1000


def _kilobytes(path: Path, name: str) -> float:
    """A line `name: 123 kB` of a file under /proc, in units of 1000 bytes; 0 where it is missing."""
    for line in path.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1.024
    return 0.0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.memory", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    meetings = ", ".join(f"{name} ({what})" for name, what in MEETINGS.items())
    parser.add_argument(
        "--meeting", choices=sorted(MEETINGS), default="incident-retro", help=f"which to hear: {meetings}"
    )
    add_out(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
