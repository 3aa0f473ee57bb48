"""Carries events, commands and interactions to the app: signed HTTP or an open socket, with Slack's retries.

Knows transport and retry rules; what a payload says is other modules' business.
"""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from sandbox.slack.config import Config
from sandbox.slack.model import Channel
from sandbox.slack.signing import signed_headers
from sandbox.slack.socket_mode import Sockets
from sandbox.slack.store import Store, new_id

logger = logging.getLogger(__name__)
FORM = "application/x-www-form-urlencoded"
SOCKET_KINDS = {"event": "events_api", "command": "slash_commands", "interaction": "interactive"}


class DeliveryFailed(Exception):
    """The app did not answer well: `reason` is Slack's word (`http_timeout`, `connection_failed`, `http_error`)."""

    def __init__(self, reason: str, status: int | None = None, retry: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.retry = retry


@dataclass
class Delivery:
    """One entry of the delivery log."""

    id: str
    kind: str
    name: str
    at: float
    payload: dict[str, Any]
    attempts: list[dict[str, Any]] = field(default_factory=list)
    done: bool = False


class Deliveries:
    """Sends to whichever is there: an open socket first, else the configured URLs, else nowhere (logged)."""

    def __init__(
        self, config: Config, sockets: Sockets, http: httpx.AsyncClient, store: Callable[[], Store]
    ) -> None:
        self._config = config
        self._sockets = sockets
        self._http = http
        self._store = store
        self._tasks: set[asyncio.Task[None]] = set()
        self.log: deque[Delivery] = deque(maxlen=2000)

    def event(self, event: dict[str, Any], channel: Channel | None = None) -> str:
        """Wrap an event and send it in the background with retries; returns its event id."""
        store = self._store()
        event_id = new_id("Ev", 11)
        if not store.bot.installed and event["type"] not in ("app_uninstalled", "tokens_revoked"):
            return event_id
        payload = {
            "token": self._config.verification_token,
            "team_id": store.team.id,
            "context_team_id": store.team.id,
            "context_enterprise_id": None,
            "api_app_id": store.bot.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": int(time.time()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": store.team.id,
                    "user_id": store.bot.user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": bool(channel and channel.is_shared),
            "event_context": f"4-{event['type']}-{store.team.id}-{channel.id if channel else ''}",
        }
        self.send_raw_event(payload)
        return event_id

    def send_raw_event(self, payload: dict[str, Any]) -> None:
        """Send a whole Events API body as given, with retries."""
        name = str((payload.get("event") or {}).get("type") or payload.get("type"))
        task = asyncio.get_running_loop().create_task(self._event_with_retries(name, payload))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def command(self, fields: dict[str, Any]) -> Any:
        """Deliver a slash command; returns the immediate reply (dict, text or None). Raises DeliveryFailed."""
        delivery = self._open("command", str(fields["command"]), fields)
        return await self._attempt(delivery, self._config.commands_url, None)

    async def interaction(self, payload: dict[str, Any]) -> Any:
        """Deliver an interaction; returns the reply as `command` does. Raises DeliveryFailed."""
        delivery = self._open("interaction", str(payload["type"]), payload)
        return await self._attempt(delivery, self._config.interactions_url or self._config.commands_url, None)

    async def verify_url(self) -> dict[str, Any]:
        """Send `url_verification` to the events URL and say whether the challenge came back."""
        challenge = new_id("", 40)
        payload = {
            "token": self._config.verification_token,
            "challenge": challenge,
            "type": "url_verification",
        }
        delivery = self._open("event", "url_verification", payload)
        try:
            reply = await self._attempt(delivery, self._config.events_url, None)
        except DeliveryFailed as exc:
            return {"ok": False, "error": exc.reason, "status": exc.status}
        came_back = reply.get("challenge") if isinstance(reply, dict) else str(reply or "").strip()
        ok = came_back == challenge
        return {"ok": ok} | ({} if ok else {"error": "challenge_failed"})

    def forget(self) -> None:
        """Stop all retries and empty the log."""
        for task in self._tasks:
            task.cancel()
        self.log.clear()

    async def close(self) -> None:
        tasks = list(self._tasks)
        self.forget()
        await asyncio.gather(*tasks, return_exceptions=True)

    def log_json(self) -> list[dict[str, Any]]:
        return [asdict(d) for d in self.log]

    def _open(self, kind: str, name: str, payload: dict[str, Any]) -> Delivery:
        delivery = Delivery(new_id("DLV"), kind, name, time.time(), payload)
        self.log.append(delivery)
        return delivery

    async def _event_with_retries(self, name: str, payload: dict[str, Any]) -> None:
        delivery = self._open("event", name, payload)
        reason = ""
        for n_try, delay_s in enumerate([None, *self._config.retry_delays_s]):
            if delay_s is not None:
                await asyncio.sleep(delay_s)
            try:
                await self._attempt(delivery, self._config.events_url, (n_try, reason) if n_try else None)
                return
            except DeliveryFailed as exc:
                reason = exc.reason
                if not exc.retry:
                    return
        logger.warning("slack_event_given_up", extra={"event_name": name, "reason": reason})

    async def _attempt(self, delivery: Delivery, url: str | None, retry: tuple[int, str] | None) -> Any:
        started = time.monotonic()
        attempt: dict[str, Any] = {"retry": retry[0] if retry else 0}
        delivery.attempts.append(attempt)
        try:
            if self._sockets.n_open:
                attempt["via"] = "socket"
                reply = await self._by_socket(delivery, retry)
            elif url:
                attempt["via"] = "http"
                reply = await self._by_http(delivery, url, retry)
            else:
                raise DeliveryFailed("no_address", retry=False)
        except DeliveryFailed as exc:
            attempt |= {"error": exc.reason, "status": exc.status}
            raise
        finally:
            attempt["duration_s"] = round(time.monotonic() - started, 3)
        delivery.done = True
        attempt["status"] = 200
        return reply

    async def _by_socket(self, delivery: Delivery, retry: tuple[int, str] | None) -> Any:
        kind = SOCKET_KINDS[delivery.kind]
        try:
            return await self._sockets.send(
                kind, delivery.payload, delivery.kind != "event", retry, self._config.ack_timeout_s
            )
        except TimeoutError:
            raise DeliveryFailed("timeout") from None
        except ConnectionError:
            raise DeliveryFailed("connection_failed") from None

    async def _by_http(self, delivery: Delivery, url: str, retry: tuple[int, str] | None) -> Any:
        body, content_type = _encode(delivery)
        headers = signed_headers(self._config.signing_secret, int(time.time()), body, content_type)
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": retry[1]}
        try:
            async with asyncio.timeout(self._config.ack_timeout_s):
                answer = await self._http.post(url, content=body.encode(), headers=headers)
        except (TimeoutError, httpx.TimeoutException):
            raise DeliveryFailed("http_timeout") from None
        except httpx.HTTPError:
            raise DeliveryFailed("connection_failed") from None
        if answer.status_code != 200:
            wants_retry = answer.headers.get("x-slack-no-retry") != "1"
            raise DeliveryFailed("http_error", answer.status_code, wants_retry)
        return _decode(answer)


def _encode(delivery: Delivery) -> tuple[str, str]:
    if delivery.kind == "event":
        return json.dumps(delivery.payload, separators=(",", ":")), "application/json"
    if delivery.kind == "command":
        return urlencode(delivery.payload), FORM
    return urlencode({"payload": json.dumps(delivery.payload, separators=(",", ":"))}), FORM


def _decode(answer: httpx.Response) -> Any:
    if not answer.content.strip():
        return None
    if "json" in answer.headers.get("content-type", ""):
        try:
            return answer.json()
        except ValueError:
            raise DeliveryFailed("invalid_json", answer.status_code) from None
    return answer.text
