"""A webhook of Zoom as it arrives: verified, kept once, handed to a job. Milliseconds; fetches nothing."""

import base64
import hashlib
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.dialects.postgresql import insert

from connectors.recordings import zoom
from core import jobs
from core.errors import BadInput, Denied
from core.settings import Settings
from core.tables.jobs import Delivery
from workers.context import Context

PROVIDER = "zoom"


def take_zoom_webhook(
    context: Context, headers: Mapping[str, str], raw_body: bytes
) -> tuple[str, dict[str, str] | None]:
    """Take one delivery.

    Returns:
        (`taken`, `known`, `ignored` or `challenge`, what to answer where Zoom asks for something).

    Raises:
        Denied: not signed with ZOOM_WEBHOOK_SECRET, or too old.
        BadInput: not what Zoom sends.
    """
    secret = _secret(context.settings)
    event = zoom.accept(headers, raw_body, secret)
    if event.challenge is not None:
        return "challenge", zoom.challenge_answer(event.challenge, secret)
    if event.meeting is None:
        return "ignored", None
    with context.factory.begin() as session:
        taken = session.execute(
            insert(Delivery)
            .values(provider=PROVIDER, delivery_id=event.delivery_id)
            .on_conflict_do_nothing()
            .returning(Delivery.delivery_id)
        ).first()
        if taken is None:
            return "known", None
        jobs.enqueue(
            session,
            "take_zoom_meeting",
            f"{event.meeting.uuid[:200]}:{event.event}:{event.delivery_id[:12]}",
            meeting=zoom.meeting_json(event.meeting),
            sealed_token=seal(context.settings, event.download_token),
        )
    return "taken", None


def seal(settings: Settings, token: str) -> str:
    """The download token as it may lie in a job's row: readable with ZOOM_WEBHOOK_SECRET only."""
    return _fernet(settings).encrypt(token.encode()).decode()


def unseal(settings: Settings, sealed: str) -> str:
    """Raises BadInput when the secret was changed since."""
    try:
        return _fernet(settings).decrypt(sealed.encode()).decode()
    except InvalidToken as exc:
        raise BadInput("the download token cannot be read: ZOOM_WEBHOOK_SECRET was changed") from exc


def _secret(settings: Settings) -> str:
    if settings.zoom_webhook_secret is None:
        raise Denied("webhooks of Zoom are off: ZOOM_WEBHOOK_SECRET is not set")
    return settings.zoom_webhook_secret.get_secret_value()


def _fernet(settings: Settings) -> Fernet:
    digest = hashlib.sha256(b"imp zoom download token\0" + _secret(settings).encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
