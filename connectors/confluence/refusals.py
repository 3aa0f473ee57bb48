"""A Confluence server's refusals in this house's words: what happened and what an admin can do about it."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from requests import Response

from core.errors import BadInput, Conflict, Denied, ImpError, NotFound, RateLimited, Unavailable

MAX_PAUSE_S = 15 * 60.0


def retry_after_s(header: str | None, *, now: datetime | None = None) -> float | None:
    """Seconds a header asks for, as a number or as a date of either form; None when it cannot be read. Capped."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        moment = _date(header)
        if moment is None:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    if not math.isfinite(seconds):
        return None if math.isnan(seconds) or seconds < 0 else MAX_PAUSE_S
    return min(max(seconds, 0.0), MAX_PAUSE_S)


def asked_pause_s(response: Response) -> float | None:
    """The pause a refusal asks for: by `Retry-After`, or by Cloud's moment at which there is quota again."""
    told = retry_after_s(response.headers.get("Retry-After"))
    return told if told is not None else _quota_s(response.headers.get("X-RateLimit-Reset"))


def refusal(response: Response, what: str) -> ImpError | None:
    """The error a response stands for; None when it is an answer. Never holds the body: it may quote content."""
    status = response.status_code
    if status < 400:
        return _disguised(response, what)
    if status == 401:
        return Denied(
            f"Confluence did not accept the credentials ({what}, 401): check CONFLUENCE_USERNAME and "
            "CONFLUENCE_API_TOKEN (Cloud), or CONFLUENCE_PAT (Data Center); tokens expire"
        )
    if status == 403:
        return Denied(
            f"Confluence refused {what} (403): the service account lacks the permission or the token its scope; "
            "an admin can give it 'Can use Confluence' and read access, or space admin to read permissions"
        )
    if status in (404, 410):
        return NotFound(f"Confluence has no {what} that the service account may see ({status})")
    if status == 409:
        return Conflict(f"somebody else changed {what} first (409)")
    if status == 429:
        return RateLimited(
            f"Confluence asked for fewer requests ({what}, 429)", retry_after_s=asked_pause_s(response)
        )
    if status >= 500:
        return Unavailable(
            f"Confluence failed on {what} ({status}); where it lasts for one item only, Data Center may mean "
            "'forbidden' by it (CONFSERVER-99908): look at the item's permissions and the server's log",
            retry_after_s=retry_after_s(response.headers.get("Retry-After")),
        )
    return BadInput(f"Confluence did not understand the request for {what} ({status})")


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (TypeError, ValueError):
        pass
    try:
        return datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        return None


def _quota_s(header: str | None) -> float | None:
    """`X-RateLimit-Reset` is a date; others use the name for a number of their own meaning, which is not believed."""
    return retry_after_s(header) if header and _date(header) is not None else None


def _disguised(response: Response, what: str) -> ImpError | None:
    """A login page where data was expected: single sign-on, WebSudo or a proxy stands in between."""
    kind = response.headers.get("Content-Type", "").lower()
    if "json" in kind or not kind.startswith("text/html"):
        return None
    return Denied(
        f"Confluence sent a web page instead of data for {what}: single sign-on, 'secure administrator "
        "sessions' (WebSudo) or a proxy stands in between; let the API through for the service account, and "
        "check that CONFLUENCE_URL is the site's address (Cloud: ending in /wiki)"
    )
