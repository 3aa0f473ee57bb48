"""One Confluence site over HTTP: atlassian-python-api for addresses and sign-in, with this house's limits and errors.

Knows no content: what the answers mean is read elsewhere. A client is used by one thread at a time.
"""

import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from atlassian.rest_client import AtlassianRestAPI

from connectors.confluence.pace import Pace, Verdict
from connectors.confluence.refusals import refusal
from connectors.confluence.shared_pace import pace_of
from core.errors import BadInput, NotConfigured, RateLimited, Unavailable

logger = logging.getLogger(__name__)
# The library writes whole answers to its debug log; page bodies have no place there.
logging.getLogger("atlassian").setLevel(logging.WARNING)

USER_AGENT = "imp/0.1 (Confluence sync; atlassian-python-api)"
MAX_ANSWER_BYTES = 64 * 1024**2
TIMEOUT_S = 30
UPLOAD_TIMEOUT_S = 300
DEADLINE_S = 120.0
N_TRIES = 5
BACKOFF_S = 0.2
PATIENCE_S = 60.0
"""Pauses up to this long are waited out here; longer ones are the job's to wait, without holding a worker."""
BLOCK = 256 * 1024

Json = dict[str, Any]
T = TypeVar("T")
Params = Mapping[str, Any]


def nothing() -> None:
    """The check of somebody who never gives up."""


class ConfluenceClient:
    """GET with retries, a shared pace, bounded answers. `check` is called while waiting and may raise."""

    def __init__(
        self,
        url: str,
        *,
        username: str | None = None,
        api_token: str | None = None,
        pat: str | None = None,
        timeout_s: int = TIMEOUT_S,
        check: Callable[[], None] = nothing,
        pace: Pace | None = None,
    ) -> None:
        """Connects to nothing yet. `pace` None: the one this process keeps for the site, shared with no other.

        Raises:
            NotConfigured: no credentials.
        """
        if not pat and not (username and api_token):
            raise NotConfigured("give CONFLUENCE_USERNAME and CONFLUENCE_API_TOKEN, or CONFLUENCE_PAT")
        self.base_url = site_url(url)
        self.is_cloud = not pat and is_cloud_url(self.base_url)
        self._check = check
        self._pace = pace or pace_of(self.base_url)
        self._session = _BoundedSession()
        self._session.headers["User-Agent"] = USER_AGENT
        self._api = AtlassianRestAPI(
            self.base_url,
            username=None if pat else username,
            password=None if pat else api_token,
            token=pat,
            timeout=timeout_s,
            cloud=self.is_cloud,
            session=self._session,
            retry_with_header=False,
        )

    def get(self, path: str, params: Params | None = None, *, what: str, n_tries: int = N_TRIES) -> Any:
        """The JSON behind `path` (below the site's address).

        Args:
            what: the noun error messages use, such as `page 123`.
            n_tries: how often passing faults are tried in all.

        Raises:
            Denied, NotFound, BadInput: lasting refusals.
            RateLimited, Unavailable: still failing after `n_tries`, or a pause longer than a minute.
        """
        return self._retrying(lambda: self._get(path, params, what), n_tries)

    @contextmanager
    def download(self, path: str, *, what: str, max_bytes: int) -> Iterator[Iterator[bytes]]:
        """The file behind `path` in pieces.

        Raises:
            BadInput: larger than `max_bytes`.
        """
        with self._retrying(lambda: self._open(path, what), N_TRIES) as response:
            yield _pieces(response, what, max_bytes, time.monotonic() + 10 * DEADLINE_S)

    def send(self, method: str, path: str, body: Any, params: Params | None = None, *, what: str) -> Any:
        """Write something; tried once only, since a second try might write twice. Raises as `get`, and Conflict."""
        return self._paced(lambda: self._ask(method, path, params, what, body))

    def upload(self, path: str, file: Path, *, name: str, what: str) -> Any:
        """Send one file as a form; tried once only. The file is held in memory while it is sent. Raises as `send`."""

        def once() -> Any:
            with _translated(what), file.open("rb") as content:
                response = self._session.request(
                    "POST",
                    self.page_url(path),
                    files={"file": (name, content)},
                    data={"minorEdit": "true"},
                    headers={"X-Atlassian-Token": "nocheck"},
                    timeout=UPLOAD_TIMEOUT_S,
                )
            if (error := refusal(response, what)) is not None:
                raise error
            return None

        return self._paced(once)

    def page_url(self, path: str) -> str:
        """Where people open what the API calls `path`."""
        return f"{self.base_url}/{path.lstrip('/')}"

    def close(self) -> None:
        self._session.close()

    def _get(self, path: str, params: Params | None, what: str) -> Any:
        return self._ask("GET", path, params, what, None)

    def _ask(self, method: str, path: str, params: Params | None, what: str, body: Any) -> Any:
        with _translated(what):
            response = self._api.request(
                method, path, params=dict(params or {}), data=body, advanced_mode=True
            )
        if (error := refusal(response, what)) is not None:
            raise error
        if not response.content:
            return None
        try:
            return json.loads(response.content)
        except ValueError as exc:
            raise Unavailable(f"Confluence's answer for {what} broke off or is no JSON") from exc

    def _open(self, path: str, what: str) -> requests.Response:
        with _translated(what):
            url = self.page_url(path)
            response = self._session.open_stream("GET", url, timeout=TIMEOUT_S)
        error = refusal(response, what) if response.status_code >= 400 else None
        if error is not None:
            response.close()
            raise error
        return response

    def _retrying(self, call: Callable[[], T], n_tries: int) -> T:
        for attempt in range(1, max(n_tries, N_TRIES) + 1):
            try:
                return self._paced(call)
            except (RateLimited, Unavailable) as exc:
                pause_s = self._pause(exc, attempt)
                # Fewer tries are for failures that a smaller request may mend; a site in need of a rest needs that.
                most = N_TRIES if isinstance(exc, RateLimited) else n_tries
                if attempt >= most or pause_s > PATIENCE_S:
                    raise
                logger.info("confluence_retry", extra={"why": str(exc)[:200], "attempt": attempt})
                self._wait(pause_s)
        raise AssertionError("the last try returns or raises")

    def _paced(self, call: Callable[[], T]) -> T:
        """One request in its turn; how it ends decides how many go out at once from then on."""
        lease, verdict = self._pace.take(self._check, PATIENCE_S), Verdict.WELL
        try:
            return call()
        except RateLimited:
            verdict = Verdict.REFUSED
            raise
        except Unavailable:
            verdict = Verdict.FAILED
            raise
        finally:
            self._pace.done(lease, verdict)

    def _pause(self, exc: RateLimited | Unavailable, attempt: int) -> float:
        """Seconds to wait now; a pause that was asked for holds for everybody who asks this site."""
        own_s: float = BACKOFF_S * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)
        pause_s = max(own_s, exc.retry_after_s or 0.0)
        if isinstance(exc, RateLimited) or exc.retry_after_s is not None:
            self._pace.pause(pause_s)
        return pause_s

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left_s := until - time.monotonic()) > 0:
            self._check()
            time.sleep(min(left_s, 0.25))


