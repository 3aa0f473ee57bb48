"""`python -m sandbox.confluence`: run the stand-in Confluence on this machine until interrupted."""

import argparse
import sys
from pathlib import Path

import uvicorn

from sandbox.confluence.app import FLAVORS, create_app
from sandbox.confluence.seed import SeedError


def main(arguments: list[str] | None = None) -> int:
    options = _read(arguments)
    base_url = f"http://{options.host}:{options.port}"
    try:
        app = create_app(database=options.db, seed=options.seed, flavor=options.flavor, base_url=base_url)
    except SeedError as exc:
        print(f"cannot seed: {exc}", file=sys.stderr)
        return 2
    print(f"stand-in Confluence on {base_url} ({options.flavor})", flush=True)
    uvicorn.run(app, host=options.host, port=options.port, log_level=options.log_level)
    return 0


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.confluence", description=__doc__)
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--db", default=":memory:", metavar="FILE", help="SQLite file (default: memory)")
    parser.add_argument("--seed", type=Path, metavar="DIR", help="folder with company.yaml")
    parser.add_argument("--flavor", choices=FLAVORS, default="both")
    parser.add_argument("--log-level", choices=("critical", "error", "warning", "info"), default="warning")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
