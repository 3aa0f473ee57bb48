"""`python -m sandbox.slack`: serve one sandbox workspace until stopped."""

import argparse
import sys
from pathlib import Path

import uvicorn

from sandbox.slack.app import create_app
from sandbox.slack.config import DEFAULT_SIGNING_SECRET, Config
from sandbox.slack.seed import SeedError

BOTH = "http://127.0.0.1:8000/slack/events"


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.slack", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8085)
    parser.add_argument("--public-url", help="how the app reaches this server (default: http://HOST:PORT)")
    parser.add_argument("--seed", type=Path, metavar="DIR", help="directory with company.yaml")
    parser.add_argument("--url", default=BOTH, help=f"where events and commands both go (default: {BOTH})")
    parser.add_argument("--events-url", help="where events go, if elsewhere")
    parser.add_argument("--commands-url", help="where commands and interactions go, if elsewhere")
    parser.add_argument("--interactions-url", help="where interactions go, if not with the commands")
    parser.add_argument("--signing-secret", default=DEFAULT_SIGNING_SECRET)
    parser.add_argument("--rate-limits", action="store_true", help="enforce Slack's rate limits")
    return parser.parse_args(argv)


def main() -> None:
    options = parse()
    config = Config(
        public_url=(options.public_url or f"http://{options.host}:{options.port}").rstrip("/"),
        seed_dir=options.seed,
        events_url=options.events_url or options.url,
        commands_url=options.commands_url or options.url,
        interactions_url=options.interactions_url,
        signing_secret=options.signing_secret,
        rate_limits=options.rate_limits,
    )
    try:
        app = create_app(config)
    except SeedError as exc:
        sys.exit(f"seed: {exc}")
    uvicorn.run(app, host=options.host, port=options.port, log_level="info", timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main()