def is_cloud_url(base_url: str) -> bool:
    """Cloud sites live below `/wiki`, whatever their host is called."""
    parts = urlsplit(base_url)
    return (parts.hostname or "").endswith(".atlassian.net") or parts.path.rstrip("/").endswith("/wiki")


def site_url(url: str) -> str:
    """CONFLUENCE_URL as it is used: without a trailing slash, with `/wiki` for Cloud."""
    base = url.rstrip("/")
    parts = urlsplit(base)
    return f"{base}/wiki" if (parts.hostname or "").endswith(".atlassian.net") and not parts.path else base


class _BoundedSession(requests.Session):
    """Reads an answer up to a size and a deadline; requests itself would read on forever."""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().request(*args, **{**kwargs, "stream": True})
        deadline = time.monotonic() + DEADLINE_S
        with response:
            response._content = b"".join(_pieces(response, "the answer", MAX_ANSWER_BYTES, deadline))
            response._content_consumed = True  # type: ignore[attr-defined]
        return response

    def open_stream(self, method: str, url: str, *, timeout: float) -> requests.Response:
        return super().request(method, url, timeout=timeout, stream=True)


def _pieces(response: requests.Response, what: str, max_bytes: int, deadline: float) -> Iterator[bytes]:
    size = 0
    with _translated(what):
        for block in response.iter_content(BLOCK):
            size += len(block)
            if size > max_bytes:
                raise BadInput(f"{what}: larger than the limit of {max_bytes / 1024**2:.0f} MiB")
            if time.monotonic() > deadline:
                raise Unavailable(f"{what}: Confluence sent too slowly")
            yield block


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except requests.exceptions.Timeout as exc:
        raise Unavailable(f"Confluence did not answer in time ({what})") from exc
    except requests.exceptions.SSLError as exc:
        raise NotConfigured(
            "the TLS certificate of CONFLUENCE_URL is not trusted: install the company's CA on this machine"
        ) from exc
    except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as exc:
        raise Unavailable(f"the connection to Confluence failed or was cut ({what})") from exc
    except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as exc:
        raise NotConfigured("CONFLUENCE_URL is not an address that can be opened") from exc
    except requests.exceptions.RequestException as exc:
        raise Unavailable(f"Confluence could not be asked for {what} ({type(exc).__name__})") from exc
