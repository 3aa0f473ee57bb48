"""Fetches a file from an address somebody else named, without becoming their tool: only allowed hosts, only public
addresses, every redirect checked anew, bounded in size and time. Knows no meeting and no store.
"""

import contextlib
import http.client
import ipaddress
import logging
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from core.errors import BadInput, Denied, NotFound, RateLimited, Unavailable

logger = logging.getLogger(__name__)

BLOCK_BYTES = 1024 * 1024
MOST_REDIRECTS = 5
STALL_TIMEOUT_S = 60.0
MOST_S = 2 * 3600.0
REDIRECTS = (301, 302, 303, 307, 308)


class _Pinned(http.client.HTTPSConnection):
    """HTTPS to an address that was checked: the name is resolved once, so it cannot turn into another one."""

    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=STALL_TIMEOUT_S, context=context)
        self._address = address
        self._ssl = context

    def connect(self) -> None:
        raw = socket.create_connection((self._address, self.port), timeout=STALL_TIMEOUT_S)
        try:
            self.sock = self._ssl.wrap_socket(raw, server_hostname=self.host)
        except BaseException:
            raw.close()
            raise


def download(
    url: str,
    target: Path,
    *,
    allowed: Sequence[str],
    max_bytes: int,
    headers: Mapping[str, str] | None = None,
    max_s: float = MOST_S,
) -> int:
    """Fetch `url` into `target`; returns the number of bytes.

    Args:
        allowed: host names whose own and subdomains may be asked by https on port 443 at public addresses; or whole
            origins such as `http://proxy.internal:8080`, which an admin names on purpose and which are taken as
            they are.
        headers: sent to the first host only; a redirect elsewhere does not see them.

    Raises:
        BadInput: an address that is not allowed, or more than `max_bytes`.
        Denied, NotFound, RateLimited, Unavailable: what the host said.
    """
    deadline, first = time.monotonic() + max_s, check_address(url, allowed)
    place, more = first, dict(headers or {})
    for _ in range(MOST_REDIRECTS + 1):
        with contextlib.closing(_connection(place, allowed)) as connection:
            try:
                reply = _ask(connection, place, more)
                if reply.status in REDIRECTS:
                    onward = urljoin(place.geturl(), reply.headers.get("location", ""))
                    place = check_address(onward, allowed)
                    more = more if _origin(place) == _origin(first) else {}
                    continue
                _check_status(reply, place)
                return _save(reply, target, max_bytes, deadline, place)
            except (OSError, http.client.HTTPException) as exc:
                raise Unavailable(f"{place.hostname} broke off: {type(exc).__name__}") from exc
    raise BadInput(f"{first.hostname} redirects more than {MOST_REDIRECTS} times")


def check_address(url: str, allowed: Sequence[str]) -> SplitResult:
    """The address in parts, when it may be asked. Raises BadInput, which names the host only."""
    try:
        place = urlsplit(url)
        port = place.port
    except ValueError as exc:
        raise BadInput("a download address that is none") from exc
    host = (place.hostname or "").rstrip(".")
    if _origin(place) in allowed:
        return place
    is_known = any("/" not in one and (host == one or host.endswith(f".{one}")) for one in allowed if one)
    if place.scheme != "https" or port not in (None, 443) or place.username is not None or not is_known:
        raise BadInput(
            f"recordings are not fetched from {place.scheme}://{host[:100] or '?'}: it is no allowed host"
        )
    return place


def _connection(place: SplitResult, allowed: Sequence[str]) -> http.client.HTTPConnection:
    host = (place.hostname or "").rstrip(".")
    if place.scheme == "http":
        return http.client.HTTPConnection(host, place.port or 80, timeout=STALL_TIMEOUT_S)
    port = place.port or 443
    is_named = _origin(place) in allowed
    return _Pinned(host, port, _address(host, port, is_named=is_named), ssl.create_default_context())


def _address(host: str, port: int, *, is_named: bool) -> str:
    """One address of the host. A name that leads into this network is refused whole, whatever else it leads to."""
    try:
        found = {str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as exc:
        raise Unavailable(f"{host} is not known to the name server") from exc
    for address in found if not is_named else ():
        plain = ipaddress.ip_address(address.partition("%")[0])
        mapped = getattr(plain, "ipv4_mapped", None) or plain
        if not mapped.is_global or mapped.is_multicast:
            raise BadInput(
                f"recordings are not fetched from {host}: it leads to an address that is not public"
            )
    return sorted(found, key=lambda one: (":" in one, one))[0]


def _ask(
    connection: http.client.HTTPConnection, place: SplitResult, headers: Mapping[str, str]
) -> http.client.HTTPResponse:
    path = (place.path or "/") + (f"?{place.query}" if place.query else "")
    connection.request("GET", path, headers={"Accept-Encoding": "identity", "User-Agent": "IMP", **headers})
    return connection.getresponse()


def _check_status(reply: http.client.HTTPResponse, place: SplitResult) -> None:
    status, host = reply.status, place.hostname
    if status == 200:
        return
    if status == 429:
        seconds = reply.headers.get("retry-after", "")
        raise RateLimited(
            f"{host} asks for a pause", retry_after_s=float(seconds) if seconds.isdigit() else None
        )
    if status in (401, 403):
        raise Denied(f"{host} does not hand out the file ({status}): the download token may have expired")
    if status in (404, 410):
        raise NotFound(f"{host} does not have the file any more ({status})")
    if status >= 500 or status == 408:
        raise Unavailable(f"{host} answered {status}")
    raise BadInput(f"{host} answered {status} instead of the file")


def _save(
    reply: http.client.HTTPResponse, target: Path, max_bytes: int, deadline: float, place: SplitResult
) -> int:
    announced = reply.headers.get("content-length", "")
    if announced.isdigit() and int(announced[:18]) > max_bytes:
        raise BadInput(f"{place.hostname}: the file is larger than the {max_bytes} bytes that are accepted")
    n_bytes = 0
    with target.open("wb") as out:
        for block in _blocks(reply):
            n_bytes += len(block)
            if n_bytes > max_bytes:
                raise BadInput(
                    f"{place.hostname}: the file is larger than the {max_bytes} bytes that are accepted"
                )
            if time.monotonic() > deadline:
                raise Unavailable(f"{place.hostname}: the file took too long to arrive")
            out.write(block)
    if announced.isdigit() and n_bytes != int(announced):
        raise Unavailable(f"{place.hostname} broke off after {n_bytes} bytes")
    logger.info("file_downloaded", extra={"host": place.hostname, "n_bytes": n_bytes})
    return n_bytes


def _blocks(reply: http.client.HTTPResponse) -> Iterator[bytes]:
    while block := reply.read(BLOCK_BYTES):
        yield block


def _origin(place: SplitResult) -> str:
    return f"{place.scheme}://{place.netloc}".lower()
