"""A Slack user connects their own Atlassian account: what is signed, what is used up, what is linked.

Knows no route and no page. Three tokens in a row, each signed, bound to the Slack user, ending by itself: the
*ticket* behind the button, the *state* that travels to Atlassian and back (it works once, in the browser that
began), and an *offer* that waits for a last word where the two accounts carry different addresses.
"""

import hashlib
import hmac
import logging
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import jwt
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connectors.atlassian.sign_in import App, AtlassianAccount, consent_url
from core.errors import BadInput, Denied, NotConfigured
from core.settings import Settings
from core.tables.jobs import Delivery
from core.tables.people import Account
from workers.people import ensure_person, link

logger = logging.getLogger(__name__)

TICKET_MAX_AGE = timedelta(hours=12)
"""A home tab that stays open for a working day still leads somewhere."""
STATE_MAX_AGE = timedelta(minutes=10)
ALGORITHM = "HS256"
PROVIDER = "atlassian-connect"
AGAIN = "Open the app's home tab in Slack and press the button once more."


@dataclass(frozen=True, slots=True)
class SlackSide:
    """The Slack account that is to be connected, as we know it."""

    user_id: str
    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Journey:
    """What the browser is given on its way: where to go, and the secret it keeps until it is back."""

    url: str
    secret: str


def is_configured(settings: Settings) -> bool:
    """Whether the button can work: ATLASSIAN_CLIENT_ID and ATLASSIAN_CLIENT_SECRET are set."""
    return settings.atlassian_client_id is not None and settings.atlassian_client_secret is not None


def connect_url(settings: Settings, slack_user_id: str) -> str | None:
    """Where the "Connect your Atlassian account" button of this Slack user leads; None where it is not configured.

    The address names the user in a signed ticket that ends by itself: show it to that user alone.
    """
    if not is_configured(settings):
        return None
    ticket = _signed(settings, "ticket", slack_user_id, TICKET_MAX_AGE)
    return f"{settings.public_url}/connect/atlassian?ticket={quote(ticket)}"


def app_of(settings: Settings) -> App:
    """The OAuth app. Raises NotConfigured when there is none."""
    if settings.atlassian_client_id is None or settings.atlassian_client_secret is None:
        raise NotConfigured("ATLASSIAN_CLIENT_ID and ATLASSIAN_CLIENT_SECRET are not set")
    return App(
        settings.atlassian_client_id, settings.atlassian_client_secret.get_secret_value(),
        settings.atlassian_auth_url, settings.atlassian_api_url,
        f"{settings.public_url}/connect/atlassian/callback",
    )  # fmt: skip


def slack_side(session: Session, settings: Settings, ticket: str) -> SlackSide:
    """Whose button it was.

    Raises:
        Denied: the ticket is forged, too old or used up; the account is a bot or of another organization.
    """
    claims = _read(settings, "ticket", ticket)
    if _is_used(session, claims["jti"]):
        raise Denied(f"This link was used already. {AGAIN}")
    return _slack_account(session, claims["sub"])


def begin(settings: Settings, ticket: str) -> Journey:
    """Send the browser to Atlassian. Its secret is PKCE's verifier, and proves on return that it is the same browser."""
    claims = _read(settings, "ticket", ticket)
    secret = secrets.token_urlsafe(48)
    state = _signed(
        settings, "state", claims["sub"], STATE_MAX_AGE, ticket=claims["jti"], browser=_digest(secret)
    )
    return Journey(consent_url(app_of(settings), state=state, verifier=secret), secret)


def arrive(session: Session, settings: Settings, state: str, secret: str) -> None:
    """The browser is back: use up its state.

    Raises:
        Denied: the state is forged, too old, used already, or was begun in another browser.
    """
    claims = _read(settings, "state", state)
    if not hmac.compare_digest(claims.get("browser", ""), _digest(secret)):
        raise Denied(f"This sign-in was begun in another browser. {AGAIN}")
    if _is_used(session, claims["ticket"]) or not _use_up(session, claims["jti"]):
        raise Denied(f"This sign-in was used already. {AGAIN}")


def needs_last_word(slack: SlackSide, account: AtlassianAccount) -> bool:
    """Two accounts of one address belong to one person; where they differ, the person says so once more.

    A link somebody was sent by a colleague ends here: the page names both accounts before they become one.
    """
    return slack.email is None or account.email is None or slack.email.lower() != account.email


def offer(settings: Settings, state: str, secret: str, account: AtlassianAccount) -> str:
    """The connection that waits for the last word, for the same browser."""
    claims = _read(settings, "state", state)
    return _signed(
        settings, "offer", claims["sub"], STATE_MAX_AGE, ticket=claims["ticket"], browser=_digest(secret),
        account=account.id, name=account.name, email=account.email or "",
    )  # fmt: skip


