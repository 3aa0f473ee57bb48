"""Writes constraints.txt from pip's report of what it would install; knows nothing of the product.

    make pins                     # keep what is pinned, add what is new
    make pins PINS=               # take the newest of everything, then run `.ci/run` before committing

Run it with the oldest Python that is supported (3.11.2, Debian 12's): some packages have left it behind. Local builds lose their tag (`2.13.0+cpu` -> `2.13.0`), so that each machine may bring its own build.
"""

import json
import re
import sys

HEADER = """\
# Every version that was tested together, for all extras; `make setup` installs with `-c constraints.txt`.
# Written by infra/pins.py (`make pins`): change pyproject.toml, not this file.
"""
OWN = "intelligent-multimedia-processing"


def pins(report: dict) -> list[str]:
    """`name==version` lines, sorted by name, from a `pip install --dry-run --report -`."""
    found = {}
    for item in report["install"]:
        name = re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower()
        found[name] = item["metadata"]["version"].split("+")[0]
    found.pop(OWN, None)
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def main() -> None:
    sys.stdout.write(HEADER + "\n".join(pins(json.load(sys.stdin))) + "\n")


if __name__ == "__main__":
    main()
