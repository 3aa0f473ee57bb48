"""Slack's Web API: slack-sdk's client with this house's errors; knows no message."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler

from core.errors import BadInput, Denied, ImpError, NotConfigured, NotFound, RateLimited, Unavailable
from core.settings import Settings

TIMEOUT_S = 15
PASSING = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
TOKEN = {
    "invalid_auth",
    "not_authed",
    "token_revoked",
    "token_expired",
    "account_inactive",
    "org_login_required",
}
MISSING = {
    "channel_not_found",
    "message_not_found",
    "user_not_found",
    "users_not_found",
    "thread_not_found",
    "is_archived",
}
REFUSED = {
    "not_in_channel",
    "missing_scope",
    "restricted_action",
    "no_permission",
    "user_not_in_channel",
    "cant_update_message",
}


def make_client(settings: Settings, token: str | None = None) -> WebClient:
    """A client with this token, else with the one workspace's.

    Raises:
        NotConfigured: neither is there.
    """
    if token is None and settings.slack_bot_token is None:
        raise NotConfigured("SLACK_BOT_TOKEN is not set")
    own = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else None
    return nameless_client(settings, token or own)


def nameless_client(settings: Settings, token: str | None = None) -> WebClient:
    """A client that may have no token yet."""
    return WebClient(
        token=token,
        base_url=settings.slack_api_url.rstrip("/") + "/",
        timeout=TIMEOUT_S,
        retry_handlers=[ConnectionErrorRetryHandler()],
    )


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Slack's failures as core.errors; `what` is the noun their messages use."""
    try:
        yield
    except SlackApiError as exc:
        raise _error(exc, what) from exc
    except (SlackRequestError, URLError, HTTPException, OSError, ValueError) as exc:
        raise Unavailable(f"Slack could not be reached for {what} ({type(exc).__name__})") from exc


def _error(exc: SlackApiError, what: str) -> ImpError:
    response = exc.response
    status = getattr(response, "status_code", 0)
    if status == 429:
        wait = str(response.headers.get("Retry-After", response.headers.get("retry-after", "30")))
        return RateLimited(
            f"Slack asks to wait ({what})", retry_after_s=float(wait) if wait.isdigit() else 30.0
        )
    code = str(response.get("error", "")) if hasattr(response, "get") else ""
    if status >= 500 or code in PASSING or not code:
        return Unavailable(f"Slack failed for {what} (HTTP {status} {code})")
    if code in TOKEN:
        return NotConfigured(
            f"Slack refuses SLACK_BOT_TOKEN ({code}): install the app again and renew the token"
        )
    if code in REFUSED:
        needed = response.get("needed")
        return Denied(
            f"Slack does not allow {what}: {code}{f', scope {needed} is missing' if needed else ''}"
        )
    if code in MISSING:
        return NotFound(f"Slack knows no place for {what} ({code})")
    return BadInput(f"Slack refuses {what}: {code}")
