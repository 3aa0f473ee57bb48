"""A worker container's health: does Redis see a consumer from this container? Exit status 0 or 1.

Workers answer no remote control, so Redis is asked who listens: a worker's connection rests on BRPOP. A worker that
is busy keeps that connection; one that hangs in start-up or lost Redis has none.
"""

import sys

from redis import Redis
from redis.exceptions import RedisError

from core.settings import load_settings


def is_listening(client: Redis) -> bool:
    """True when some connection from this machine's address waits for a message."""
    here = str(client.client_info()["addr"]).rsplit(":", 1)[0]
    return any(
        peer["addr"].rsplit(":", 1)[0] == here and peer["cmd"].lower() == "brpop"
        for peer in client.client_list()
    )


def main() -> int:
    client = Redis.from_url(load_settings().require_redis_url(), socket_timeout=4, socket_connect_timeout=4)
    try:
        return 0 if is_listening(client) else 1
    except RedisError as exc:
        sys.stderr.write(f"Redis does not answer: {type(exc).__name__}\n")
        return 1
    finally:
        client.close()


if __name__ == "__main__":
    sys.exit(main())
