"""The health check of a worker container, against a real Redis and a real consumer."""

import subprocess
import sys
import threading
import time
from pathlib import Path

from redis import Redis

SCRIPT = Path(__file__).resolve().parents[2] / "infra" / "docker" / "worker_health.py"


def status(redis_url: str) -> int:
    return subprocess.run(
        [sys.executable, str(SCRIPT)],
        env={"REDIS_URL": redis_url},
        capture_output=True,
        timeout=60,
        check=False,
    ).returncode


def test_healthy_only_while_somebody_listens(fresh_redis_url: str) -> None:
    assert status(fresh_redis_url) == 1
    listener = Redis.from_url(fresh_redis_url)
    waiting = threading.Thread(target=listener.brpop, args=(["worker-health-test"],), kwargs={"timeout": 30})
    waiting.start()
    time.sleep(0.3)
    try:
        assert status(fresh_redis_url) == 0
    finally:
        with Redis.from_url(fresh_redis_url) as ringer:
            ringer.lpush("worker-health-test", "done")
        waiting.join(10)
        listener.close()
    assert status(fresh_redis_url) == 1


def test_unhealthy_without_redis(free_port) -> None:
    assert status(f"redis://127.0.0.1:{free_port()}/0") == 1
