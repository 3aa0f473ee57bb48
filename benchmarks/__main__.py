"""`python -m benchmarks`: what can be measured here and with which command; `--run` measures what needs no data.

Each benchmark is a module of its own with `--help`; those of the product as a whole bring their own material.
"""

import argparse
import ast
import subprocess
import sys
from pathlib import Path

from benchmarks.report import add_out

OWN_MATERIAL = ("sync_pages", "questions", "memory")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--run", action="store_true", help=f"run {', '.join(OWN_MATERIAL)} one after the other"
    )
    add_out(parser)
    options = parser.parse_args()
    if options.run:
        sys.exit(run_all(options.out))
    for name, summary in listed():
        print(f"python -m benchmarks.{name:<18} {summary}")
    print(
        "\nFigures so far: benchmarks/RESULTS.md. --help after a command says more; --run runs the first three."
    )


def listed() -> list[tuple[str, str]]:
    """Every benchmark's name and the first sentence of its docstring; those that need no data come first."""
    found = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text())
        if path.name != "__main__.py" and any(getattr(part, "name", None) == "main" for part in tree.body):
            found.append((path.stem, (ast.get_docstring(tree) or "").partition("\n")[0]))
    return sorted(found, key=lambda one: (one[0] not in OWN_MATERIAL, one[0]))


def run_all(out: Path | None) -> int:
    """Each in a process of its own. Returns the number of those that failed."""
    more = ["--out", str(out)] if out else []
    ended = [subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *more]) for name in OWN_MATERIAL]
    return sum(one.returncode != 0 for one in ended)


if __name__ == "__main__":
    main()
