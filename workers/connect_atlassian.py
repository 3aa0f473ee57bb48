"""A Slack user connects their own Atlassian account: what is signed, what is linked. Knows no route and no page."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import jwt

from core.settings import Settings

TICKET_MAX_AGE = timedelta(hours=12)
"""A home tab that stays open for a working day still leads somewhere."""
ALGORITHM = "HS256"


def is_configured(settings: Settings) -> bool:
    """Whether the button can work: ATLASSIAN_CLIENT_ID and ATLASSIAN_CLIENT_SECRET are set."""
    return settings.atlassian_client_id is not None and settings.atlassian_client_secret is not None


def connect_url(settings: Settings, slack_user_id: str) -> str | None:
    """Where the "Connect your Atlassian account" button of this Slack user leads; None where it is not configured.

    The address names the user in a signed ticket that ends by itself: show it to that user alone.
    """
    if not is_configured(settings):
        return None
    ticket = signed(settings, "ticket", slack_user_id, TICKET_MAX_AGE)
    return f"{settings.public_url}/connect/atlassian?ticket={quote(ticket)}"


def signed(settings: Settings, purpose: str, slack_user_id: str, max_age: timedelta, **facts: str) -> str:
    """A token for one purpose and one Slack user, with an id of its own so that it can be used up."""
    claims = {
        **facts, "aud": purpose, "sub": slack_user_id, "jti": secrets.token_urlsafe(16),
        "exp": datetime.now(UTC) + max_age,
    }  # fmt: skip
    return jwt.encode(claims, _key(settings), algorithm=ALGORITHM)


def _key(settings: Settings) -> bytes:
    """Signs nothing but these tokens: the client secret under a name of its own."""
    secret = settings.atlassian_client_secret
    assert secret is not None, "is_configured was not asked"
    return hashlib.sha256(b"imp connect atlassian\0" + secret.get_secret_value().encode()).digest()
