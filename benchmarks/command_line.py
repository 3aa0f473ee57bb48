"""How long `imp --help` takes: processor time and wall time of a process of its own, modules compiled.

python -m benchmarks.command_line
"""

import argparse
import resource
import subprocess
import sys
import time

from benchmarks.report import Figure, add_out, finish, spread

BUDGET_S = 0.5


def run_once() -> tuple[float, float]:
    """(processor seconds, wall seconds) of one `imp --help`."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "from app.cli import main; main()", "--help"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.command_line", description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="runs that count, after one that does not")
    add_out(parser)
    options = parser.parse_args()
    run_once()
    processor_s, wall_s = zip(*(run_once() for _ in range(options.times)), strict=True)
    figures = spread("imp --help, processor", processor_s, 0.5, 0.95) + spread(
        "imp --help, wall", wall_s, 0.5, 0.95
    )
    worst = max(processor_s) / BUDGET_S
    finish(
        "Command line", [*figures, Figure("worst, of the budget", worst, "", f"budget {BUDGET_S} s")], options
    )


if __name__ == "__main__":
    main()
