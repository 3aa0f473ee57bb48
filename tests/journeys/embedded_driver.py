"""`imp up` without its web server: says what it started as one JSON line, then keeps it running."""

import json
import sys
from pathlib import Path

from app import up
from app.home import running
from core.errors import NotConfigured
from core.settings import load_settings


def main() -> int:
    settings = load_settings(imp_home=Path(sys.argv[1]))
    try:
        stack = up.start(settings, lambda line: sys.stderr.write(line + "\n"), with_web=False)
    except NotConfigured as exc:
        sys.stderr.write(f"NotConfigured: {exc}\n")
        return 3
    try:
        sys.stdout.write(json.dumps(running(settings.imp_home)) + "\n")
        sys.stdout.flush()
        stack.supervisor.run()
    finally:
        stack.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