def accept(
    session: Session, settings: Settings, offered: str, secret: str
) -> tuple[SlackSide, AtlassianAccount]:
    """The last word was yes: connect what was offered. Raises Denied as `arrive`."""
    claims = _read(settings, "offer", offered)
    if not hmac.compare_digest(claims.get("browser", ""), _digest(secret)):
        raise Denied(f"This sign-in was begun in another browser. {AGAIN}")
    if not _use_up(session, claims["jti"]):
        raise Denied(f"This sign-in was used already. {AGAIN}")
    account = AtlassianAccount(claims["account"], claims["name"], claims["email"] or None)
    return connect(session, claims["sub"], claims["ticket"], account), account


def slack_of_state(session: Session, settings: Settings, state: str) -> SlackSide:
    """The Slack account a state was begun for."""
    return _slack_account(session, _read(settings, "state", state)["sub"])


def connect_state(session: Session, settings: Settings, state: str, account: AtlassianAccount) -> SlackSide:
    """Connect at once, on the word of a state that has just arrived."""
    claims = _read(settings, "state", state)
    return connect(session, claims["sub"], claims["ticket"], account)


def connect(session: Session, slack_user_id: str, ticket_id: str, account: AtlassianAccount) -> SlackSide:
    """One person from now on: whoever the Atlassian account belongs to, else whoever the Slack account is.

    Raises:
        Denied: the button's ticket brought a connection already, or the Slack account may not be connected.
    """
    slack = _slack_account(session, slack_user_id)
    if not _use_up(session, ticket_id):
        raise Denied(f"This link was used already. {AGAIN}")
    person_id = _person_of(session, "confluence", account.id) or _person_of(session, "slack", slack_user_id)
    if person_id is None:
        person_id = ensure_person(session, name=account.name, email=account.email or slack.email)
    link(session, person_id, "confluence", account.id, by="oauth", email=account.email, name=account.name)
    link(session, person_id, "slack", slack_user_id, by="oauth", email=slack.email, name=slack.name)
    logger.info("atlassian_account_connected", extra={"person_id": person_id})
    return slack


def _person_of(session: Session, provider: str, external_id: str) -> int | None:
    statement = select(Account.person_id).where(
        Account.provider == provider, Account.external_id == external_id
    )
    return session.execute(statement).scalar_one_or_none()


def _slack_account(session: Session, user_id: str) -> SlackSide:
    row = session.execute(
        select(Account).where(Account.provider == "slack", Account.external_id == user_id)
    ).scalar_one_or_none()
    if row is not None and (row.is_bot or row.is_external):
        raise Denied("Accounts of other organizations are connected by an admin: `imp people link`.")
    return SlackSide(user_id, (row.name if row else None) or user_id, row.email if row else None)


def _signed(settings: Settings, purpose: str, slack_user_id: str, max_age: timedelta, **facts: str) -> str:
    """A token for one purpose and one Slack user, with an id of its own so that it can be used up."""
    claims = {
        **facts, "aud": purpose, "sub": slack_user_id, "jti": secrets.token_urlsafe(16),
        "exp": datetime.now(UTC) + max_age,
    }  # fmt: skip
    return jwt.encode(claims, _key(settings), algorithm=ALGORITHM)


def _read(settings: Settings, purpose: str, token: str) -> dict[str, Any]:
    """Raises Denied for what we did not sign, what ended, and what was signed for another purpose."""
    app_of(settings)
    try:
        claims: dict[str, Any] = jwt.decode(
            token, _key(settings), algorithms=[ALGORITHM], audience=purpose,
            options={"require": ["exp", "aud", "sub", "jti"]},
        )  # fmt: skip
    except jwt.ExpiredSignatureError as exc:
        raise Denied(f"This link has ended. {AGAIN}") from exc
    except jwt.PyJWTError as exc:
        raise Denied(f"This link is not valid. {AGAIN}") from exc
    if not all(isinstance(claims[name], str) for name in ("sub", "jti")):
        raise BadInput("this link cannot be read")
    return claims


def _use_up(session: Session, token_id: str) -> bool:
    """True for the first that comes; remembered longer than any of these tokens lives."""
    statement = insert(Delivery).values(provider=PROVIDER, delivery_id=token_id)
    return (
        session.execute(statement.on_conflict_do_nothing().returning(Delivery.delivery_id)).first()
        is not None
    )


def _is_used(session: Session, token_id: str) -> bool:
    return session.get(Delivery, (PROVIDER, token_id)) is not None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(settings: Settings) -> bytes:
    """Signs nothing but these tokens: the client secret under a name of its own."""
    secret = settings.atlassian_client_secret
    assert secret is not None, "is_configured was not asked"
    return hashlib.sha256(b"imp connect atlassian\0" + secret.get_secret_value().encode()).digest()
