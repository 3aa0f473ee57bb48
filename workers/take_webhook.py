"""A Confluence webhook as it arrives: verified, kept once, handed to a job. Milliseconds; asks nobody."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from connectors.confluence import webhooks
from core import jobs
from core.errors import Denied, NotFound
from core.tables.documents import Source
from core.tables.jobs import Delivery
from workers.context import Context

PROVIDER = "confluence"


def take_webhook(
    context: Context,
    source: str,
    event: str,
    headers: Mapping[str, str],
    raw_body: bytes,
    *,
    path: str,
    query: str,
) -> str:
    """Take one delivery for the source with this name or number.

    Returns:
        `taken`, or `known` when this delivery came before.

    Raises:
        Denied: not signed with CONFLUENCE_WEBHOOK_SECRET.
        BadInput: too large, or no event can be read.
        NotFound: no such source (only said to those who know the secret).
    """
    secret = context.settings.confluence_webhook_secret
    if secret is None:
        raise Denied("webhooks are off: CONFLUENCE_WEBHOOK_SECRET is not set")
    found = webhooks.accept(headers, raw_body, event, secret.get_secret_value(), path=path, query=query)
    with context.factory.begin() as session:
        matches = (
            Source.id == int(source) if source.isdecimal() and len(source) < 10 else Source.name == source
        )
        source_id = session.execute(
            select(Source.id).where(matches, Source.kind == PROVIDER, Source.state != "removed")
        ).scalar_one_or_none()
        if source_id is None:
            raise NotFound(f"there is no Confluence source {source!r}")
        taken = session.execute(
            insert(Delivery)
            .values(provider=PROVIDER, delivery_id=f"{source_id}:{found.delivery_id}"[:300])
            .on_conflict_do_nothing()
            .returning(Delivery.delivery_id)
        ).first()
        if taken is None:
            return "known"
        key = f"{source_id}:{found.event}:{found.content_id or found.delivery_id}"
        told: dict[str, Any] = {**found.args()}
        jobs.enqueue(session, "apply_webhook", key, source_id=source_id, **told)
    return "taken"
