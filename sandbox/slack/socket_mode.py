"""Socket Mode: tickets, the websocket with hello, envelopes, acknowledgements and refresh. Knows no payloads."""

import asyncio
import json
import logging
import secrets
import uuid
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

logger = logging.getLogger(__name__)
MAX_CONNECTIONS = 10


class Sockets:
    """Open connections of the app. Envelopes go round robin; each waits for its acknowledgement."""

    def __init__(self) -> None:
        self._tickets: set[str] = set()
        self._open: list[WebSocket] = []
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._next = 0

    @property
    def n_open(self) -> int:
        return len(self._open)

    def new_ticket(self) -> str:
        ticket = str(uuid.uuid4())
        self._tickets.add(ticket)
        return ticket

    async def serve(self, socket: WebSocket, app_id: str) -> None:
        """Hold one connection until the app or a refresh ends it. A ticket works once."""
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self._tickets or self.n_open >= MAX_CONNECTIONS:
            await socket.close(code=4401)
            return
        self._tickets.discard(ticket)
        await socket.accept()
        self._open.append(socket)
        try:
            await socket.send_json(self._hello(app_id))
            while True:
                self._acknowledge(await socket.receive_text())
        except (WebSocketDisconnect, RuntimeError):
            logger.info("slack_socket_closed", extra={"n_open": self.n_open - 1})
        finally:
            if socket in self._open:
                self._open.remove(socket)

    async def send(
        self,
        kind: str,
        payload: dict[str, Any],
        accepts_payload: bool,
        retry: tuple[int, str] | None,
        timeout_s: float,
    ) -> Any:
        """Send one envelope and return what the acknowledgement carries (None for nothing).

        Raises TimeoutError when no acknowledgement comes and ConnectionError when no socket takes it.
        """
        envelope_id = str(uuid.uuid4())
        envelope: dict[str, Any] = {
            "envelope_id": envelope_id,
            "payload": payload,
            "type": kind,
            "accepts_response_payload": accepts_payload,
        }
        if kind == "events_api":
            n_retry, reason = retry or (0, "")
            envelope |= {"retry_attempt": n_retry, "retry_reason": reason}
        waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = waiting
        try:
            await self._pick().send_json(envelope)
            return await asyncio.wait_for(waiting, timeout_s)
        except (WebSocketDisconnect, RuntimeError) as exc:
            raise ConnectionError("the socket is gone") from exc
        finally:
            self._waiting.pop(envelope_id, None)

    async def refresh(self, reason: str = "refresh_requested") -> int:
        """Ask all connections to come again, then close them; returns how many there were."""
        leaving, self._open = self._open, []
        for socket in leaving:
            try:
                await socket.send_json(
                    {"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}
                )
                await socket.close()
            except (WebSocketDisconnect, RuntimeError):
                continue
        return len(leaving)

    def _pick(self) -> WebSocket:
        if not self._open:
            raise ConnectionError("no open socket")
        self._next = (self._next + 1) % len(self._open)
        return self._open[self._next]

    def _hello(self, app_id: str) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": self.n_open,
            "debug_info": {
                "host": f"applink-{secrets.token_hex(3)}",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
            "connection_info": {"app_id": app_id},
        }

    def _acknowledge(self, raw: str) -> None:
        try:
            ack = json.loads(raw)
        except ValueError:
            return
        waiting = self._waiting.get(ack.get("envelope_id", "")) if isinstance(ack, dict) else None
        if waiting and not waiting.done():
            waiting.set_result(ack.get("payload"))
