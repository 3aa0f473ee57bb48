"""The doorbell: a Celery message that says "row N of the job table wants you"; it carries nothing else.

A ring may be lost, doubled or late without harm: the job table is the list, the sweep rings again.
Given only a queue's name, Celery publishes through the anonymous exchange straight to that queue, so that a
wiped Redis (which forgets kombu's bindings) swallows no later ring.
"""

import logging
import socket
from typing import Protocol

from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.exceptions import OperationalError as BrokerError
from kombu.transport import redis as redis_transport
from redis import Redis
from redis.exceptions import RedisError

from core.job_kinds import QUEUES

logger = logging.getLogger(__name__)

BROKER_TIMEOUT_S = 2.0
LISTEN_TIMEOUT_S = (
    5.0  # workers ask for messages with a timeout of one second, so Redis is never silent longer
)
# A worker only listens: without probes it would not notice for hours that Redis' machine is gone.
KEEPALIVE = {socket.TCP_KEEPIDLE: 30, socket.TCP_KEEPINTVL: 10, socket.TCP_KEEPCNT: 3}


class Doorbell(Protocol):
    """Rings for rows that are already committed."""

    def ring(self, kind: str, queue: str, job_id: int) -> bool:
        """Tell a worker of `queue` about the row. False when nobody could be told; never raises."""

    def depth(self, queue: str) -> int | None:
        """How many rings wait in `queue`; None when that cannot be known now."""


class SilentBell:
    """Rings nobody: for tools and tests that only write rows; the sweep finds them."""

    def ring(self, kind: str, queue: str, job_id: int) -> bool:
        return True

    def depth(self, queue: str) -> int | None:
        return None


class ForgivingQoS(redis_transport.QoS):  # type: ignore[misc]
    """Forgets a message whose acknowledgement failed with its connection.

    kombu keeps counting it as unacknowledged: once the prefetch limit is full of such messages the worker
    polls Redis no more, so it never notices that its connection broke, and stays deaf for ever.
    """

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)  # type: ignore[no-untyped-call]
        except (RedisError, OSError):
            self._quick_ack(delivery_tag)
            raise


redis_transport.Channel.QoS = ForgivingQoS


def make_celery(redis_url: str) -> Celery:
    """The Celery app as both sides need it; tasks are added by `workers`.

    Messages are acknowledged on receipt: what a dead worker had taken is recovered from the job table by
    its missing heartbeat, so Redis' visibility timeout never decides whether a job runs twice.
    """
    app = Celery("imp", broker=redis_url, set_as_current=False)
    app.conf.update(
        task_queues=[
            Queue(name, Exchange(""), routing_key=name)  # type: ignore[no-untyped-call]
            for name in QUEUES
        ],
        task_default_queue="io",
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=BROKER_TIMEOUT_S,
        broker_transport_options={
            "socket_connect_timeout": BROKER_TIMEOUT_S,
            "socket_timeout": LISTEN_TIMEOUT_S,
            "socket_keepalive": True,
            "socket_keepalive_options": KEEPALIVE,
            "health_check_interval": 10,
        },
        timezone="UTC",
    )
    return app


class CeleryBell:
    """Rings through Celery on Redis."""

    def __init__(self, redis_url: str) -> None:
        self._celery = make_celery(redis_url)
        # Who rings has something better to do than to wait: one attempt, and none hangs on a silent Redis.
        self._celery.conf.broker_transport_options |= {"max_retries": 0, "socket_timeout": BROKER_TIMEOUT_S}
        self._redis = Redis.from_url(
            redis_url, socket_timeout=BROKER_TIMEOUT_S, socket_connect_timeout=BROKER_TIMEOUT_S
        )

    def ring(self, kind: str, queue: str, job_id: int) -> bool:
        try:
            self._celery.send_task(f"imp.{kind}", args=[job_id], queue=queue, retry=False, ignore_result=True)
        except (BrokerError, RedisError, OSError) as exc:
            logger.warning("ring_lost", extra={"kind": kind, "job_id": job_id, "why": type(exc).__name__})
            return False
        return True

    def depth(self, queue: str) -> int | None:
        try:
            return int(self._redis.llen(queue))  # type: ignore[arg-type]
        except (RedisError, OSError):
            return None
