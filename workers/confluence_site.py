"""The Confluence site of the settings, ready to be asked; credentials never enter the database."""

from collections.abc import Callable

from connectors.confluence.client import ConfluenceClient, nothing, site_url
from connectors.confluence.pace import Limits
from connectors.confluence.shared_pace import pace_of
from core.errors import NotConfigured
from core.settings import Settings


def connect(settings: Settings, *, check: Callable[[], None] = nothing) -> ConfluenceClient:
    """A client for CONFLUENCE_URL; `check` is called while it waits. Close it after use.

    With REDIS_URL its pace is that of all workers, without it that of this process.

    Raises:
        NotConfigured: CONFLUENCE_URL or its credentials are missing.
    """
    if settings.confluence_url is None:
        raise NotConfigured("CONFLUENCE_URL is not set")
    secret = settings.confluence_pat
    token = settings.confluence_api_token
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
    limits = Limits(settings.confluence_rate, settings.confluence_at_once)
    return ConfluenceClient(
        settings.confluence_url,
        username=settings.confluence_username,
        api_token=token.get_secret_value() if token else None,
        pat=secret.get_secret_value() if secret else None,
        check=check,
        pace=pace_of(site_url(settings.confluence_url), redis_url, limits),
    )
